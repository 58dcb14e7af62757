use std::collections::{BTreeMap, BTreeSet};

use super::frames::Frames;
use super::{Firewall, Zone};

/// firewall-cmd's exit status when there is no daemon to talk to.
const NOT_RUNNING: &str = "252";

/// firewalld as its own command tells it.
pub(super) fn firewall(frames: &Frames<'_>) -> Firewall {
    let Some(asked) = frames.one("said", "firewall-runtime") else { return Firewall::Absent };
    if asked.status == NOT_RUNNING || asked.text().contains("FirewallD is not running") {
        return Firewall::Stopped;
    }
    let all = ["firewall-runtime", "firewall-permanent", "firewall-default", "firewall-version"];
    let [Some(runtime), Some(permanent), Some(default), Some(version)] = all.map(|answer| frames.said(answer)) else {
        let reason = all.iter().find_map(|answer| frames.complaint(answer));
        return Firewall::Unknown { reason: reason.unwrap_or_else(|| "firewall-cmd gave no answer".to_owned()) };
    };
    let runtime = zones(&runtime);
    let bound = runtime.iter().flat_map(|(name, zone)| zone.interfaces.iter().map(|of| (of.clone(), name.clone())));
    Firewall::Running {
        version: last_line(&version),
        default_zone: last_line(&default),
        interface_zones: bound.collect(),
        permanent: zones(&permanent),
        runtime,
    }
}

/// Of one-word answers: warnings of what firewalld stands on come before them.
fn last_line(text: &str) -> String {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

/// What `--list-all-zones` prints: a zone's name at the margin, its settings indented. Banners are at the margin too,
/// but no name has a space in it and no banner has settings.
fn zones(text: &str) -> BTreeMap<String, Zone> {
    let mut zones = BTreeMap::new();
    let mut name = None;
    for line in text.lines() {
        if line.starts_with(char::is_whitespace) {
            if let (Some(name), Some((key, value))) = (name, line.trim().split_once(':')) {
                set(&mut zones, name, key, value);
            }
        } else {
            name = zone_name(line);
        }
    }
    zones
}

/// Of `public`, `public (active)` and `public (default, active)`.
fn zone_name(line: &str) -> Option<&str> {
    let line = line.trim_end();
    let name = line.split_once(" (").filter(|(_, flags)| flags.ends_with(')')).map_or(line, |(name, _)| name);
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
}

fn set(zones: &mut BTreeMap<String, Zone>, name: &str, key: &str, value: &str) {
    let words = || value.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
    match key {
        "target" => zones.entry(name.to_owned()).or_default().target = value.trim().to_owned(),
        "ports" => zones.entry(name.to_owned()).or_default().ports = words(),
        "protocols" => zones.entry(name.to_owned()).or_default().protocols = words(),
        "interfaces" => zones.entry(name.to_owned()).or_default().interfaces = words(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{firewall, zones};
    use crate::facts::Firewall;
    use crate::facts::frames::Frames;

    #[test]
    fn a_banner_is_no_zone() {
        let zones = zones(include_str!("../../tests/fixtures/firewall-cmd-list-all.txt"));
        assert_eq!(zones.keys().collect::<Vec<_>>(), ["public"]);
        let public = &zones["public"];
        assert_eq!(public.target, "default");
        assert!(public.ports.contains("8285-8472/udp") && public.ports.contains("6443/tcp"));
        assert_eq!(public.ports.len(), 5);
        assert!(public.interfaces.is_empty() && public.protocols.is_empty());
    }

    #[test]
    fn every_version_heads_its_zones_in_its_own_way() {
        let text = "block\n  target: %%REJECT%%\n  ports: \n\npublic (default, active)\n  target: default\n  \
                    ingress-priority: 0\n  interfaces: eth0 eth1\n  protocols: 4\n  forward-ports: \n\t\
                    port=80:proto=tcp:toport=8080:toaddr=\n  rich rules: \n\trule family=\"ipv4\" accept\n\ntrusted (active)\n  \
                    target: ACCEPT\n  interfaces: cni0 flannel.1\n";
        let zones = zones(text);
        assert_eq!(zones.keys().collect::<Vec<_>>(), ["block", "public", "trusted"]);
        assert_eq!(zones["block"].target, "%%REJECT%%");
        assert_eq!(zones["public"].interfaces, ["eth0".to_owned(), "eth1".to_owned()].into());
        assert_eq!(zones["public"].protocols, ["4".to_owned()].into());
        assert_eq!(zones["trusted"].interfaces, ["cni0".to_owned(), "flannel.1".to_owned()].into());
    }

    #[test]
    fn absent_stopped_unknown_and_running_are_four_states() {
        let answers = "n said firewall-permanent 0\npublic\n  target: default\n\nn said firewall-version 0\n1.3.3\n\n\
                       n said firewall-default 0\n# Warning: iptables-legacy tables present\npublic\n\n";
        let unknown = |reason: &str| Firewall::Unknown { reason: reason.to_owned() };
        let running = Firewall::Running {
            version: "1.3.3".into(),
            default_zone: "public".into(),
            interface_zones: [("eth0".to_owned(), "public".to_owned())].into(),
            runtime: zones("public (active)\n  target: default\n  interfaces: eth0\n"),
            permanent: zones("public\n  target: default\n"),
        };
        for (runtime, expected) in [
            ("", Firewall::Absent),
            (
                "n said firewall-runtime 252\n\nn erred firewall-runtime 252\nFirewallD is not running\n\n",
                Firewall::Stopped,
            ),
            ("n said firewall-runtime 124\n\nn erred firewall-runtime 124\n\n", unknown("no answer in time")),
            (
                "n said firewall-runtime 253\n\nn erred firewall-runtime 253\nAuthorization failed.\n\n",
                unknown("Authorization failed."),
            ),
            ("n said firewall-runtime 0\npublic (active)\n  target: default\n  interfaces: eth0\n\n", running),
        ] {
            let output = format!("\n{runtime}{answers}n probe - end\n");
            assert_eq!(firewall(&Frames::split(output.as_bytes(), "n").unwrap()), expected, "{runtime}");
        }
    }
}
