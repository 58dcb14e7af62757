//! The engine over hosts whose scripts the local `/bin/sh` runs.

mod actions;
mod asking;
mod driving;
mod shell_host;
