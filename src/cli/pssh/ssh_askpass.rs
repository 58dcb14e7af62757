use std::env;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

/// Tells kfleet, where ssh runs it, which socket has the password.
const SOCKET: &str = "KFLEET_ASKPASS_SOCKET";

/// Has a password for every ssh that is run with its environment. They run kfleet to ask for it, as OpenSSH does from 8.4 on; it comes by
/// a socket that only this user can reach, and is in no argument, variable or file.
pub(super) struct SshAskpass {
    directory: TempDir,
    serving: JoinHandle<()>,
}

impl SshAskpass {
    /// Must be called within a runtime.
    pub(super) fn new(password: SecretString) -> io::Result<Self> {
        let directory = TempDir::new()?;
        let listener = UnixListener::bind(directory.path().join("socket"))?;
        let serving = tokio::spawn(async move {
            while let Ok((mut asking, _)) = listener.accept().await {
                // Who has gone away asks no more.
                let _ = asking.write_all(password.expose_secret().as_bytes()).await;
            }
        });
        Ok(Self { directory, serving })
    }

    pub(super) fn environment(&self) -> io::Result<[(&'static str, OsString); 3]> {
        Ok([
            ("SSH_ASKPASS", env::current_exe()?.into()),
            ("SSH_ASKPASS_REQUIRE", "force".into()),
            (SOCKET, self.directory.path().join("socket").into()),
        ])
    }
}

impl Drop for SshAskpass {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Answers ssh, where it is ssh that runs this program.
pub(in crate::cli) fn answer() -> Option<ExitCode> {
    let socket = env::var_os(SOCKET)?;
    let asked = env::args().nth(1)?;
    // Whether a host's key is to be trusted is no question of a password.
    if asked.contains("(yes/no") {
        return Some(ExitCode::FAILURE);
    }
    let mut password = Vec::new();
    let told = UnixStream::connect(socket).and_then(|mut socket| socket.read_to_end(&mut password));
    let password = SecretString::from(String::from_utf8(password).ok()?);
    let told = told.and_then(|_| writeln!(io::stdout(), "{}", password.expose_secret()));
    Some(told.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
}
