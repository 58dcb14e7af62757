use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use crate::fanout::Feed;

use super::Exit;
use super::exit::complain;

/// What stdin has for every host; nothing where it is a terminal. What never says anything and never ends, as the stdin of
/// some CI jobs, holds up only who reads it.
pub(super) fn for_hosts() -> Result<Option<Feed>, Exit> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Ok(None);
    }
    let feed = stdin.as_fd().try_clone_to_owned().and_then(|stdin| Feed::of(File::from(stdin)));
    feed.map(Some).map_err(|error| complain(Exit::Local, &format!("cannot read stdin for the hosts: {error}")))
}
