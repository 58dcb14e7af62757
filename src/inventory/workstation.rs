use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::problem::Complaint;

/// What an inventory takes from the machine it is read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workstation {
    /// Who runs kfleet, where the environment says it.
    pub user: Option<String>,
    /// Their home directory.
    pub home: Option<PathBuf>,
}

impl Workstation {
    /// As the environment has it, `USER` or `LOGNAME` and the home directory; containers and cron jobs often lack the first
    /// two, then /etc/passwd knows.
    #[must_use]
    pub fn from_environment() -> Self {
        let named = |name| std::env::var(name).ok().filter(|user| !user.is_empty());
        let by_id = || user_of(&fs::read_to_string("/etc/passwd").ok()?, fs::metadata("/proc/self").ok()?.uid());
        Self { user: named("USER").or_else(|| named("LOGNAME")).or_else(by_id), home: etcetera::home_dir().ok() }
    }

    /// A path as an inventory in `directory` writes it: `~/` is the home, what is relative starts at the inventory.
    pub(super) fn resolve(&self, directory: &Path, text: &str) -> Result<PathBuf, Complaint> {
        if text.is_empty() || text.contains('\0') {
            return Err(Complaint::new("not the path of a file"));
        }
        let Some(of_home) = text.strip_prefix('~') else { return Ok(directory.join(text)) };
        let Some(below) = of_home.strip_prefix('/') else {
            return Err(Complaint::new(format!("`{text}`: only your own home can be written as `~/`"))
                .hint("write the whole path; a file whose name begins with `~` is \"./~name\""));
        };
        match &self.home {
            Some(home) => Ok(home.join(below.trim_start_matches('/'))),
            None => Err(Complaint::new("this machine does not say where your home is")
                .hint("set HOME, or write the whole path")),
        }
    }
}

/// Whose number it is in the text of /etc/passwd.
fn user_of(passwd: &str, uid: u32) -> Option<String> {
    let mut lines = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find_map(|fields| match fields.as_slice() {
        [name, _, number, ..] if number.parse() == Ok(uid) => Some((*name).to_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Workstation, user_of};

    #[test]
    fn the_user_is_found_by_number() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n\nbroken\ntester:x:1000:1000::/home/tester:/bin/zsh\n";
        assert_eq!(user_of(passwd, 1000).as_deref(), Some("tester"));
        assert_eq!(user_of(passwd, 10), None);
    }

    #[test]
    fn paths_start_at_the_home_or_at_the_inventory() {
        let workstation = Workstation { user: None, home: Some("/home/tester".into()) };
        for (text, path) in [
            ("~/.ssh/known_hosts", Some("/home/tester/.ssh/known_hosts")),
            ("keys/lab", Some("fleet/keys/lab")),
            ("./~name", Some("fleet/./~name")),
            ("/etc/ssh/ssh_known_hosts", Some("/etc/ssh/ssh_known_hosts")),
            ("~ops/key", None),
            ("~", None),
            ("", None),
        ] {
            assert_eq!(workstation.resolve(Path::new("fleet"), text).ok(), path.map(PathBuf::from), "{text}");
        }
        assert!(Workstation { home: None, ..workstation }.resolve(Path::new("fleet"), "~/key").is_err());
    }
}
