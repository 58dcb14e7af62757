#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kfleet::fuzz::pssh_hosts(data));
