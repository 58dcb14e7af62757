use std::path::PathBuf;

/// Where large temporary files go: `/tmp` is memory on many machines.
#[must_use]
pub fn spool_dir() -> PathBuf {
    let usual = PathBuf::from("/var/tmp");
    if std::env::var_os("TMPDIR").is_none() && usual.is_dir() { usual } else { std::env::temp_dir() }
}
