use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::fleet::Fleet;

/// A program at a terminal, and somebody who types.
pub struct Terminal {
    process: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<Vec<u8>>>,
    seen: usize,
}

impl Terminal {
    /// `None`, said on stdout, where there is no `script` to make one.
    pub fn start(fleet: &Fleet, arguments: &[&str]) -> Option<Self> {
        let kfleet = fleet.kfleet(arguments);
        let words = std::iter::once(kfleet.get_program()).chain(kfleet.get_args());
        let line: Vec<String> =
            words.map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''"))).collect();
        let mut script = Command::new("script");
        script.args(["-q", "-e", "-c", &format!("exec {}", line.join(" ")), "/dev/null"]);
        script.env_clear().envs(kfleet.get_envs().filter_map(|(name, value)| Some((name, value?))));
        script.env("TERM", "xterm").env("SHELL", "/bin/sh").current_dir(fleet.path(""));
        let Ok(mut process) = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
            println!("left out: there is no `script` on this machine");
            return None;
        };
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (mut from, to) = (process.stdout.take().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut piece) {
                to.lock().unwrap().extend_from_slice(&piece[..count]);
            }
        });
        let keyboard = process.stdin.take().unwrap();
        Some(Self { process, keyboard, screen, seen: 0 })
    }

    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits for this text behind all that was waited for before; gives what came up to its end.
    pub fn sees(&mut self, text: &str) -> String {
        let started = Instant::now();
        loop {
            let screen = self.screen.lock().unwrap().clone();
            let new = String::from_utf8_lossy(&screen[self.seen..]).into_owned();
            if let Some(at) = new.find(text) {
                let end = at + text.len();
                self.seen += end;
                return new[..end].to_owned();
            }
            assert!(started.elapsed() < Duration::from_secs(60), "no {text:?} in {new:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end; gives all that was shown and the exit status.
    pub fn end(mut self) -> (Vec<u8>, Option<i32>) {
        let status = self.process.wait().unwrap().code();
        std::thread::sleep(Duration::from_millis(50));
        (self.screen.lock().unwrap().clone(), status)
    }
}

#[test]
fn nothing_that_a_host_writes_speaks_to_the_terminal() {
    let Some(fleet) = Fleet::start() else { return };
    let hostile =
        "printf '\\033]0;owned\\007a\\tb\\rc \\302\\2331m \\377\\n\\033[2J\\033[31mhalf'; printf '\\033[5mbad\\n' >&2";
    for shape in [&[][..], &["-N"], &["-b"], &["--diff"]] {
        let arguments = [&["run", "-n", "--hosts", "node[1-2]"][..], shape, &[hostile]].concat();
        let Some(terminal) = Terminal::start(&fleet, &arguments) else { return };
        let (screen, status) = terminal.end();
        assert_eq!(status, Some(0));
        let screen = String::from_utf8(screen).unwrap();
        // Our own colours are all that is there.
        let own = ["\x1b[31m", "\x1b[34m", "\x1b[0m"]
            .iter()
            .fold(screen.clone(), |screen, colour| screen.replace(colour, ""));
        let controls: Vec<char> = own.chars().filter(|c| c.is_control() && !"\r\n\t".contains(*c)).collect();
        assert!(controls.is_empty(), "{shape:?}: {screen:?}");
        assert!(!own.replace("\r\n", "").contains('\r'), "{screen:?}");
        if shape == ["-N"] {
            assert!(
                screen.contains("]0;owneda\tbc 1m \u{fffd}\r\n") && screen.contains("[2J[31mhalf\r\n"),
                "{screen:?}"
            );
        }
        if shape.is_empty() {
            assert!(
                screen.contains("\x1b[34mnode1: \x1b[0m]0;owneda") && screen.contains("\x1b[31mnode1: \x1b[0m[5mbad"),
                "{screen:?}"
            );
        }
    }
}
