//! How a host is reached, as people have it in ssh_config.
//!
//! `ssh -G` is asked, which knows Include, Match and every pattern: what it answers is what `ssh` itself would do.
//!
//! ```text
//! Wanted ──► Question ──► ssh -G ──► Answer ──► Settings
//!                ▲                     │
//!                └──── a jump host ────┘
//! ```

mod answer;
mod environment;
mod names;
mod path_list;
mod question;
mod settings;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod ssh_config;
mod tokens;
mod unhonoured;
mod wanted;

#[cfg(any(test, fuzzing))]
pub(crate) use settings::settings_where;
pub use ssh_config::{Resolved, SshConfig};
pub use wanted::Wanted;
