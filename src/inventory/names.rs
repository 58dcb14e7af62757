//! What names in an inventory may look like: most of them end up in files of a host or in a shell there.

use super::problem::Complaint;
use crate::base::dotted_sysctl;

/// A DNS name in lower case, as RFC 1123 has it and Kubernetes wants its nodes: at most 253 bytes, labels of at most 63.
pub(super) fn dns_name(text: &str) -> Result<String, Complaint> {
    if text.is_empty() {
        return Err(Complaint::new("an empty name"));
    }
    let fitting = text.to_ascii_lowercase().replace(['_', ' '], "-");
    let such_as = || if dns_name(&fitting).is_ok() { format!(", as in `{fitting}`") } else { String::new() };
    for (at, c) in text.char_indices() {
        let within = at..at + c.len_utf8();
        match c {
            'a'..='z' | '0'..='9' | '-' | '.' => {}
            'A'..='Z' => {
                return Err(Complaint::new("a name has no capital letters")
                    .hint(format!("Kubernetes takes lower case only{}", such_as()))
                    .within(within));
            }
            '_' => {
                return Err(Complaint::new("a DNS name has no `_`")
                    .hint(format!("a `-` may stand there{}", such_as()))
                    .within(within));
            }
            c => return Err(refused(c, "a name", "letters a-z, digits, `-` and `.`").within(within)),
        }
    }
    if text.len() > 253 {
        return Err(Complaint::new(format!("a name of {} bytes, the longest DNS name has 253", text.len())));
    }
    for label in text.split('.') {
        if label.is_empty() {
            return Err(Complaint::new(format!("`{text}` has a dot too many")));
        }
        if label.len() > 63 {
            return Err(Complaint::new(format!(
                "a part of {} bytes, between dots a DNS name has at most 63",
                label.len()
            )));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(Complaint::new(format!("`{label}` begins or ends with `-`")));
        }
    }
    // A resolver takes `10.0.0.300`, and `5` too, for an address.
    if text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err(Complaint::new(format!("`{text}` reads as an address, not as a name"))
            .hint("a name needs a letter in its last part"));
    }
    Ok(text.to_owned())
}

/// Who logs in, in a domain of Windows as `DOMAIN\user`.
pub(super) fn user(text: &str) -> Result<String, Complaint> {
    let allowed = "letters, digits, `.`, `_`, `-`, `+`, `@` and `\\`";
    let user = word(text, "a user's name", allowed, 256, |c| ".-_+@\\".contains(c))?;
    match user.ends_with('\\') {
        true => Err(Complaint::new("a user's name does not end with `\\`").within(text.len() - 1..text.len())),
        false => Ok(user),
    }
}

/// A jump host as `[user@]host[:port]`, where the host may be one of ssh_config's; an IPv6 address with a port is in brackets.
pub(super) fn jump(text: &str) -> Result<String, Complaint> {
    let hint = "such as \"bastion\", \"ops@bastion.example:2222\" or \"[fd00::1]:22\"; several are a list";
    let (who, rest) = text.rsplit_once('@').map_or((None, text), |(who, rest)| (Some(who), rest));
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, _)) if host.contains(':') && !host.ends_with(']') => (rest, None),
        // `[::1]` itself.
        Some((_, port)) if port.contains(']') => (rest, None),
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Some(who) = who {
        user(who).map_err(|complaint| Complaint { within: None, ..complaint }.hint(hint))?;
    }
    if host.parse::<std::net::Ipv6Addr>().is_err() {
        word(host, "a jump host", "letters, digits, `.`, `_` and `-`", 253, |c| "._-".contains(c))
            .map_err(|complaint| Complaint { within: None, ..complaint }.hint(hint))?;
    }
    match port.map(str::parse::<u16>) {
        None | Some(Ok(1..)) => Ok(text.to_owned()),
        Some(_) => Err(Complaint::new(format!("`{text}` does not end in a port")).hint(hint)),
    }
}

/// A group of hosts.
pub(super) fn group(text: &str) -> Result<String, Complaint> {
    word(text, "a group's name", "letters, digits, `.`, `_` and `-`", 63, |c| ".-_".contains(c))
}

/// The name of a host's variable.
pub(super) fn variable(text: &str) -> Result<String, Complaint> {
    word(text, "a variable's name", "letters, digits, `_` and `-`", 63, |c| "_-".contains(c))
}

/// A free value that has a line for itself at most.
pub(super) fn line(text: &str) -> Result<String, Complaint> {
    match text.char_indices().find(|(_, c)| c.is_control()) {
        Some((at, c)) => {
            Err(Complaint::new(format!("the invisible character U+{:04X} cannot be in a value", u32::from(c)))
                .hint("a value is one line of visible text")
                .within(at..at + c.len_utf8()))
        }
        None => Ok(text.to_owned()),
    }
}

/// A network interface; the kernel allows 15 bytes.
pub(super) fn interface(text: &str) -> Result<String, Complaint> {
    word(text, "an interface's name", "letters, digits, `.`, `_`, `-`, `@` and `:`", 15, |c| "._-@:".contains(c))
}

/// A zone of firewalld, which allows 17 bytes.
pub(super) fn zone(text: &str) -> Result<String, Complaint> {
    word(text, "a zone's name", "letters, digits, `_`, `-` and `/`", 17, |c| "_-/".contains(c))
}

