use std::fs;
use std::thread::JoinHandle;

/// The most memory that a process had in use until it ended, in kB.
pub fn peak(process: u32) -> JoinHandle<u64> {
    std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) {
            let Some(line) = status.lines().find(|line| line.starts_with("VmHWM:")) else { break };
            peak = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        peak
    })
}
