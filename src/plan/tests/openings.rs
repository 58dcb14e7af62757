use super::sample::inventory;
use crate::plan::openings::firewall;

/// What is let through on a control plane and on a worker, with these lines added to the inventory.
fn openings(cni: &str, settings: &str) -> [String; 2] {
    let inventory = inventory(&format!(
        "{}{settings}",
        super::sample::THREE_HOSTS
            .replace("\n\n[[hosts]]\nname = \"h1\"", &format!("\n{cni}\n\n[[hosts]]\nname = \"h1\""))
    ));
    [0, 1].map(|host| {
        let firewall = firewall(&inventory, &inventory.hosts[host]);
        let ports = firewall.ports.iter().map(ToString::to_string);
        ports.chain(firewall.protocols).chain(firewall.pod_interfaces).collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn each_role_gets_its_ports_and_the_pod_networks_and_no_more() {
    for (cni, settings, control_plane, worker) in [
        ("", "", "6443/tcp 10250/tcp 8285-8472/udp cni0 flannel.1", "10250/tcp 8285-8472/udp cni0 flannel.1"),
        (
            "port = 7443",
            "[firewall]\npod_network_ports = [\"8472/udp\"]\nports = [\"9100/tcp\"]\nworker_ports = [\"30000-32767/tcp\"]",
            "7443/tcp 10250/tcp 8472/udp 9100/tcp cni0 flannel.1",
            "10250/tcp 8472/udp 9100/tcp 30000-32767/tcp cni0 flannel.1",
        ),
        (
            "cni = { plugin = \"flannel\", backend = \"host-gw\" }",
            "[firewall]\npod_network_ports = []",
            "6443/tcp 10250/tcp cni0",
            "10250/tcp cni0",
        ),
        (
            "cni = { plugin = \"weave\" }",
            "",
            "6443/tcp 10250/tcp 6783/tcp 6783-6784/udp 6781-6782/tcp weave",
            "10250/tcp 6783/tcp 6783-6784/udp 6781-6782/tcp weave",
        ),
        (
            "cni = { plugin = \"calico\", manifest = \"calico.yaml\" }",
            "",
            "6443/tcp 10250/tcp 179/tcp 4789/udp 5473/tcp 4 cali+ tunl0 vxlan.calico",
            "10250/tcp 179/tcp 4789/udp 5473/tcp 4 cali+ tunl0 vxlan.calico",
        ),
    ] {
        assert_eq!(openings(cni, settings), [control_plane, worker], "{cni} {settings}");
    }
}