/// A kernel module.
pub(super) fn module(text: &str) -> Result<String, Complaint> {
    word(text, "a module's name", "letters, digits, `_` and `-`", 63, |c| "_-".contains(c))
}

/// One of kubeadm's preflight checks, as `Swap` or `DirAvailable--var-lib-etcd`.
pub(super) fn preflight_check(text: &str) -> Result<String, Complaint> {
    word(text, "a preflight check's name", "letters, digits, `.`, `_` and `-`", 253, |c| "._-".contains(c))
}

/// An image or where images come from, as `registry.local:5000/flannel:v0.28.9`.
pub(super) fn image(text: &str) -> Result<String, Complaint> {
    word(text, "an image's name", "letters, digits, `.`, `_`, `-`, `/`, `:` and `@`", 512, |c| "._-/:@".contains(c))
}

/// The runtime's socket, as `unix:///run/containerd/containerd.sock` or the path alone.
pub(super) fn socket(text: &str) -> Result<String, Complaint> {
    if !text.strip_prefix("unix://").unwrap_or(text).starts_with('/') {
        return Err(Complaint::new(format!("`{text}` is not a socket's path"))
            .hint("such as unix:///run/containerd/containerd.sock"));
    }
    word(text, "a socket's path", "letters, digits, `.`, `_`, `-`, `/` and `:`", 255, |c| "._-/:".contains(c))
}

/// A sysctl in its dotted form; `net/ipv4/ip_forward` is the same key in the kernel's own form.
pub(super) fn sysctl(text: &str) -> Result<String, Complaint> {
    let key = word(text, "a sysctl's name", "letters, digits, `.`, `_`, `-` and `/`", 255, |c| "._-/".contains(c))?;
    let key = dotted_sysctl(&key);
    if !key.contains('.') || key.split('.').any(|part| part.is_empty() || part == "/" || part == "//") {
        return Err(Complaint::new(format!("`{text}` is not a sysctl")).hint("such as \"net.ipv4.ip_forward\""));
    }
    Ok(key)
}

/// A word of letters, digits and `more` that begins with none that an option begins with.
fn word(
    text: &str,
    what: &str,
    allowed: &str,
    longest: usize,
    more: impl Fn(char) -> bool,
) -> Result<String, Complaint> {
    if text.is_empty() {
        return Err(Complaint::new(format!("{what} is empty")));
    }
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !c.is_ascii_alphanumeric() && !more(*c)) {
        return Err(refused(c, what, allowed).within(at..at + c.len_utf8()));
    }
    if text.starts_with('-') {
        return Err(Complaint::new(format!("{what} does not begin with `-`")).within(0..1));
    }
    if text.len() > longest {
        return Err(Complaint::new(format!("{} bytes are too long for {what}, {longest} are the most", text.len())));
    }
    Ok(text.to_owned())
}

fn refused(c: char, what: &str, allowed: &str) -> Complaint {
    let found = if c.is_control() || c.is_whitespace() && c != ' ' || ('\u{200b}'..='\u{206f}').contains(&c) {
        format!("the invisible character U+{:04X}", u32::from(c))
    } else if c == ' ' {
        "a blank".to_owned()
    } else if c == '`' {
        "a backtick".to_owned()
    } else {
        format!("`{c}`")
    };
    Complaint::new(format!("{found} cannot be in {what}")).hint(format!("allowed are {allowed}"))
}

#[cfg(test)]
mod tests {
    use super::{dns_name, interface, sysctl, user};

    #[test]
    fn names_of_hosts_are_told_from_others() {
        for good in ["node1", "kubemaster-1", "a.b-c.example", "1node", "x"] {
            assert_eq!(dns_name(good).as_deref(), Ok(good));
        }
        for bad in
            ["", "Node", "a_b", "a..b", ".a", "a.", "-a", "a-", "10.0.0.1", "5", "a b", "a;b", "é", "a\u{1b}[31m"]
        {
            assert!(dns_name(bad).is_err(), "{bad:?}");
        }
        assert!(dns_name(&"a".repeat(64)).is_err());
        assert!(dns_name(&["a"; 127].join(".")).is_ok() && dns_name(&["a"; 128].join(".")).is_err());
    }

    #[test]
    fn no_name_is_an_option_or_a_second_command() {
        for bad in ["-o", "-oProxyCommand=x", "root;id", "$(id)", "`id`", "a|b", "a\nb", "a'b", "a\\"] {
            assert!(user(bad).is_err() && interface(bad).is_err(), "{bad:?}");
        }
        for good in ["jdoe@corp.example", "CORP\\jdoe"] {
            assert_eq!(user(good).as_deref(), Ok(good));
        }
    }

    #[test]
    fn sysctls_have_one_form() {
        for (text, key) in [
            ("net.ipv4.ip_forward", "net.ipv4.ip_forward"),
            ("net/ipv4/ip_forward", "net.ipv4.ip_forward"),
            ("net/ipv4/conf/eth0.100/rp_filter", "net.ipv4.conf.eth0/100.rp_filter"),
            ("net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.conf.eth0/100.rp_filter"),
        ] {
            assert_eq!(sysctl(text).as_deref(), Ok(key));
        }
        for bad in ["ip_forward", "net..ip", ".net.a", "net.a.", "net/../a", "net.//.a", "net.a b"] {
            assert!(sysctl(bad).is_err(), "{bad}");
        }
    }
}
