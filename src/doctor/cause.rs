use super::symptom::{Symptom, Where};
use super::symptoms::{LAST_SYMPTOMS, SYMPTOMS};
use crate::base::told;

/// The likely cause of a failed `kubeadm init` or `join`. Safe for a terminal, and without tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What is the matter, a fragment without a full stop.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// The likely cause of a failed `kubeadm init` or `join`; `None` where nothing known shows.
///
/// `kubeadm_output` is all that it printed, `kubelet_journal` the unit's last lines, `kubelet_state` what `systemctl
/// status`, `is-active` or `show` says of it; an empty one says nothing. What kubeadm names itself comes first, then
/// what made the kubelet fail, and last that it did.
#[must_use]
pub fn cause(kubeadm_output: &str, kubelet_journal: &str, kubelet_state: &str) -> Option<Cause> {
    let seen = |symptom: &Symptom| {
        let text = match symptom.place {
            Where::Kubeadm => kubeadm_output,
            Where::Journal => kubelet_journal,
        };
        symptom.found_in(text)
    };
    let known = SYMPTOMS.iter().find_map(seen);
    // That the kubelet does not answer is what kubeadm sees; its unit may say why.
    let known =
        known.or_else(|| kubelet_check(kubeadm_output, kubelet_state)).or_else(|| LAST_SYMPTOMS.iter().find_map(seen));
    known.map(|Cause { what, hint }| Cause { what: told(&what), hint: told(&hint) })
}

