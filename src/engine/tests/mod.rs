//! The engine over hosts whose scripts the local `/bin/sh` runs.

mod actions;
mod asking;
mod driving;
mod job;
mod lock;
mod lock_script;
mod shell_host;
