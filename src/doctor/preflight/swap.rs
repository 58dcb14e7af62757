use super::fleet::Fleet;
use super::kubelet_configuration::KubeletConfiguration;
use crate::doctor::Finding;
use crate::doctor::enumeration::enumeration;
use crate::events::Severity::{Error, Warning};

/// No host swaps, unless the kubelet is told to live with it.
pub(super) fn check(fleet: &Fleet<'_>) -> Vec<Finding> {
    if KubeletConfiguration::among(&fleet.inventory.cluster.kubeadm_documents).fail_swap_on == Some(false) {
        return Vec::new();
    }
    let swapping = fleet.hosts.iter().filter(|(_, facts)| !facts.swap.is_empty());
    let finding = |name: &str, swap: &[String]| {
        let swap = enumeration(swap);
        if fleet.ignores("Swap") {
            let reason = format!("it swaps to {swap}: kubeadm is told to ignore that, the kubelet is not");
            return Finding::of_host(name, Warning, "swap", reason)
                .with_hint("add a KubeletConfiguration with `failSwapOn: false` to kubeadm_documents");
        }
        let reason = format!("it swaps to {swap}: the kubelet does not start");
        Finding::of_host(name, Error, "swap", reason).with_hint(
            "`swapoff -a` there and take it out of /etc/fstab; or a KubeletConfiguration with `failSwapOn: false` in \
             kubeadm_documents and \"Swap\" in ignore_preflight_errors",
        )
    };
    swapping.map(|(host, facts)| finding(&host.name, &facts.swap)).collect()
}

#[cfg(test)]
mod tests {
    use crate::doctor::sample::{self, Case};

    const DOCUMENT: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nfailSwapOn: ";

    const CASES: [Case; 5] = [
        ("on", |_, hosts| sample::of(hosts, "h2").swap = vec!["/dev/sda2".into(), "/swapfile".into()]),
        ("ignored by kubeadm alone", |inventory, hosts| {
            sample::of(hosts, "h2").swap = vec!["/dev/sda2".into()];
            inventory.cluster.ignore_preflight_errors.push("swap".into());
        }),
        ("the kubelet lives with it", |inventory, hosts| {
            sample::of(hosts, "h2").swap = vec!["/dev/sda2".into()];
            inventory.cluster.kubeadm_documents.push(format!("{DOCUMENT}false\n"));
        }),
        ("the kubelet is told what it does anyway", |inventory, hosts| {
            sample::of(hosts, "h2").swap = vec!["/dev/sda2".into()];
            inventory.cluster.kubeadm_documents.push(format!("{DOCUMENT}true\n"));
        }),
        ("another document says failSwapOn", |inventory, hosts| {
            sample::of(hosts, "h2").swap = vec!["/dev/sda2".into()];
            inventory.cluster.kubeadm_documents.push("kind: Other\nfailSwapOn: false\n".into());
        }),
    ];

    #[test]
    fn swap_is_off() {
        insta::assert_snapshot!(sample::tell(&CASES));
    }
}
