use std::collections::BTreeMap;

use super::answer::Answer;

/// What ssh_config may say, kfleet does not do, and somebody may count on. What only changes how `ssh` looks, or how it would
/// share connections, is not here; nor are most algorithms, for which kfleet has an order of its own.
const UNHONOURED: [(&str, &str); 14] = [
    ("bindinterface", "BindInterface"),
    ("connectionattempts", "ConnectionAttempts"),
    ("forwardagent", "ForwardAgent"),
    ("hostbasedauthentication", "HostbasedAuthentication"),
    ("hostkeyalgorithms", "HostKeyAlgorithms"),
    ("knownhostscommand", "KnownHostsCommand"),
    ("nohostauthenticationforlocalhost", "NoHostAuthenticationForLocalhost"),
    ("permitlocalcommand", "PermitLocalCommand"),
    ("pkcs11provider", "PKCS11Provider"),
    ("proxyusefdpass", "ProxyUseFdpass"),
    ("remotecommand", "RemoteCommand"),
    ("securitykeyprovider", "SecurityKeyProvider"),
    ("tunnel", "Tunnel"),
    ("verifyhostkeydns", "VerifyHostKeyDNS"),
];

/// What is said of hosts and not done, to be told once and not once a host.
#[derive(Debug, Default)]
pub(super) struct Unhonoured {
    hosts: BTreeMap<&'static str, Vec<String>>,
}

impl Unhonoured {
    /// Takes note of what `answer` says of a host, beyond what `ssh` does by itself.
    pub(super) fn note(&mut self, host: &str, answer: &Answer, defaults: &Answer) {
        for (keyword, shown) in UNHONOURED {
            if answer.all(keyword) != defaults.all(keyword) {
                let hosts = self.hosts.entry(shown).or_default();
                if !hosts.iter().any(|known| known == host) {
                    hosts.push(host.to_owned());
                }
            }
        }
    }

    /// One line of all of it.
    pub(super) fn told(&self) -> Option<String> {
        let option = |(shown, hosts): (&&str, &Vec<String>)| match hosts.as_slice() {
            [host] => format!("{shown} (for {host})"),
            [host, more @ ..] => format!("{shown} (for {host} and {} more)", more.len()),
            [] => (*shown).to_owned(),
        };
        let options: Vec<String> = self.hosts.iter().map(option).collect();
        (!options.is_empty()).then(|| format!("ssh_config has options that kfleet passes over: {}", options.join(", ")))
    }
}
