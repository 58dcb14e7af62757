use std::io::{self, Write};
use std::panic;

use crate::base::{printable, redact};

/// Makes a panic say what it is: a bug in kfleet, not something that the person at the keyboard did.
pub(super) fn install() {
    let with_backtrace = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let what =
            payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let place = info.location().map(|place| format!(", at {place}")).unwrap_or_default();
        let line = printable(&redact(what.unwrap_or("no reason given")));
        let _ = writeln!(io::stderr(), "kfleet: this is a bug in kfleet{place}: {line}; please report it");
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            with_backtrace(info);
        }
    }));
}
