use std::net::SocketAddr;
use std::time::Duration;

use crate::base::quote;
use crate::facts::Facts;
use crate::inventory::Inventory;

use super::RunScript;
use super::control_plane::advertise_address;

const REACH: &str = include_str!("../../templates/reach.sh");
/// Three tries of at most 5 s, and a second before the next.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where workers ask for the API server, as `host:port`; an IPv6 host in brackets.
#[must_use]
pub fn api_endpoint(inventory: &Inventory, control_plane: &Facts) -> Option<String> {
    let port = inventory.cluster.port;
    match &inventory.cluster.endpoint {
        Some(endpoint) if has_port(endpoint) => Some(endpoint.clone()),
        Some(endpoint) => Some(format!("{endpoint}:{port}")),
        None => Some(SocketAddr::new(advertise_address(inventory, control_plane)?, port).to_string()),
    }
}

fn has_port(endpoint: &str) -> bool {
    endpoint.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

/// Says within seconds that a host does not get through to the API server, which takes kubeadm minutes.
pub(super) fn reach(endpoint: &str) -> RunScript {
    let (host, port) = endpoint.rsplit_once(':').unwrap_or((endpoint, "6443"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    RunScript {
        command: format!("connect to the API server at {endpoint}"),
        script: format!("{REACH}reach {} {}\n", quote(host), quote(port)),
        deadline: DEADLINE,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};
    use std::process::Command;

    use super::reach;

    /// What a host says when it has only these programs; nothing where it gets through.
    fn said(endpoint: &str, programs: &[&str]) -> String {
        let dir = tempfile::tempdir().unwrap();
        for program in programs {
            std::os::unix::fs::symlink(format!("/usr/bin/{program}"), dir.path().join(program)).unwrap();
        }
        let script = format!("set -eu\n{}", reach(endpoint).script);
        let ran = Command::new("/bin/sh").args(["-c", &script]).env("PATH", dir.path()).output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.success(), said.is_empty(), "{said}");
        said
    }

    #[test]
    fn a_closed_port_is_told_with_its_address_and_an_open_one_is_passed() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let programs = ["bash", "timeout", "sleep"];
        assert_eq!(said(&endpoint, &programs), "");
        drop(listener);
        let refused = format!("no connection from this host: dial tcp {endpoint}: connect: connection refused\n");
        assert_eq!(said(&endpoint, &programs), refused);
        assert_eq!(said(&endpoint, &["sleep"]), "", "nothing to knock with");
    }
}
