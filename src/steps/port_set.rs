use crate::inventory::{PortRange, Protocol};

/// Ports that are open, whichever ranges they were written as.
#[derive(Debug, Default)]
pub(super) struct PortSet(Vec<PortRange>);

impl PortSet {
    /// What firewalld lists, as `6443/tcp` and `8285-8472/udp`. Protocols other than TCP and UDP are none of kfleet's.
    pub(super) fn of_firewalld<'a>(ports: impl IntoIterator<Item = &'a String>) -> Self {
        Self::new(ports.into_iter().filter_map(|port| parse(port)))
    }

    pub(super) fn new(ranges: impl IntoIterator<Item = PortRange>) -> Self {
        Self(ranges.into_iter().collect())
    }

    /// Whether every port of `range` is in it, be it by several ranges together.
    pub(super) fn covers(&self, range: PortRange) -> bool {
        let mut ranges: Vec<_> = self.0.iter().filter(|open| open.protocol == range.protocol).collect();
        ranges.sort_by_key(|open| open.first);
        // Counted in u32: a range may end at 65535.
        let mut next = u32::from(range.first);
        for open in ranges {
            if u32::from(open.first) <= next {
                next = next.max(u32::from(open.last) + 1);
            }
        }
        next > u32::from(range.last)
    }
}

/// The same ports in as few ranges as overlap allows, as firewalld keeps them from 1.0 on; neighbours stay apart.
pub(super) fn coalesced(ranges: &[PortRange]) -> Vec<PortRange> {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| (range.protocol, range.first));
    let mut result: Vec<PortRange> = Vec::new();
    for range in sorted {
        match result.last_mut() {
            Some(last) if overlap(*last, range) => last.last = last.last.max(range.last),
            _ => result.push(range),
        }
    }
    result
}

/// Whether the two have a port in common.
pub(super) fn overlap(one: PortRange, other: PortRange) -> bool {
    one.protocol == other.protocol && one.first <= other.last && other.first <= one.last
}

/// Whether every port of the one is in the other.
pub(super) fn within(one: PortRange, other: PortRange) -> bool {
    one.protocol == other.protocol && other.first <= one.first && one.last <= other.last
}

/// Reads a port or a range as firewalld writes it.
pub(super) fn parse(port: &str) -> Option<PortRange> {
    let (ports, protocol) = port.split_once('/')?;
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    Some(PortRange { first: first.parse().ok()?, last: last.parse().ok()?, protocol })
}

#[cfg(test)]
mod tests {
    use super::{PortSet, coalesced, overlap, parse};

    #[test]
    fn a_range_is_covered_only_when_every_port_of_it_is_open() {
        for (open, wanted, covered) in [
            ("", "6443/tcp", false),
            ("6443/tcp", "6443/tcp", true),
            ("6443/udp", "6443/tcp", false),
            ("6000-7000/tcp", "6443/tcp", true),
            ("8400-8472/udp 8285-8399/udp", "8285-8472/udp", true),
            ("8401-8472/udp 8285-8399/udp", "8285-8472/udp", false),
            ("8285-8471/udp", "8285-8472/udp", false),
            ("1-65535/udp", "65535/udp", true),
            ("8286-8472/udp", "8285-8472/udp", false),
            ("6443/sctp 70000/tcp x/tcp", "6443/tcp", false),
        ] {
            let open: Vec<_> = open.split_whitespace().map(ToOwned::to_owned).collect();
            assert_eq!(PortSet::of_firewalld(&open).covers(parse(wanted).unwrap()), covered, "{wanted} in {open:?}");
        }
    }

    #[test]
    fn ranges_melt_where_they_overlap() {
        let ranges = ["8472/udp", "6443/tcp", "8285-8472/udp", "6440-6443/tcp", "6444/tcp", "6443/tcp"];
        let ranges: Vec<_> = ranges.iter().filter_map(|range| parse(range)).collect();
        let melted: Vec<_> = coalesced(&ranges).iter().map(ToString::to_string).collect();
        assert_eq!(melted, ["6440-6443/tcp", "6444/tcp", "8285-8472/udp"]);
    }

    #[test]
    fn neighbours_do_not_overlap() {
        let of = |port| parse(port).unwrap();
        assert!(overlap(of("10-20/tcp"), of("20/tcp")) && overlap(of("15/tcp"), of("10-20/tcp")));
        assert!(!overlap(of("10-20/tcp"), of("21/tcp")) && !overlap(of("10-20/tcp"), of("15/udp")));
    }
}
