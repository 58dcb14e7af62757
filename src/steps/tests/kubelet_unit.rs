use super::simulated_host::{SimulatedHost, told};
use crate::facts::{Facts, Unit};
use crate::steps::{Change, KubeletUnit, Step};

fn with_kubelet(exists: bool, enabled: bool) -> Facts {
    Facts { kubelet: Unit { exists, enabled, active: false }, ..Facts::default() }
}

#[test]
fn it_is_enabled_and_left_to_kubeadm_to_start() {
    let mut host = SimulatedHost::new(with_kubelet(true, false));
    assert!(matches!(host.bring_to(&KubeletUnit), Change::Some { .. }));
    assert_eq!(host.commands, ["systemctl enable kubelet.service"]);
}

#[test]
fn one_that_is_enabled_is_left_alone_and_a_missing_one_is_refused() {
    assert_eq!(told(&KubeletUnit.plan(&with_kubelet(true, true))), "nothing: kubelet.service starts at boot\n");
    assert!(told(&KubeletUnit.plan(&with_kubelet(false, false))).starts_with("refused: there is no kubelet.service\n"));
}
