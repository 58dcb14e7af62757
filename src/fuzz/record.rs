use crate::steps::Record;

/// The record that a host keeps of what was before: what is written is read as the same.
pub fn record(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(record) = Record::parse(text) {
        let written = record.to_json();
        assert_eq!(Record::parse(&written).as_ref(), Ok(&record));
        assert_eq!(Record::default().merge(&record.entries().collect::<Vec<_>>()), record);
    }
}
