use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::File;
use super::frames::{Frame, Frames, decode};

/// The files asked for, by path.
pub(super) fn files(frames: &Frames<'_>) -> BTreeMap<String, File> {
    frames.of("file").map(|(path, frame)| (decode(path), file(&frame))).collect()
}

fn file(frame: &Frame<'_>) -> File {
    match frame.status {
        "absent" => File::Absent,
        "dangling" => unreadable("it is a symbolic link to nothing"),
        "irregular" => unreadable("it is no regular file"),
        "large" => unreadable("it is larger than 1 MiB"),
        _ => present(&frame.text()).unwrap_or_else(unreadable),
    }
}

fn unreadable(reason: &str) -> File {
    File::Unreadable { reason: reason.to_owned() }
}

/// A line of stat's `mode|user|group|uid|gid|size`, then base64.
fn present(body: &str) -> Result<File, &'static str> {
    let (about, encoded) = body.split_once('\n').unwrap_or((body, ""));
    let about: Vec<&str> = about.trim_end().split('|').collect();
    let [mode, user, group, uid, gid, _] = about[..] else { return Err("its mode and owner cannot be read") };
    let mode = u32::from_str_radix(mode, 8).map_err(|_| "its mode cannot be read")?;
    let encoded: String = encoded.split_whitespace().collect();
    let bytes = STANDARD.decode(encoded).map_err(|_| "it cannot be read to its end")?;
    let contents = String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    // chown takes numbers where there is no name.
    let named = |name: &str, id: &str| if name == "UNKNOWN" { id.to_owned() } else { name.to_owned() };
    Ok(File::Present { contents, mode, owner: format!("{}:{}", named(user, uid), named(group, gid)) })
}

#[cfg(test)]
mod tests {
    use super::present;
    use crate::facts::File;

    #[test]
    fn contents_mode_and_owner_come_as_they_are() {
        for (body, contents, mode, owner) in [
            ("644|root|root|0|0|3\nYQpi\n", "a\nb", 0o644, "root:root"),
            ("4750|UNKNOWN|UNKNOWN|1001|1002|0\n", "", 0o4750, "1001:1002"),
            ("600|ops|domain users|1|2|2\r\nw6\r\nk=\r\n", "é", 0o600, "ops:domain users"),
        ] {
            let expected = File::Present { contents: contents.to_owned(), mode, owner: owner.to_owned() };
            assert_eq!(present(body), Ok(expected), "{body:?}");
        }
    }

    #[test]
    fn what_is_not_whole_is_not_taken_for_a_file() {
        for (body, reason) in [
            ("", "its mode and owner cannot be read"),
            ("64x|root|root|0|0|3\nYQpi\n", "its mode cannot be read"),
            ("644|root|root|0|0|3\n!\n", "it cannot be read to its end"),
            ("644|root|root|0|0|3\nYQpi!\n", "it cannot be read to its end"),
            ("644|root|root|0|0|1\n/w==\n", "it is not UTF-8"),
        ] {
            assert_eq!(present(body), Err(reason), "{body:?}");
        }
    }
}
