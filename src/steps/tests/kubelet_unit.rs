use super::simulated_host::{SimulatedHost, told};
use crate::facts::{Facts, Job, Kubeconfig, Unit};
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

#[test]
fn one_of_a_node_is_started_unless_a_job_is_to_finish_the_node_first() {
    let mut node = with_kubelet(true, true);
    node.kubeadm.kubeconfigs.insert("kubelet".to_owned(), Kubeconfig::default());
    let told_of = |job: Option<Job>, active: bool| {
        let mut facts = node.clone();
        facts.kubelet.active = active;
        facts.jobs.extend(job.map(|job| ("join".to_owned(), job)));
        told(&KubeletUnit.plan(&facts))
    };
    for (job, active, starts) in [
        (None, false, "+ kubelet.service runs\n"),
        (Some(Job::Finished(0)), false, "+ kubelet.service runs\n"),
        (None, true, "nothing"),
        (Some(Job::Running), false, "nothing"),
        (Some(Job::Finished(1)), false, "nothing"),
        (Some(Job::Lost), false, "nothing"),
    ] {
        let told = told_of(job, active);
        assert!(told.starts_with(starts), "{job:?} {active}: {told}");
    }
}
