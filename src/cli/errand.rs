use futures::StreamExt;
use futures::stream::once;
use secrecy::SecretString;

use crate::host::{Input, Program, Request, User};

use super::remote_script::RemoteScript;

/// What is run on every host.
pub(super) enum Errand {
    /// A command line, by the login shell of the user that logs in.
    Line(String),
    /// A command line, by root's `/bin/sh`.
    RootLine(String),
    /// A file of this machine.
    Script(RemoteScript, User),
}

impl Errand {
    /// What one host is asked, with this to read on stdin.
    pub(super) fn request(&self, input: Option<Input>) -> Request {
        match self {
            Self::Line(line) => Request { input, ..Request::line(line) },
            Self::RootLine(line) => script(line.as_str().into(), User::Root, input),
            Self::Script(file, user) => {
                let body = file.body();
                let body = once(async move { body });
                let input: Input = match input {
                    Some(input) => body.chain(input).boxed(),
                    None => body.boxed(),
                };
                script(file.runner().into(), *user, Some(input))
            }
        }
    }
}

fn script(text: SecretString, user: User, input: Option<Input>) -> Request {
    Request { program: Program::Script { text, user }, input, environment: Vec::new(), deadline: None }
}
