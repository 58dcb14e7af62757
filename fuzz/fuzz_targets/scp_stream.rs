#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kfleet::fuzz::scp_stream(data));
