//! The little of the tar format that carries a parcel: files with plain names, and their times to the nanosecond.

use super::entry::Stamp;

/// Headers and contents are padded to this, in bytes.
const BLOCK: usize = 512;
/// An archive is padded to this: tars read so much at a time.
const RECORD: u64 = 10_240;

/// What goes before a file's contents; one without a time of its own is as new as it is there.
pub(super) fn header(name: &str, size: u64, mode: u32, modified: Option<Stamp>) -> Vec<u8> {
    let modified = modified.unwrap_or_else(Stamp::now);
    let mut headers = Vec::new();
    if modified.nanos != 0 {
        // GNU's tar and others read it; busybox's passes over it, and has whole seconds.
        let record = pax_record("mtime", &modified.to_string());
        headers.extend(ustar("pax", record.len() as u64, 0o600, 0, b'x'));
        headers.extend(&record);
        headers.resize(headers.len().next_multiple_of(BLOCK), 0);
    }
    headers.extend(ustar(name, size, mode, modified.seconds, b'0'));
    headers
}

/// What goes after a file's contents.
pub(super) fn padding(size: u64) -> Vec<u8> {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    vec![0; (BLOCK - over) % BLOCK]
}

/// What goes after everything, `written` bytes so far.
pub(super) fn end(written: u64) -> Vec<u8> {
    let length = (written + 2 * BLOCK as u64).next_multiple_of(RECORD) - written;
    vec![0; usize::try_from(length).unwrap_or(2 * BLOCK)]
}

fn ustar(name: &str, size: u64, mode: u32, seconds: i64, kind: u8) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, &number(i128::from(size)));
    put(136, &number(i128::from(seconds)));
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// Octal where that has room, else GNU's binary form.
fn number(number: i128) -> [u8; 12] {
    let mut field = [0; 12];
    if (0..1 << 33).contains(&number) {
        field[..11].copy_from_slice(format!("{number:011o}").as_bytes());
    } else {
        field.copy_from_slice(&number.to_be_bytes()[4..]);
        field[0] = if number < 0 { 0xff } else { 0x80 };
    }
    field
}

/// `LENGTH KEY=VALUE\n`, where the length counts itself.
fn pax_record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}
