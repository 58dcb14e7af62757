use std::fs;
use std::path::{Path, PathBuf};

use crate::fleet::Fleet;

/// What lies on the hosts from transfers that have not ended, or have not been cleared away.
pub fn asides(fleet: &Fleet) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![fleet.path("")];
    while let Some(directory) = left.pop() {
        // What is being removed right now is gone.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(".kfleet-") {
                found.push(entry.path());
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                left.push(entry.path());
            }
        }
    }
    found
}

/// Bytes that look like nothing in particular, and are the same each time.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Whether a file holds exactly this.
pub fn holds(path: &Path, contents: &[u8]) -> bool {
    fs::read(path).is_ok_and(|found| found == contents)
}
