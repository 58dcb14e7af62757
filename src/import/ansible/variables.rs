use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::found::{Found, Given, Notes, Place};

/// What is said of a host or a group, by name.
pub(super) type Variables = BTreeMap<String, Setting>;

/// A variable's value.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// `None` where it is a list, a table or nothing at all.
    text: Option<String>,
    at: Place,
}

impl Setting {
    /// Of YAML, where one value is told from several.
    pub(super) fn new(text: Option<String>, at: Place) -> Self {
        Self { text, at }
    }

    /// Of INI, where a value is a Python literal if it can be one.
    pub(super) fn literal(text: &str, at: &Place) -> Self {
        let unquoted = ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
        let several = (text.starts_with('[') && text.ends_with(']')) || (text.starts_with('{') && text.ends_with('}'));
        let template = text.starts_with("{{") || text.starts_with("{%");
        let text = (!several || template).then(|| unquoted.unwrap_or(text).to_owned());
        Self { text, at: at.clone() }
    }
}

/// Puts what is said of a host where kfleet has it; `None` where it is no host for SSH.
///
/// `kubernetes` tells that the inventory is one of a cluster, where `ip` is the address within it.
pub(super) fn apply(mut host: Found, said: Variables, kubernetes: bool, notes: &mut Notes) -> Option<Found> {
    for (name, Setting { text, at }) in said {
        if is_secret(&name, text.as_deref()) {
            notes.say(&at, format!("`{name}` is left out: a secret has no place in an inventory"));
            continue;
        }
        let Some(text) = text else {
            notes.say(&at, format!("`{name}` is left out: a variable of an inventory is one value"));
            continue;
        };
        if text.contains("{{") || text.contains("{%") {
            notes.say(&at, format!("`{name}` is left out: it is a template"));
            if matches!(name.as_str(), "ansible_host" | "ansible_ssh_host") {
                notes.say(&host.name.at, format!("`{}` is left out: its address is a template", host.name.text));
                return None;
            }
            continue;
        }
        let given = Given { text, at };
        match name.as_str() {
            "ansible_host" | "ansible_ssh_host" => host.address = Some(given),
            "ansible_user" | "ansible_ssh_user" => host.user = Some(given),
            "ansible_port" | "ansible_ssh_port" => host.port = Some(given),
            "ansible_private_key_file" | "ansible_ssh_private_key_file" => {
                if !given.text.starts_with(['/', '~']) {
                    let text = "a relative path of a key begins at the inventory, no longer where Ansible is called";
                    notes.say(&given.at, text);
                }
                host.identities = vec![given];
            }
            "ansible_connection" if !matches!(given.text.as_str(), "ssh" | "smart" | "paramiko" | "paramiko_ssh") => {
                let (name, connection) = (&host.name.text, given.text);
                notes.say(
                    &host.name.at,
                    format!("`{name}` is left out: it is not reached by SSH but by `{connection}`"),
                );
                return None;
            }
            "ansible_ssh_common_args" | "ansible_ssh_extra_args" | "ansible_ssh_args" => {
                arguments(&mut host, &name, given, notes)
            }
            "ansible_become" => {
                notes.say(
                    &given.at,
                    "`ansible_become` is left out: `kfleet run --sudo` says it, and `kfleet up` does it anyway",
                );
            }
            _ if name.starts_with("ansible_") => {
                notes.say(&given.at, format!("`{name}` is left out: it is for Ansible alone"));
            }
            _ => drop(host.variables.insert(name, given)),
        }
    }
    if kubernetes {
        node_ip(&mut host);
    }
    Some(host)
}

/// Kubespray's `ip`: where Kubernetes' own services listen, and what the kubelet registers by.
fn node_ip(host: &mut Found) {
    let address = host.address.as_ref().unwrap_or(&host.name);
    let ip = host.variables.get("ip").filter(|ip| ip.text != address.text && ip.text.parse::<IpAddr>().is_ok());
    host.node_ip = ip.cloned();
}

/// ssh's own options: of a jump host a comment stays.
fn arguments(host: &mut Found, name: &str, given: Given, notes: &mut Notes) {
    let words = shlex::split(&given.text).unwrap_or_default();
    let jump = words.iter().enumerate().find_map(|(at, word)| {
        let behind = |option: &str| match word.strip_prefix(option)? {
            "" => words.get(at + 1).cloned(),
            attached => Some(attached.to_owned()),
        };
        let option = behind("-o").unwrap_or_else(|| word.clone());
        let of =
            |keyword: &str| option.strip_prefix(keyword).map(|rest| rest.trim_start_matches(['=', ' ']).to_owned());
        behind("-J").or_else(|| of("ProxyJump")).or_else(|| of("ProxyCommand"))
    });
    match jump {
        Some(jump) => {
            host.through =
                Some(format!("Reached through {jump}: say so in ~/.ssh/config (ProxyJump), which kfleet reads."));
            notes.say(
                &given.at,
                format!("the way through `{jump}` is a comment only: say it in ~/.ssh/config, which kfleet reads"),
            );
        }
        None => notes
            .say(&given.at, format!("`{name}` is left out: options of ssh go into ~/.ssh/config, which kfleet reads")),
    }
}

/// Whether it is a password, a key or a token by its name, or Ansible keeps it encrypted.
fn is_secret(name: &str, value: Option<&str>) -> bool {
    let name = name.to_ascii_lowercase();
    let by_name = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "vault",
        "credential",
        "private_key",
        "api_key",
        "apikey",
    ];
    let path = name.ends_with("_file") || name.ends_with("_path") || name.ends_with("_dir");
    name.ends_with("_pass")
        || by_name.iter().any(|word| name.contains(word)) && !path
        || value
            .is_some_and(|value| value.trim_start().starts_with("$ANSIBLE_VAULT") || value.contains("PRIVATE KEY-----"))
}
