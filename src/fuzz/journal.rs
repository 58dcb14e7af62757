use crate::journal::Entry;

/// A line of a run's file: what was read and is written, to the millisecond, is read and written as the same.
pub fn journal(data: &[u8]) {
    for line in data.split(|byte| *byte == b'\n') {
        let Ok(entry) = serde_json::from_slice::<Entry>(line) else { continue };
        let Ok(written) = serde_json::to_string(&entry) else { panic!("{entry:?} cannot be written") };
        let again = serde_json::from_str::<Entry>(&written).and_then(|again| serde_json::to_string(&again));
        assert_eq!(again.ok(), Some(written));
    }
}
