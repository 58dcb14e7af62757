/// Whether `ssh` may be asked about a host or a user of this name: a `Match exec` or a `ProxyCommand` may hand it to a shell.
/// OpenSSH has had this rule itself since 9.6.
pub(super) fn is_harmless(name: &str) -> bool {
    let harmful = |c: char| c.is_control() || c.is_whitespace() || "'`\"$\\;&<>|(){}".contains(c);
    !name.is_empty() && !name.starts_with('-') && !name.contains(harmful)
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
        let all_harmless = is_harmless(host) && user.as_deref().is_none_or(is_harmless);
        all_harmless.then(|| Self { host: host.to_owned(), user, port })
    }
}

#[cfg(test)]
mod tests {
    use super::JumpHost;

    #[test]
    fn jump_hosts_are_read_as_ssh_writes_them() {
        for (text, user, host, port) in [
            ("bastion", None, "bastion", None),
            ("ops@bastion:2222", Some("ops"), "bastion", Some(2222)),
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
