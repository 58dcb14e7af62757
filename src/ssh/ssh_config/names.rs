/// Whether `ssh` may be asked about a host of this name: a `Match exec` or a `ProxyCommand` may hand it to a shell.
/// OpenSSH has had this rule itself since 9.6.
pub(super) fn is_harmless(name: &str) -> bool {
    let harmful = |c: char| c.is_control() || c.is_whitespace() || "'`\"$\\;&<>|(){}".contains(c);
    !name.is_empty() && !name.starts_with('-') && !name.contains(harmful)
}

/// The same of a user: OpenSSH's rule for those allows `DOMAIN\user` and a blank, but no option behind one.
pub(super) fn is_harmless_user(name: &str) -> bool {
    let harmful = |c: char| c.is_control() || "'`\";&<>|(){}".contains(c);
    let hides_option =
        || name.char_indices().any(|(at, c)| c.is_whitespace() && name[at + c.len_utf8()..].starts_with('-'));
    let is_plain = !name.is_empty() && !name.starts_with('-') && !name.contains(harmful);
    is_plain && !name.ends_with('\\') && !hides_option()
}

/// A jump host as ssh_config writes it: `[user@]host[:port]`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JumpHost {
    pub(super) host: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
}

impl JumpHost {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, text),
        };
        let (host, port) = match rest.rsplit_once(':') {
            // An address of IPv6, with or without brackets, and no port.
            Some((before, behind)) if behind.contains(']') || before.contains(':') && !before.ends_with(']') => {
                (rest, None)
            }
            Some((before, behind)) => (before, Some(behind.parse().ok().filter(|port| *port != 0)?)),
            None => (rest, None),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let all_harmless = is_harmless(host) && user.as_deref().is_none_or(is_harmless_user);
        all_harmless.then(|| Self { host: host.to_owned(), user, port })
    }
}

#[cfg(test)]
mod tests {
    use super::{JumpHost, is_harmless, is_harmless_user};

    #[test]
    fn users_have_a_rule_of_their_own() {
        for (name, user, host) in [
            ("ops", true, true),
            ("ops@corp.example", true, true),
            ("CORP\\ops", true, false),
            ("CORP\\", false, false),
            ("HOST$", true, false),
            ("a b", true, false),
            ("a -oProxyCommand=id", false, false),
            ("-l", false, false),
            ("", false, false),
            ("a\nb", false, false),
            ("$(id)", false, false),
            ("`id`", false, false),
            ("a;id", false, false),
            ("a|id", false, false),
            ("a'b", false, false),
        ] {
            assert_eq!((is_harmless_user(name), is_harmless(name)), (user, host), "{name:?}");
        }
    }

    #[test]
    fn jump_hosts_are_read_as_ssh_writes_them() {
        for (text, user, host, port) in [
            ("bastion", None, "bastion", None),
            ("ops@bastion:2222", Some("ops"), "bastion", Some(2222)),
            ("CORP\\ops@bastion", Some("CORP\\ops"), "bastion", None),
            ("ops@corp@[10.0.0.1]:22", Some("ops@corp"), "10.0.0.1", Some(22)),
            ("[::1]:22", None, "::1", Some(22)),
            ("[fe80::1%eth0]", None, "fe80::1%eth0", None),
            ("fd00::2", None, "fd00::2", None),
        ] {
            let expected = JumpHost { host: host.to_owned(), user: user.map(str::to_owned), port };
            assert_eq!(JumpHost::parse(text), Some(expected), "{text}");
        }
        for bad in ["", "-oProxyCommand=x", "a:0", "a:ssh", "$(id)@a", "a;b", "a b", "-l@a"] {
            assert_eq!(JumpHost::parse(bad), None, "{bad}");
        }
    }
}
