use std::net::IpAddr;

use crate::inventory::Inventory;

/// The address that the API server is to announce; `None` where it hangs on a name that only a resolver knows.
pub(super) fn advertise_address(inventory: &Inventory) -> Option<IpAddr> {
    inventory.cluster.advertise_address.or_else(|| inventory.control_plane().ip())
}

/// `host:port` in lower case of a URL, of a `host:port`, or of a host alone with `port`; an IPv6 host in brackets.
pub(super) fn host_port(endpoint: &str, port: u16) -> String {
    let endpoint = endpoint.trim().trim_start_matches("https://").trim_end_matches('/').to_lowercase();
    if let Ok(IpAddr::V6(address)) = endpoint.trim_matches(['[', ']']).parse() {
        return format!("[{address}]:{port}");
    }
    let has_port = endpoint.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { endpoint } else { format!("{endpoint}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::host_port;

    #[test]
    fn an_endpoint_is_the_same_however_it_is_written() {
        for (endpoint, expected) in [
            ("https://10.88.0.11:6443", "10.88.0.11:6443"),
            ("10.88.0.11", "10.88.0.11:6443"),
            ("API.example.com:8443", "api.example.com:8443"),
            ("https://[fd00::1]:6443/", "[fd00::1]:6443"),
            ("fd00::1", "[fd00::1]:6443"),
            ("[fd00::1]", "[fd00::1]:6443"),
        ] {
            assert_eq!(host_port(endpoint, 6443), expected, "{endpoint}");
        }
    }
}
