//! Addresses, networks and ports, read strictly: what kubeadm, firewalld or a resolver would read otherwise is refused.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::model::{PortRange, Protocol};
use super::names::dns_name;
use super::problem::Complaint;

/// An IP address that a host can have.
pub(super) fn ip(text: &str) -> Result<IpAddr, Complaint> {
    let address: IpAddr = text.parse().map_err(|_| {
        Complaint::new(format!("`{text}` is not an IP address")).hint("such as 192.168.122.11 or fd00::11")
    })?;
    if address.is_unspecified() || address.is_multicast() {
        return Err(Complaint::new(format!("no host can have the address `{text}`")));
    }
    Ok(address)
}

/// An IP address that other hosts can reach.
pub(super) fn reachable_ip(text: &str) -> Result<IpAddr, Complaint> {
    let address = ip(text)?;
    if address.is_loopback() {
        return Err(
            Complaint::new(format!("`{text}` reaches no other host")).hint("name the address that the workers dial")
        );
    }
    Ok(address)
}

/// A name or an IP address to dial.
pub(super) fn name_or_ip(text: &str) -> Result<String, Complaint> {
    if let Some((user, host)) = text.split_once('@') {
        return Err(Complaint::new(format!("`{text}` has a user in it"))
            .hint(format!("write \"{host}\" and `ssh = {{ user = \"{user}\" }}`")));
    }
    if let Some((host, port)) = text.rsplit_once(':')
        && (!host.contains(':') || host.ends_with(']'))
    {
        return Err(Complaint::new(format!("`{text}` has a port in it"))
            .hint(format!("write \"{}\" and `ssh = {{ port = {port} }}`", host.trim_matches(['[', ']']))));
    }
    let like_an_ip = text.contains(':') || text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if like_an_ip && !text.is_empty() { ip(text).map(|ip| ip.to_string()) } else { dns_name(text) }
}

/// A network, written by its first address.
pub(super) fn network(text: &str) -> Result<IpNet, Complaint> {
    let network: IpNet =
        text.parse().map_err(|_| Complaint::new(format!("`{text}` is not a network")).hint("such as 10.244.0.0/16"))?;
    if network != network.trunc() {
        return Err(Complaint::new(format!("`{text}` is an address within a network"))
            .hint(format!("the network is {}", network.trunc())));
    }
    Ok(network)
}

/// `host` or `host:port` for kubeadm's controlPlaneEndpoint; an IPv6 address in brackets.
pub(super) fn endpoint(text: &str) -> Result<String, Complaint> {
    if let Some((_, rest)) = text.split_once("://") {
        return Err(Complaint::new(format!("`{text}` is a URL"))
            .hint(format!("without its scheme: \"{}\"", rest.trim_end_matches('/'))));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    if port.is_some_and(|port| port_number(port).is_none()) {
        return Err(Complaint::new(format!("`{text}` has no port number behind its colon"))
            .hint("such as \"api.example:6443\""));
    }
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(v6) => reachable_ip(v6).map(drop)?,
        None if text.parse::<IpAddr>().is_ok() => {
            return Err(Complaint::new(format!("`{text}` is ambiguous")).hint(format!("write \"[{text}]\"")));
        }
        None if host.parse::<IpAddr>().is_ok() => reachable_ip(host).map(drop)?,
        None => name_or_ip(host).map(drop)?,
    }
    Ok(text.to_owned())
}

/// A name, a wildcard name or an IP address for a certificate.
pub(super) fn certificate_name(text: &str) -> Result<String, Complaint> {
    match text.strip_prefix("*.") {
        Some(domain) => dns_name(domain).map(|_| text.to_owned()),
        None if text.parse::<IpAddr>().is_ok() => Ok(text.to_owned()),
        None => dns_name(text),
    }
}

/// `6443/tcp` or `8285-8472/udp`, as firewalld writes it.
pub(super) fn port_range(text: &str) -> Result<PortRange, Complaint> {
    let not_a_range = || {
        let hint = match text.split_once('/') {
            None if !text.is_empty() => format!("which protocol? \"{text}/tcp\" or \"{text}/udp\""),
            _ => "such as \"6443/tcp\" or \"8285-8472/udp\"".to_owned(),
        };
        Complaint::new(format!("`{text}` is not a port or a range of ports")).hint(hint)
    };
    let (ports, protocol) = text.split_once('/').ok_or_else(not_a_range)?;
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return Err(not_a_range()),
    };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let (Some(first), Some(last)) = (port_number(first), port_number(last)) else { return Err(not_a_range()) };
    if last < first {
        return Err(Complaint::new(format!("the range `{text}` runs backwards"))
            .hint(format!("write \"{}\"", PortRange { first: last, last: first, protocol })));
    }
    Ok(PortRange { first, last, protocol })
}

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        port_range(text).map_err(|complaint| complaint.message)
    }
}

fn port_number(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::{certificate_name, endpoint, ip, name_or_ip, network, port_range};

    #[test]
    fn addresses_are_told_from_names() {
        for (text, read) in [
            ("10.0.0.1", Some("10.0.0.1")),
            ("FD00::00:1", Some("fd00::1")),
            ("node1.lan", Some("node1.lan")),
            ("10.0.0.300", None),
            ("10.0.0", None),
            ("0.0.0.0", None),
            ("224.0.0.1", None),
            ("fe80::1%eth0", None),
            ("node1:22", None),
            ("[fd00::1]:22", None),
            ("root@node1", None),
            ("", None),
        ] {
            assert_eq!(name_or_ip(text).ok().as_deref(), read, "{text}");
        }
        assert!(ip("node1").is_err());
    }

    #[test]
    fn networks_are_written_by_their_first_address() {
        assert!(network("10.244.0.0/16").is_ok() && network("fd00:244::/56").is_ok());
        for bad in ["10.244.0.0", "10.244.1.0/16", "10.244.0.0/33", "10.244/16", "x"] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn endpoints_and_certificate_names() {
        for good in ["api.lan", "api.lan:6443", "10.0.0.1:6443", "[fd00::1]:6443", "[fd00::1]"] {
            assert_eq!(endpoint(good).as_deref(), Ok(good));
        }
        for bad in
            ["127.0.0.1:6443", "api.lan:", "api.lan:x", "api.lan:0", "api.lan:+1", "fd00::1", "https://api.lan", ""]
        {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
        assert!(certificate_name("*.lan").is_ok() && certificate_name("127.0.0.1").is_ok());
        assert!(certificate_name("*").is_err() && certificate_name("a.*.lan").is_err());
    }

    #[test]
    fn port_ranges_read_back_as_written() {
        for good in ["6443/tcp", "8285-8472/udp", "1/tcp", "65535/udp"] {
            assert_eq!(port_range(good).unwrap().to_string(), good);
        }
        for bad in
            ["6443", "0/tcp", "65536/tcp", "2-1/tcp", "1-/tcp", "-1/tcp", "+1/tcp", "1/sctp", "1-2-3/tcp", "", "/"]
        {
            assert!(port_range(bad).is_err(), "{bad}");
        }
    }
}
