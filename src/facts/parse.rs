use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::frames::{Frames, decode};
use super::kubeadm::scalar;
use super::packages::packages;
use super::units::{Units, jobs};
use super::{
    Backup, Clock, ClusterFacts, Facts, FactsError, KubeadmState, Login, Remains, Traces, file, firewall, network,
    runtime,
};

impl Facts {
    /// Reads what the script of [`Wanted::script`](super::Wanted::script) printed to stdout.
    ///
    /// `asked_at` and `answered_at` are the workstation's clock right before the script was sent and right after its
    /// end was seen. A tool that is missing on the host costs the facts that it would have told, nothing else.
    ///
    /// # Errors
    /// When the output is not that of a probe with this `nonce`, or not all of it.
    pub fn parse(
        output: &[u8],
        nonce: &str,
        asked_at: SystemTime,
        answered_at: SystemTime,
    ) -> Result<Self, FactsError> {
        let frames = Frames::split(output, nonce)?;
        let units = Units::read(&frames);
        let packages = packages(&frames);
        let word = |answer| frames.said(answer).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(Self {
            hostname: word("hostname").unwrap_or_default().to_lowercase(),
            os: os(&frames.anything_said("os-release")),
            kernel: word("kernel").unwrap_or_default(),
            arch: word("arch").unwrap_or_default(),
            machine_id: word("machine-id"),
            product_uuid: word("product-uuid").map(|uuid| uuid.to_lowercase()),
            clock: Clock::read(&frames, asked_at, answered_at),
            interfaces: network::interfaces(&frames),
            swap: swap(&frames.anything_said("swaps")),
            runtimes: runtime::runtimes(&frames, &units, &packages),
            packages,
            kubelet: units.get("kubelet.service"),
            kubelet_cgroup_driver: scalar(&frames.anything_said("kubelet-config"), "cgroupDriver"),
            crictl: frames.said("crictl").is_some(),
            firewall: firewall::firewall(&frames),
            files: file::files(&frames),
            sysctls: sysctls(&frames),
            modules: frames.of("module").map(|(name, _)| decode(name)).collect::<BTreeSet<_>>(),
            kubeadm: KubeadmState::read(&frames),
            jobs: jobs(&frames, &units),
            cluster: ClusterFacts::read(&frames),
            login: login(&frames.anything_said("login")),
            places: frames.of("place").map(|(place, frame)| (decode(place), frame.status == "there")).collect(),
            remains: Remains::read(&frames),
            traces: Traces::read(&frames),
            backups: Backup::read(&frames),
        })
    }
}

/// os-release is shell assignments; the two that matter are words, quoted or not.
fn os(release: &str) -> String {
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim().trim_matches(['"', '\'']).to_owned()).filter(|value| !value.is_empty())
    };
    [value("ID"), value("VERSION_ID")].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The first column of /proc/swaps, below its heading; a space in a path is `\040` there.
fn swap(swaps: &str) -> Vec<String> {
    let names = swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    names.map(|name| name.replace("\\040", " ")).collect()
}

fn sysctls(frames: &Frames<'_>) -> BTreeMap<String, Option<String>> {
    frames.of("sysctl").map(|(key, frame)| (decode(key), (frame.status == "present").then(|| frame.text()))).collect()
}

/// Three lines: the user, its home, and `config` where it has a kubeconfig.
fn login(text: &str) -> Login {
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or_default().to_owned();
    Login { user: line(), home: line(), has_kubeconfig: line() == "config" }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::{os, swap};
    use crate::facts::Facts;

    /// Every header that a parser looks for, and some that none does.
    const HEADERS: [&str; 28] = [
        "said clock-begin 0",
        "said clock-end 0",
        "said firewall-runtime 0",
        "said firewall-permanent 0",
        "said firewall-default 0",
        "said firewall-version 0",
        "said kubeadm 0",
        "said kubectl 0",
        "said units 0",
        "said sockets 0",
        "said containerd 0",
        "said containerd-config 0",
        "said crio-config 0",
        "said links 0",
        "said addresses 0",
        "said default-routes 0",
        "said login 1",
        "said swaps 0",
        "said kubeconfig-admin 0",
        "said api-server-certificate 0",
        "said kube-apiserver 0",
        "said etcd-names 0",
        "said nodes 0",
        "erred nodes 1",
        "cluster - asked",
        "file %2f%e5%%% present",
        "sysctl a present",
        "job x there",
    ];

    /// Bodies that go deeper into a parser than noise does.
    const BODIES: [&str; 12] = [
        "",
        "1795466701.5",
        "public (active)\n  target: \n  ports: 1/tcp",
        "{\"items\":[{\"metadata\":{\"name\":\"h\"}}]}",
        "1: lo@: <UP> link/loopback\n2: : x",
        "1: lo inet 1.2.3.4/99\n2: e inet6 ::1",
        "[plugins.cri]\nsandbox_image = 1",
        "default via dev",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
        "644|a|b|0|0|1\n====",
        "- --secure-port=99999999\n image: a/:@",
        "Names=a b\nLoadState\n\n\n=",
    ];

    proptest! {
        #[test]
        fn no_answer_is_too_strange(
            frames in prop::collection::vec((prop::sample::select(HEADERS.as_slice()), prop::sample::select(BODIES.as_slice()), ".*"), 0..12),
            (at, byte) in (any::<prop::sample::Index>(), any::<u8>()),
        ) {
            let mut output = b"\nn probe - begin\n".to_vec();
            for (header, body, noise) in frames {
                output.extend(format!("\nn {header}\n{body}{noise}").into_bytes());
            }
            output.extend(b"\nn probe - end\n");
            let whole = Facts::parse(&output, "n", UNIX_EPOCH, UNIX_EPOCH);
            prop_assert!(whole.is_ok(), "{:?}", whole);
            let at = at.index(output.len());
            output[at] = byte;
            let _ = Facts::parse(&output, "n", UNIX_EPOCH, UNIX_EPOCH);
            let cut = Facts::parse(&output[..at], "n", UNIX_EPOCH, UNIX_EPOCH);
            prop_assert!(cut.is_err(), "{:?}", cut);
        }

        #[test]
        fn noise_is_an_error(output in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Facts::parse(&output, "n0nce", UNIX_EPOCH, UNIX_EPOCH).is_err());
        }
    }

    #[test]
    fn a_distribution_is_its_id_and_version() {
        for (release, expected) in [
            ("PRETTY_NAME=\"Debian GNU/Linux 12\"\nVERSION_ID=\"12\"\nID=debian\n", "debian 12"),
            ("NAME=\"CentOS Linux\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\n", "centos 7"),
            ("ID=arch\n", "arch"),
            ("", ""),
        ] {
            assert_eq!(os(release), expected);
        }
    }

    #[test]
    fn every_swap_device_is_named() {
        let heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        assert!(swap("").is_empty() && swap(heading).is_empty());
        let two = format!("{heading}/dev/dm-1    partition\t8388604\t0\t-2\n/swap\\040file   file\t1024\t0\t-3\n");
        assert_eq!(swap(&two), ["/dev/dm-1", "/swap file"]);
    }
}
