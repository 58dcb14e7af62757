use crate::base::quote;

use super::Wanted;
use super::frames::encode;

const FRAME: &str = include_str!("../../templates/probe/frame.sh");
const HOST: &str = include_str!("../../templates/probe/host.sh");
const REMAINS: &str = include_str!("../../templates/probe/remains.sh");
const CLUSTER: &str = include_str!("../../templates/probe/cluster.sh");
const BACKUPS: &str = include_str!("../../templates/probe/backups.sh");
const TRACES: &str = include_str!("../../templates/probe/traces.sh");

/// Where kfleet's detached jobs have their directories.
const JOBS: &str = "/var/lib/kfleet/jobs";

/// Units that are always asked for.
const UNITS: [&str; 5] =
    ["kubelet.service", "containerd.service", "docker.service", "cri-docker.service", "crio.service"];

/// One script that reads everything, `wanted` included: for `/bin/sh` as root, about a second, one round trip.
///
/// It changes nothing. What takes long runs beside the rest and under a deadline.
pub(super) fn host_script(wanted: &Wanted, nonce: &str) -> String {
    let units = UNITS.iter().map(ToString::to_string);
    let jobs = wanted.jobs.iter().map(|job| quote(&job_unit(job)));
    let units = units.chain(jobs).collect::<Vec<_>>().join(" ");
    let mut main = format!(
        "now clock-begin date +%s.%N\n\
         firewall\nprograms\nunits {units}\nruntimes\ncluster\n\
         system\nnetwork\nnow login login\nkubeadm_state\nkubelet_and_cni\n"
    );
    for path in &wanted.files {
        main += &call("file", path, path);
    }
    for key in &wanted.sysctls {
        main += &call("sysctl", key, &sysctl_path(key));
    }
    for module in &wanted.modules {
        main += &call("module", module, &module.replace('-', "_"));
    }
    for place in &wanted.places {
        main += &call("place", place, place);
    }
    if let Some(pods) = wanted.remains {
        main += &format!("now remains remains {pods}\n");
    }
    if wanted.backups {
        main += "now backups backups\n";
    }
    if wanted.traces {
        main += "all_traces\n";
    }
    main += "collect\n";
    for job in &wanted.jobs {
        main += &call("job", job, &format!("{JOBS}/{job}"));
    }
    main += "now clock-end date +%s.%N\n";
    let remains = (!wanted.places.is_empty() || wanted.remains.is_some()).then_some(REMAINS);
    let backups = wanted.backups.then_some(BACKUPS);
    let traces = wanted.traces.then_some(TRACES);
    script(
        nonce,
        &[FRAME, HOST, CLUSTER].into_iter().chain(remains).chain(backups).chain(traces).collect::<Vec<_>>(),
        &main,
    )
}

/// Only what the cluster says, to be asked again and again.
pub(super) fn cluster_script(nonce: &str) -> String {
    script(nonce, &[FRAME, CLUSTER], "cluster\ncollect\n")
}

/// The unit of one of kfleet's jobs.
pub(super) fn job_unit(job: &str) -> String {
    format!("kfleet-{job}.service")
}

/// A shell that reads its script from stdin has read all of it before it runs the first line of a subshell, and
/// nothing in there can take a line away from it.
fn script(nonce: &str, parts: &[&str], main: &str) -> String {
    format!("(\nnonce={}\n{}{main}frame probe - end\n) </dev/null\n", quote(nonce), parts.join("\n") + "\n")
}

fn call(function: &str, name: &str, argument: &str) -> String {
    format!("{function} {} {}\n", quote(&encode(name)), quote(argument))
}

/// Where the kernel shows a sysctl. As sysctl(8) reads keys: whichever of `.` and `/` comes first separates, the other
/// is part of a name, as in `net.ipv4.conf.eth0/100.rp_filter`.
fn sysctl_path(key: &str) -> String {
    let swap = key.find(['.', '/']).is_some_and(|at| key[at..].starts_with('.'));
    let path: String = key
        .chars()
        .map(|c| match c {
            '.' if swap => '/',
            '/' if swap => '.',
            c => c,
        })
        .collect();
    format!("/proc/sys/{path}")
}

#[cfg(test)]
mod tests {
    use super::{cluster_script, host_script, sysctl_path};
    use crate::facts::Wanted;

    #[test]
    fn a_sysctl_key_may_hold_an_interface_with_a_dot() {
        for (key, path) in [
            ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
            ("net.ipv4.conf.eth0/100.rp_filter", "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
            ("net/ipv4/conf/eth0.100/rp_filter", "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
            ("swappiness", "/proc/sys/swappiness"),
        ] {
            assert_eq!(sysctl_path(key), path, "{key}");
        }
    }

    #[test]
    fn the_script_for_a_small_wish() {
        let wanted = Wanted {
            files: ["/etc/hosts".to_owned(), "/etc/it's 100%".to_owned()].into(),
            sysctls: ["net.ipv4.ip_forward".to_owned()].into(),
            modules: ["br_netfilter".to_owned()].into(),
            zones: ["public".to_owned()].into(),
            jobs: ["init".to_owned()].into(),
            ..Wanted::default()
        };
        insta::assert_snapshot!(host_script(&wanted, "b6d81b360a5672d80c27430f39153e2c"));
    }

    #[test]
    fn what_a_node_leaves_is_looked_for_where_that_is_asked() {
        let wanted = Wanted {
            places: ["~/.kube".to_owned()].into(),
            remains: Some("10.244.0.0/16".parse().unwrap()),
            ..Wanted::default()
        };
        let (with, without) = (host_script(&wanted, "n"), host_script(&Wanted::default(), "n"));
        for line in ["place '~/.kube' '~/.kube'\n", "now remains remains 10.244.0.0/16\n"] {
            assert!(with.contains(line) && !without.contains(line), "{line}");
        }
        assert!(!without.contains("remains()"));
    }

    #[test]
    fn what_an_etcd_holds_is_read_from_its_database() {
        let dir = tempfile::tempdir().unwrap();
        let key = |key: &str| [b"\0\x0a\x14", key.as_bytes(), b"\x10\x07\x18\x07"].concat();
        let keys = ["/registry/minions/h1", "/registry/deployments/default/shop", "/registry/pods/default/shop-1"];
        std::fs::write(dir.path().join("db"), keys.map(key).concat()).unwrap();
        let names = |file: &str| {
            let script = format!("tmp=.; limit() {{ shift; \"$@\"; }}\n{}\netcd_names {file}\n", super::HOST);
            let ran = std::process::Command::new("/bin/sh").args(["-c", &script]).current_dir(dir.path()).output();
            let ran = ran.unwrap();
            (ran.status.success(), String::from_utf8(ran.stdout).unwrap())
        };
        assert_eq!(names("db"), (true, "/registry/deployments/default/shop\n/registry/minions/h1\n".to_owned()));
        assert_eq!(names("none"), (true, String::new()));
        assert!(!names("/").0, "what cannot be read says nothing");
    }

    #[test]
    fn the_script_that_polls_a_cluster() {
        insta::assert_snapshot!(cluster_script("b6d81b360a5672d80c27430f39153e2c"));
    }
}
