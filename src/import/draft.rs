use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::found::{Found, Given, Notes};

/// Gives every host a name that an inventory can take, where that is only a matter of spelling; the others are left out.
pub(super) fn name(hosts: Vec<Found>, notes: &mut Notes) -> Vec<Found> {
    let mut taken = BTreeSet::new();
    hosts.into_iter().filter_map(|host| named(host, &mut taken, notes)).collect()
}

fn named(mut host: Found, taken: &mut BTreeSet<String>, notes: &mut Notes) -> Option<Found> {
    let given = host.name.text.clone();
    // Every other character could mean something in a node set, and is in no name or address.
    let odd = |text: &str| text.chars().any(|c| !c.is_ascii_alphanumeric() && !"._-:".contains(c));
    if let Some(text) = [Some(&host.name), host.address.as_ref()].into_iter().flatten().find(|given| odd(&given.text)) {
        notes.say(&text.at, format!("`{given}` is left out: `{}` is no name or address of a host", text.text));
        return None;
    }
    let (mut name, mut why) = match given.parse::<IpAddr>() {
        Ok(ip) => {
            let digits = ip.to_string().replace("::", "-").replace([':', '.'], "-");
            (format!("ip-{}", digits.trim_matches('-')), "an address is no name")
        }
        Err(_) => (given.to_ascii_lowercase().replace('_', "-"), "Kubernetes takes DNS names in lower case only"),
    };
    if taken.contains(&name)
        && let Some(port) = &host.port
    {
        name = format!("{name}-{}", port.text);
        why = "another port of it has its name";
    }
    if name != given {
        notes.say(&host.name.at, format!("`{given}` is called `{name}`: {why}"));
        host.name.text.clone_from(&name);
        host.address.get_or_insert_with(|| Given::new(given, &host.name.at));
    }
    if let Some(address) = &mut host.address {
        address.text.make_ascii_lowercase();
    }
    taken.insert(name);
    Some(host)
}

/// Networks for pods and Services that no host is in; `None` where the default will do.
pub(super) fn networks(hosts: &[Found]) -> (Option<IpNet>, Option<IpNet>) {
    let known: Vec<IpAddr> = hosts
        .iter()
        .flat_map(|host| [host.address.as_ref(), host.node_ip.as_ref()])
        .flatten()
        .filter_map(|given| given.text.parse().ok())
        .collect();
    let free = |network: &IpNet| !known.iter().any(|ip| network.contains(ip));
    // A /24 a node, and not fewer than the 256 that are usual.
    let bits = hosts.len().next_power_of_two().trailing_zeros().clamp(8, 16);
    let prefix = 24 - u8::try_from(bits).unwrap_or(16);
    let apart = |one: &IpNet, other: &IpNet| !one.contains(other) && !other.contains(one);
    let service = Some(SERVICES)
        .filter(|network| !free(network))
        .and_then(|_| candidates(16).find(|network| free(network) && apart(network, &PODS)));
    let services = service.unwrap_or(SERVICES);
    let pods = Some(PODS)
        .filter(|network| !free(network) || prefix < 16)
        .and_then(|_| candidates(prefix).find(|network| free(network) && apart(network, &services)));
    (pods, service)
}

/// An inventory's defaults.
const PODS: IpNet = IpNet::V4(Ipv4Net::new_assert(std::net::Ipv4Addr::new(10, 244, 0, 0), 16));
const SERVICES: IpNet = IpNet::V4(Ipv4Net::new_assert(std::net::Ipv4Addr::new(10, 96, 0, 0), 12));

/// Private networks of this size, from where hosts seldom are to where they often are.
fn candidates(prefix: u8) -> impl Iterator<Item = IpNet> {
    let of = |first: [u8; 4], length: u8| {
        let network = Ipv4Net::new(first.into(), length).ok();
        let mut within: Vec<_> =
            network.and_then(|network| network.subnets(prefix).ok()).into_iter().flatten().collect();
        within.reverse();
        within.into_iter().map(IpNet::V4)
    };
    of([10, 0, 0, 0], 8).chain(of([172, 16, 0, 0], 12)).chain(of([192, 168, 0, 0], 16))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::found::{Found, Given, Place};
    use super::networks;

    #[test]
    fn pods_and_services_are_where_no_host_is() {
        let hosts = |addresses: &[&str]| -> Vec<Found> {
            let at = Place { file: Arc::from("x"), line: 1 };
            let host =
                |address: &&str| Found { address: Some(Given::new(*address, &at)), ..Found::new(Given::new("a", &at)) };
            addresses.iter().map(host).collect()
        };
        let shown = |addresses: &[&str]| {
            let (pods, services) = networks(&hosts(addresses));
            (pods.map(|network| network.to_string()), services.map(|network| network.to_string()))
        };
        assert_eq!(shown(&["192.168.122.11", "name.lan"]), (None, None));
        assert_eq!(shown(&["10.244.0.7"]), (Some("10.255.0.0/16".to_owned()), None));
        assert_eq!(shown(&["10.96.0.7", "10.255.1.1"]), (None, Some("10.254.0.0/16".to_owned())));
        assert_eq!(shown(&["name"; 300]).0.as_deref(), Some("10.254.0.0/15"));
    }
}
