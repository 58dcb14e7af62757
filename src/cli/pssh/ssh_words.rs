use std::path::PathBuf;

use super::entry::Entry;
use crate::inventory::ConfigFile;

/// Whose arguments -x and -X are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Ssh,
    Scp,
}

/// What -O, -x and -X ask of ssh or scp, as far as kfleet can do it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SshWords {
    /// `-F`
    pub(super) config: Option<ConfigFile>,
    /// As behind `-o`; of two that say the same, the first holds.
    pub(super) options: Vec<String>,
    /// Who logs in where neither an option before them nor the host's entry says it.
    pub(super) user: Option<String>,
    /// The same of the port.
    pub(super) port: Option<String>,
    /// ssh's `-q`: nothing is told of why it failed.
    pub(super) quiet: bool,
    /// scp's `-r`
    pub(super) recursive: bool,
}

/// Options of ssh_config that are done as ssh does them.
const DONE: [&str; 28] = [
    "addressfamily",
    "bindaddress",
    "certificatefile",
    "challengeresponseauthentication",
    "connecttimeout",
    "globalknownhostsfile",
    "hashknownhosts",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "kbdinteractiveauthentication",
    "passwordauthentication",
    "port",
    "preferredauthentications",
    "proxycommand",
    "proxyjump",
    "pubkeyauthentication",
    "sendenv",
    "serveralivecountmax",
    "serveraliveinterval",
    "setenv",
    "stricthostkeychecking",
    "tcpkeepalive",
    "user",
    "userknownhostsfile",
    "batchmode",
];

/// Options that say what kfleet does anyway, by what they say of it; `*` is anything, of what changes nothing for the command.
const SO_ANYWAY: [(&str, &str); 21] = [
    ("addkeystoagent", "no"),
    ("canonicalizehostname", "no"),
    ("checkhostip", "*"),
    ("clearallforwardings", "*"),
    ("compression", "*"),
    ("controlmaster", "*"),
    ("controlpath", "*"),
    ("controlpersist", "*"),
    ("escapechar", "*"),
    ("forwardagent", "no"),
    ("forwardx11", "no"),
    ("forwardx11trusted", "*"),
    ("gssapiauthentication", "no"),
    ("gssapidelegatecredentials", "no"),
    ("hostbasedauthentication", "no"),
    ("loglevel", "*"),
    ("numberofpasswordprompts", "1"),
    ("permitlocalcommand", "no"),
    ("requesttty", "no"),
    ("updatehostkeys", "no"),
    ("visualhostkey", "no"),
];

impl SshWords {
    /// Reads `options`, of -O, and `extra`, of -x and -X, which come after them.
    ///
    /// # Errors
    /// The first that cannot be done.
    pub(super) fn read(options: &[String], extra: &[String], of: Of) -> Result<Self, String> {
        let mut words = Self::default();
        for option in options {
            words.options.push(checked(option, "-O")?);
        }
        let mut rest = extra.iter();
        while let Some(word) = rest.next() {
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                return Err(format!("-x: `{word}` is no option"));
            };
            for (place, letter) in letters.char_indices() {
                let behind = &letters[place + letter.len_utf8()..];
                if words.switch(letter, of) {
                    continue;
                }
                let value = || if behind.is_empty() { rest.next().map(String::as_str) } else { Some(behind) };
                words.take(letter, of, value)?;
                break;
            }
        }
        Ok(words)
    }

    /// Whether it is a switch, which is taken then.
    fn switch(&mut self, letter: char, of: Of) -> bool {
        match (of, letter) {
            (_, '4') => self.options.push("AddressFamily=inet".to_owned()),
            (_, '6') => self.options.push("AddressFamily=inet6".to_owned()),
            (Of::Ssh, 'q') => self.quiet = true,
            (Of::Scp, 'r') => self.recursive = true,
            // No terminal, no X11, no agent, no tickets: nothing of it is ever handed on. Without pssh's -I there is no input.
            (Of::Ssh, 'T' | 'x' | 'a' | 'k' | 'n') => {}
            // Nothing is compressed, which changes no result, and there is no more to tell.
            (_, 'C' | 'v') => {}
            // pssh's scp is quiet already; nobody is asked, and of scp's two protocols neither is used.
            (Of::Scp, 'q' | 'B' | 'T' | 'O' | 's') => {}
            _ => return false,
        }
        true
    }

    /// Takes an option that has a value.
    fn take<'a>(&mut self, letter: char, of: Of, value: impl FnOnce() -> Option<&'a str>) -> Result<(), String> {
        let known = match of {
            Of::Ssh => "FJbilop",
            Of::Scp => "FJioP",
        };
        let name = if of == Of::Ssh { "ssh" } else { "scp" };
        if !known.contains(letter) {
            return Err(format!("-x: {name}'s -{letter} cannot be done by kfleet"));
        }
        let value = value().ok_or_else(|| format!("-x: {name}'s -{letter} wants a value"))?;
        match letter {
            'F' if value == "none" => self.config = Some(ConfigFile::Nothing),
            'F' => self.config = Some(ConfigFile::At(PathBuf::from(value))),
            'J' => self.options.push(format!("ProxyJump={value}")),
            'b' => self.options.push(format!("BindAddress={value}")),
            'i' => self.options.push(format!("IdentityFile=\"{value}\"")),
            'l' => set(&mut self.user, value),
            'p' | 'P' => set(&mut self.port, value),
            _ => {
                let option = checked(value, "-x: -o")?;
                match split(&option) {
                    (name, value) if name == "user" => set(&mut self.user, value),
                    (name, value) if name == "port" => set(&mut self.port, value),
                    _ => self.options.push(option),
                }
            }
        }
        Ok(())
    }

    /// Who logs in to a host and by which port, where its entry and `default_user` or else these words say it.
    pub(super) fn login(&self, entry: &Entry, default_user: Option<&String>) -> (Option<String>, Option<String>) {
        let user = entry.user.as_ref().or(default_user).or(self.user.as_ref());
        (user.cloned(), entry.port.as_ref().or(self.port.as_ref()).cloned())
    }
}

