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
    /// As the environment has it: `USER` or `LOGNAME`, and the home directory.
    #[must_use]
    pub fn from_environment() -> Self {
        let named = |name| std::env::var(name).ok().filter(|user| !user.is_empty());
        Self { user: named("USER").or_else(|| named("LOGNAME")), home: etcetera::home_dir().ok() }
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
