use std::env;
use std::ffi::OsString;

use super::number::number;

/// The variables that say what the command line does not. One that is empty is not there; of the switches any other text is
/// a yes, `0` too.
#[derive(Debug, Default)]
pub(super) struct Environment {
    pub(super) user: Option<String>,
    pub(super) par: Option<i64>,
    pub(super) outdir: Option<OsString>,
    pub(super) errdir: Option<OsString>,
    pub(super) timeout: Option<i64>,
    pub(super) verbose: bool,
    pub(super) print: bool,
    pub(super) askpass: bool,
    pub(super) inline: bool,
    pub(super) recursive: bool,
    pub(super) archive: bool,
    pub(super) compress: bool,
    pub(super) localdir: Option<OsString>,
    pub(super) options: Option<String>,
    pub(super) hosts: Option<OsString>,
}

impl Environment {
    /// Reads all of them.
    ///
    /// # Errors
    /// The first that is no text or no number, where it has to be one.
    pub(super) fn read() -> Result<Self, String> {
        Ok(Self {
            user: text("PSSH_USER")?,
            par: whole("PSSH_PAR")?,
            outdir: variable("PSSH_OUTDIR"),
            errdir: variable("PSSH_ERRDIR"),
            timeout: whole("PSSH_TIMEOUT")?,
            verbose: variable("PSSH_VERBOSE").is_some(),
            print: variable("PSSH_PRINT").is_some(),
            askpass: variable("PSSH_ASKPASS").is_some(),
            inline: variable("PSSH_INLINE").is_some(),
            recursive: variable("PSSH_RECURSIVE").is_some(),
            archive: variable("PSSH_ARCHIVE").is_some(),
            compress: variable("PSSH_COMPRESS").is_some(),
            localdir: variable("PSSH_LOCALDIR"),
            options: text("PSSH_OPTIONS")?,
            hosts: variable("PSSH_HOSTS"),
        })
    }
}

fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &str) -> Result<Option<String>, String> {
    variable(name).map(|value| value.into_string().map_err(|_| format!("{name} is not UTF-8"))).transpose()
}

fn whole(name: &str) -> Result<Option<i64>, String> {
    text(name)?.map(|value| number(&value).map_err(|reason| format!("{name}: {reason}"))).transpose()
}
