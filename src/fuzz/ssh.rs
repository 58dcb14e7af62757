use super::claims::is_printable;
use crate::ssh::{KnownHosts, Via, settings_where};

/// Hosts that are looked up: by name, by address, behind a port of their own.
const HOSTS: [&str; 4] = ["web1", "10.0.0.1", "[web1]:2222", "node01.example.com"];

/// Files of known host keys.
pub fn known_hosts(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.lines().count();
    let known = KnownHosts::of_text("known_hosts", &text);
    let mut found = Vec::new();
    for host in HOSTS {
        for key in known.of(host) {
            assert!((1..=lines).contains(&key.line), "{} of {lines}", key.line);
            found.push((host, key));
        }
    }
    // Each is the whole text once more.
    found.truncate(4);
    // A key that is written down for a host is known for it, whatever stands around it.
    for (host, found) in found {
        let Ok(key) = found.key.to_openssh() else { panic!("{found:?} cannot be written") };
        let again = KnownHosts::of_text("known_hosts", &format!("{text}\n{host} {key}\n"));
        assert!(again.of(host).iter().any(|again| again.line > lines && again.key.key_data() == found.key.key_data()));
    }
}

/// What `ssh -G` answers.
pub fn ssh_g(data: &[u8]) {
    let said = String::from_utf8_lossy(data);
    let Ok(settings) = settings_where(&said, "web1") else { return };
    assert_eq!(settings.name, "web1");
    if let Via::Jumps(jumps) = &settings.via {
        assert!(jumps.len() <= said.len());
        for jump in jumps {
            assert!(!jump.name.starts_with('-') && !jump.name.contains(char::is_whitespace), "{jump:?}");
            is_printable(&jump.name);
        }
    }
}
