//! pssh's programs with pssh's own flags, environment, files, lines and exit codes; one file each, and what they share.

mod askpass;
mod by_hand;
mod common_args;
mod drive;
mod ending;
mod entry;
mod environment;
mod extra;
mod face;
mod glob;
mod help;
mod number;
mod output_files;
mod pnuke;
mod prsync;
mod pscp;
mod pslurp;
#[expect(clippy::module_inception, reason = "a file is named after its command")]
mod pssh;
mod reach;
mod report;
mod ssh_askpass;
mod ssh_words;

pub(super) use face::{Face, called};
pub(super) use ssh_askpass::answer;