/// The kubelet's unit, where kubeadm waited for the kubelet in vain.
fn kubelet_check(kubeadm_output: &str, kubelet_state: &str) -> Option<Cause> {
    let unhealthy =
        ["the kubelet isn't running or healthy", "The kubelet is not healthy", "The kubelet is not running"];
    if !unhealthy.iter().any(|words| kubeadm_output.contains(words)) {
        return None;
    }
    let says = |words: &[&str]| words.iter().any(|word| kubelet_state.contains(word));
    let (what, hint) = if says(&["could not be found", "not-found"]) {
        ("kubelet.service does not exist on this host", "install the kubelet package there")
    } else if says(&["auto-restart", "activating", "failed"]) {
        (
            "the kubelet starts and exits again and again",
            "`journalctl -xeu kubelet` there says why, above its last restart",
        )
    } else if says(&["inactive", "dead"]) {
        ("the kubelet does not run", "`systemctl status kubelet` and `journalctl -xeu kubelet` there say why")
    } else if says(&["active"]) {
        (
            "the kubelet runs and is not healthy",
            "`curl -sS http://localhost:10248/healthz` and `journalctl -xeu kubelet` there say why",
        )
    } else {
        (
            "the kubelet is not running or not healthy",
            "`systemctl status kubelet` and `journalctl -xeu kubelet` there say why",
        )
    };
    Some(Cause { what: what.to_owned(), hint: hint.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::cause;

    const TLS_BOOTSTRAP: &str = "error execution phase kubelet-start: timed out waiting for the condition";

    /// The notes' lines, for an init whose kubelet is not there.
    const KUBELET_CHECK: &str = include_str!("../../tests/fixtures/doctor/kubelet-check.txt");

    fn kubeadm(name: &str) -> String {
        let path = format!("{}/tests/fixtures/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    }

    fn tell<'a>(told: &mut String, name: &str, texts: impl Into<Option<(&'a str, &'a str, &'a str)>>) {
        let found = texts.into().and_then(|(output, journal, state)| cause(output, journal, state));
        let found = found.map_or_else(|| "-".to_owned(), |cause| format!("{}\n    {}", cause.what, cause.hint));
        writeln!(told, "# {name}\n{found}\n").unwrap();
    }

    #[test]
    fn real_outputs_are_understood() {
        let mut told = String::new();
        for name in [
            "kubeadm/init-success",
            "kubeadm/join-success",
            "kubeadm/init-already-initialised",
            "kubeadm/join-already-joined",
            "kubeadm/join-api-unreachable-old-ip",
            "kubeadm/join-bad-token",
            "kubeadm/join-cluster-info-stale",
            "kubeadm/join-wrong-ca-hash",
            "doctor/init-preflight-ip_forward",
            "doctor/init-preflight-port-in-use",
            "doctor/join-api-firewalled",
            "doctor/join-unauthorized",
        ] {
            tell(&mut told, name, (kubeadm(name).as_str(), "", ""));
        }
        insta::assert_snapshot!(told);
    }

    #[test]
    fn the_notes_kubelet_check_is_told_by_what_the_kubelet_says() {
        let mut told = String::new();
        for (name, journal, state) in [
            ("nothing else known", "", ""),
            ("no unit", "", "Unit kubelet.service could not be found."),
            ("crash loop", "", "   Active: activating (auto-restart) (Result: exit-code)"),
            ("not started", "", "inactive"),
            ("running", "", "active"),
            (
                "swap",
                "kubelet[811]: F0802 server.go:274] failed to run Kubelet: running with swap on is not supported, \
                 please \
                 disable swap! or set --fail-swap-on flag to false. /proc/swaps contained: [Filename /dev/dm-1 \
                 partition]",
                "activating",
            ),
            (
                "Docker's cgroup driver",
                "kubelet[811]: F0802 server.go:274] failed to run Kubelet: misconfiguration: kubelet cgroup driver: \
                 \\\"systemd\\\" is different from docker cgroup driver: \\\"cgroupfs\\\"",
                "activating",
            ),
            (
                "containerd's cgroup driver",
                "kubelet[811]: E1123 pod_workers.go:191] failed to create containerd task: OCI runtime create failed: \
                 runc \
                 create failed: expected cgroupsPath to be of format \\\"slice:prefix:name\\\" for systemd cgroups, \
                 got \
                 \\\"/kubepods/burstable/pod1/2\\\" instead: unknown",
                "active",
            ),
            (
                "a flag of yesterday",
                "kubelet[811]: E1123 run.go:74] \"command failed\" err=\"failed to parse kubelet flag: unknown flag: \
                 --network-plugin\"",
                "activating",
            ),
            (
                "a field of tomorrow",
                "kubelet[811]: err=\"failed to load kubelet config file, strict decoding error: unknown field \
                 \\\"memorySwap\\\"\"",
                "activating",
            ),
            (
                "a configuration that is none",
                "F1127 01:54:36.099280    1923 server.go:198] failed to load Kubelet config file \
                 /var/lib/kubelet/config.yaml, error failed to decode: yaml: line 38: could not find expected ':'",
                "activating",
            ),
            (
                "one that is not written yet",
                "F1127 01:54:36.099280    1923 server.go:198] failed to load Kubelet config file \
                 /var/lib/kubelet/config.yaml, error failed to read kubelet config file \
                 \"/var/lib/kubelet/config.yaml\", error: open /var/lib/kubelet/config.yaml: no such file or directory",
                "activating",
            ),
            (
                "no runtime",
                "kubelet[811]: E1123 run.go:74] \"command failed\" err=\"failed to run Kubelet: unable to determine \
                 runtime \
                 API version: rpc error: code = Unavailable desc = connection error: desc = \\\"transport: Error while \
                 dialing dial unix /run/containerd/containerd.sock: connect: no such file or directory\\\"\"",
                "activating",
            ),
            (
                "the pause image",
                "kubelet[811]: E1123 \"Failed to create sandbox for pod\" err=\"rpc error: code = Unknown desc = \
                 failed to get \
                 sandbox image \\\"k8s.gcr.io/pause:3.6\\\": failed to pull image \\\"k8s.gcr.io/pause:3.6\\\": dial \
                 tcp \
                 142.250.102.82:443: i/o timeout\"",
                "active",
            ),
        ] {
            tell(&mut told, name, (KUBELET_CHECK, journal, state));
        }
        insta::assert_snapshot!(told);
    }

    /// kubeadm's and the kubelet's sources have these words.
    #[test]
    fn other_words_of_kubeadms_are_understood() {
        let mut told = String::new();
        for (name, output, journal) in [
            ("conntrack missing", "\t[ERROR FileExisting-conntrack]: conntrack not found in system path", ""),
            (
                "no bridge",
                "\t[ERROR FileContent--proc-sys-net-bridge-bridge-nf-call-iptables]: \
                 /proc/sys/net/bridge/bridge-nf-call-iptables does not exist",
                "",
            ),
            ("swap", "\t[ERROR Swap]: running with swap on is not supported. Please disable swap", ""),
            (
                "an image",
                "\t[ERROR ImagePull]: failed to pull image \"k8s.gcr.io/etcd:3.4.13-0\": output: Error response: dial \
                 tcp: \
                 lookup k8s.gcr.io: no such host\n, error: exit status 1",
                "",
            ),
            (
                "an image, since 1.2x",
                "\t[ERROR ImagePull]: failed to pull image registry.k8s.io/kube-apiserver:v1.28.2: output: E1123 1 \
                 remote_image.go:171] PullImage failed",
                "",
            ),
            (
                "no runtime",
                "\t[ERROR CRI]: container runtime is not running: output: time=\"2026-11-23\" level=fatal \
                 msg=\"connect: \
                 connect endpoint 'unix:///run/containerd/containerd.sock': context deadline exceeded\"\n, error: \
                 exit status 1",
                "",
            ),
            (
                "CRI switched off",
                "\t[ERROR CRI]: container runtime is not running: output: rpc error: code = Unimplemented desc = \
                 unknown \
                 service runtime.v1.RuntimeService",
                "",
            ),
            (
                "several runtimes",
                "found multiple CRI endpoints on the host. Please define which one do you wish to use",
                "",
            ),
            ("etcd's data", "\t[ERROR DirAvailable--var-lib-etcd]: /var/lib/etcd is not empty", ""),
            (
                "a join that was cut",
                "\t[ERROR FileAvailable--etc-kubernetes-pki-ca.crt]: /etc/kubernetes/pki/ca.crt already exists",
                "",
            ),
            ("another check", "\t[ERROR NumCPU]: the number of available CPUs 1 is less than the required 2", ""),
            (
                "refused",
                "error execution phase preflight: couldn't validate the identity of the API Server: Get \
                 \"https://10.88.0.11:6443/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s\": dial \
                 tcp \
                 10.88.0.11:6443: connect: connection refused",
                "",
            ),
            (
                "silence",
                "error execution phase preflight: couldn't validate the identity of the API Server: Get \
                 \"https://10.88.0.11:6443/api\": dial tcp 10.88.0.11:6443: i/o timeout",
                "",
            ),
            (
                "no such name",
                "error execution phase preflight: couldn't validate the identity of the API Server: Get \
                 \"https://api.example.com:6443/api\": dial tcp: lookup api.example.com on 10.88.0.1:53: no such host",
                "",
            ),
            (
                "a clock behind",
                "error execution phase preflight: couldn't validate the identity of the API Server: x509: certificate \
                 has \
                 expired or is not yet valid: current time 2026-11-23T18:00:00Z is before 2026-11-23T18:29:57Z",
                "",
            ),
            (
                "an old certificate",
                "x509: certificate has expired or is not yet valid: current time 2026-11-23T18:00:00Z is after \
                 2025-11-23T18:29:57Z",
                "",
            ),
            (
                "a name that is not in the certificate",
                "error execution phase preflight: x509: certificate is valid for 10.96.0.1, 10.88.0.11, not 10.88.0.21",
                "",
            ),
            (
                "a Node of that name",
                "error execution phase kubelet-start: a Node with name \"h2\" and status \"Ready\" already exists in \
                 the cluster. You must delete the existing Node or change the name of this new joining Node",
                "",
            ),
            (
                "TLS bootstrap with a dead token",
                TLS_BOOTSTRAP,
                "kubelet[1]: failed to run Kubelet: cannot create certificate signing request: Unauthorized",
            ),
            (
                "TLS bootstrap through a firewall",
                TLS_BOOTSTRAP,
                "kubelet[1]: Post \"https://10.88.0.11:6443/apis/certificates.k8s.io/v1\": dial tcp 10.88.0.11:6443: \
                 connect: no route to host",
            ),
            ("TLS bootstrap, and no more known", TLS_BOOTSTRAP, ""),
            (
                "the control plane did not come",
                "[wait-control-plane] Waiting for the kubelet\n\nUnfortunately, an error has occurred:\n\ttimed out waiting for the condition\nerror execution phase wait-control-plane: couldn't initialize a Kubernetes cluster",
                "",
            ),
            ("a token in what is told", "\t[ERROR X]: token abcdef.0123456789abcdef \x1b[31mis bad", ""),
            ("nothing known", "error: something else", "kubelet[1]: all is well"),
        ] {
            tell(&mut told, name, (output, journal, ""));
        }
        insta::assert_snapshot!(told);
    }
}