/// Of two that say the same, the first holds.
fn set(place: &mut Option<String>, value: &str) {
    place.get_or_insert_with(|| value.to_owned());
}

/// The option, where kfleet does what it says.
fn checked(option: &str, of: &str) -> Result<String, String> {
    let (name, value) = split(option);
    let same = |said: &&(&str, &str)| said.0 == name && (said.1 == "*" || said.1 == value.to_ascii_lowercase());
    if DONE.contains(&name.as_str()) || SO_ANYWAY.iter().any(|said| same(&said)) {
        return Ok(option.to_owned());
    }
    Err(format!("{of} {option}: kfleet cannot do that"))
}

/// `Name=value` or `Name value`, the name in lower case.
fn split(option: &str) -> (String, &str) {
    let option = option.trim();
    let end = option.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(option.len());
    let value = option[end..].trim_start();
    let value = value.strip_prefix('=').unwrap_or(value).trim();
    (option[..end].to_ascii_lowercase(), value)
}

#[cfg(test)]
mod tests {
    use super::{Of, SshWords};
    use crate::cli::pssh::entry;
    use crate::inventory::ConfigFile;

    fn read(options: &[&str], extra: &[&str]) -> Result<SshWords, String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        SshWords::read(&owned(options), &owned(extra), Of::Ssh)
    }

    #[test]
    fn words_are_those_of_ssh() {
        let words = read(
            &["Port 2222", "ConnectTimeout=5"],
            &["-Fconfig", "-4Tqi", "my id", "-o", "ProxyJump=a", "-lroot", "-l", "other", "-o", "port = 1", "-J", "b"],
        )
        .unwrap();
        assert_eq!(words.config, Some(ConfigFile::At("config".into())));
        assert_eq!(
            words.options,
            [
                "Port 2222",
                "ConnectTimeout=5",
                "AddressFamily=inet",
                "IdentityFile=\"my id\"",
                "ProxyJump=a",
                "ProxyJump=b"
            ]
        );
        assert!(words.quiet);
        let login =
            |text: &str, user: Option<&str>| words.login(&entry::words(text)[0], user.map(str::to_owned).as_ref());
        assert_eq!(login("h", None), (Some("root".to_owned()), Some("1".to_owned())));
        assert_eq!(login("a@h:7", Some("b")), (Some("a".to_owned()), Some("7".to_owned())));
        assert_eq!(login("h", Some("b")).0.as_deref(), Some("b"));
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for (options, extra) in [
            (&["ForwardAgent=yes"][..], &[][..]),
            (&["RemoteCommand=x"], &[]),
            (&["Nonsense=1"], &[]),
            (&[], &["-t"]),
            (&[], &["-tt"]),
            (&[], &["-qA"]),
            (&[], &["-L", "1:h:2"]),
            (&[], &["-o", "ForwardX11=yes"]),
            (&[], &["word"]),
            (&[], &["-"]),
            (&[], &["-p"]),
        ] {
            assert!(read(options, extra).is_err(), "{options:?} {extra:?}");
        }
        let scp = |word: &str| SshWords::read(&[], &[word.to_owned()], Of::Scp);
        assert!(scp("-p").is_err() && scp("-l100").is_err() && scp("-n").is_err());
        let words = scp("-rqCvP22").unwrap();
        assert_eq!((words.recursive, words.port.as_deref()), (true, Some("22")));
        assert!(read(&["ForwardAgent no", "LogLevel=DEBUG"], &["-x", "-a", "-k", "-T", "-n", "-C", "-vvv"]).is_ok());
        for option in
            ["PasswordAuthentication=no", "PreferredAuthentications publickey", "SendEnv=LANG", "HashKnownHosts yes"]
        {
            assert!(read(&[option], &[]).is_ok(), "{option}");
        }
    }
}
