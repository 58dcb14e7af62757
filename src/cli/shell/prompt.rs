use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, BufRead, IsTerminal};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};

/// Where lines come from: a person at a terminal, with a history, or stdin.
pub(super) enum Prompt {
    /// A person.
    Terminal(Box<DefaultEditor>, Option<PathBuf>),
    /// Whatever stdin is; how many lines were read of it.
    Stdin(usize),
}

/// What came.
pub(super) enum Line {
    /// A line without its end.
    Text(String),
    /// Ctrl-C: the line that was begun is none.
    Dropped,
    /// No more lines.
    End,
}

impl Prompt {
    const HISTORY: usize = 10_000;

    /// On stdin; the lines of a person are kept in `history`, for their eyes only.
    ///
    /// # Errors
    /// When the terminal is none that lines can be edited on.
    pub(super) fn new(history: Option<PathBuf>) -> io::Result<Self> {
        if !io::stdin().is_terminal() {
            return Ok(Self::Stdin(0));
        }
        let config = Config::builder().max_history_size(Self::HISTORY).map_err(io::Error::other)?;
        let config = config.history_ignore_space(true).auto_add_history(true).build();
        let mut editor = DefaultEditor::with_config(config).map_err(io::Error::other)?;
        let history = history.filter(|file| prepared(file).is_ok());
        if let Some(file) = &history {
            // A history that cannot be read is begun anew.
            let _ = editor.load_history(file);
        }
        Ok(Self::Terminal(Box::new(editor), history))
    }

    /// Whether a person types the lines.
    pub(super) fn is_personal(&self) -> bool {
        matches!(self, Self::Terminal(..))
    }

    /// Waits for the next line; blocks.
    ///
    /// # Errors
    /// When there can be none, because reading fails.
    pub(super) fn read(&mut self, prompt: &str) -> io::Result<Line> {
        match self {
            Self::Terminal(editor, history) => match editor.readline(prompt) {
                Ok(line) => {
                    if let Some(file) = history {
                        // The shell goes on without.
                        let _ = editor.append_history(file);
                    }
                    Ok(Line::Text(line))
                }
                Err(ReadlineError::Interrupted) => Ok(Line::Dropped),
                Err(ReadlineError::Eof) => Ok(Line::End),
                Err(error) => Err(io::Error::other(error)),
            },
            Self::Stdin(number) => {
                let mut line = Vec::new();
                if io::stdin().lock().read_until(b'\n', &mut line)? == 0 {
                    return Ok(Line::End);
                }
                *number += 1;
                let text = String::from_utf8(line);
                text.map(Line::Text).map_err(|_| io::Error::other(format!("line {number} of stdin is not UTF-8")))
            }
        }
    }
}

/// Makes the file, 0600, where it is not there.
fn prepared(file: &std::path::Path) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(drop)
}

/// How the terminal behind stdin was set, to be set so again by who leaves while a line is edited.
pub(super) struct Modes(Option<Termios>);

impl Modes {
    pub(super) fn now() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }

    pub(super) fn restore(&self) {
        if let Some(modes) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, modes);
        }
    }
}
