use std::sync::LazyLock;

use super::symptom::Symptom;
use super::symptom::Where::{self, Journal, Kubeadm};

/// What shows a cause, the more telling first. kubeadm's own words come before the kubelet's: its journal still has
/// what it said before kubeadm ran.
pub(super) static SYMPTOMS: LazyLock<Vec<Symptom>> = LazyLock::new(|| {
    let families = [leftovers(), drain(), host(), runtime(), grant(), clock(), kubelet(), reach()];
    let (of_kubeadm, of_kubelet): (Vec<_>, Vec<_>) =
        families.into_iter().flatten().partition(|symptom| symptom.place == Kubeadm);
    of_kubeadm.into_iter().chain([other_check()]).chain(of_kubelet).collect()
});

/// What is worth a word when nothing else shows: who was waited for in vain.
pub(super) static LAST_SYMPTOMS: LazyLock<Vec<Symptom>> = LazyLock::new(|| {
    let in_vain = [
        Symptom::new(
            Kubeadm,
            r"couldn't initialize a Kubernetes cluster|error execution phase wait-control-plane",
            "the control plane's containers did not come up in time",
            "`crictl ps -a` there shows which one ended, `crictl logs` of it why",
        ),
        Symptom::new(
            Kubeadm,
            r"error execution phase kubelet-start: (?:timed out|error uploading crisocket|context deadline)",
            "the kubelet started and did not become a node in time",
            "`journalctl -u kubelet` there says why: the API server's port and the clock are the usual reasons",
        ),
    ];
    // A kubelet says this at times while all is well, too.
    unreachable(Journal, "").into_iter().chain(in_vain).collect()
});

fn other_check() -> Symptom {
    Symptom::new(
        Kubeadm,
        r"\[ERROR ([\w.-]+)\]: (\S[^\n]*)",
        "kubeadm's check $1 failed: $2",
        "put it right there, or name \"$1\" in ignore_preflight_errors if it may be so",
    )
}

fn leftovers() -> Vec<Symptom> {
    vec![
        Symptom::new(
            Kubeadm,
            r"\[ERROR FileAvailable--etc-kubernetes-manifests-kube-apiserver\.yaml\]",
            "a control plane was made on this host before",
            "if nothing there is needed any more: `kubeadm reset` there, then run this again",
        ),
        Symptom::new(
            Kubeadm,
            r"\[ERROR FileAvailable--etc-kubernetes-kubelet\.conf\]",
            "this host has joined a cluster before",
            "`grep server: /etc/kubernetes/kubelet.conf` there says which; `kubeadm reset` there if it is to leave \
             it, then run this again",
        ),
        Symptom::new(
            Kubeadm,
            r"\[ERROR FileAvailable--etc-kubernetes-pki-ca\.crt\]",
            "a join that was cut left its ca.crt on this host",
            "`kubeadm reset` there, then run this again",
        ),
        Symptom::new(
            Kubeadm,
            r"\[ERROR DirAvailable--var-lib-etcd\]",
            "etcd's data of a former cluster is on this host",
            "`kubeadm reset` there if it is not needed any more; to build on it, name \"DirAvailable--var-lib-etcd\" \
             in ignore_preflight_errors",
        ),
    ]
}

fn drain() -> Vec<Symptom> {
    vec![
        Symptom::new(
            Kubeadm,
            r"violate the pod's disruption budget",
            "a disruption budget does not let one of its pods go",
            "`kubectl get pdb -A` shows which; run more pods of it elsewhere, or give the drain more time with \
             --drain-timeout",
        ),
        Symptom::new(
            Kubeadm,
            r"cannot delete Pods with local storage|cannot delete Pods not managed by",
            "kubectl does not drain pods that would lose something",
            "--delete-emptydir-data lets pods go with what is in their emptyDir volumes, --force lets pods go that \
             nothing makes anew",
        ),
    ]
}

fn host() -> Vec<Symptom> {
    vec![
        Symptom::new(
            Kubeadm,
            r"\[ERROR FileContent--proc-sys-net-ipv4-ip_forward\]",
            "this host does not forward packets: net.ipv4.ip_forward is not 1",
            "kfleet sets it: look for what sets it back, `grep -r ip_forward /etc/sysctl.conf /etc/sysctl.d` there",
        ),
        Symptom::new(
            Kubeadm,
            r"\[ERROR FileContent--proc-sys-net-bridge-bridge-nf-call-iptables\]",
            "bridged packets do not pass iptables on this host: br_netfilter is not loaded, or its sysctl is not 1",
            "`modprobe br_netfilter && sysctl net.bridge.bridge-nf-call-iptables=1` there says what is in the way",
        ),
        Symptom::new(
            Kubeadm,
            r"\[ERROR Swap\]|running with swap on is not supported",
            "this host swaps, and the kubelet does not start then",
            "`swapoff -a` there and take it out of /etc/fstab",
        ),
        Symptom::new(
            Kubeadm,
            r"\[ERROR Port-(\d+)\]",
            "port $1 is in use on this host",
            "`ss -ltnp 'sport = :$1'` there names the program",
        ),
        Symptom::new(
            Kubeadm,
            r"\[ERROR FileExisting-([\w.-]+)\]",
            "$1 is not installed on this host",
            "install the package that has $1 there (crictl is in cri-tools, ip and tc in iproute2, mount and nsenter \
             in util-linux)",
        ),
        Symptom::new(
            Kubeadm,
            r#"a Node with name "([^"\s]+)" and status "Ready" already exists"#,
            "another host is in the cluster as $1 already",
            "`hostnamectl set-hostname` another name here; or `kubectl delete node $1` if that host is gone",
        ),
    ]
}

fn runtime() -> Vec<Symptom> {
    const CRI_OFF: &str =
        "the container runtime answers and speaks no CRI: containerd's CRI plugin is switched off or too old";
    const CRI_ON: &str = "take \"cri\" out of disabled_plugins in /etc/containerd/config.toml there, then `systemctl \
                          restart containerd`";
    const PULL_IT: &str = "the host must reach that registry; or give image_repository or a mirror, or load the \
                           images there \
                           beforehand: `ctr -n k8s.io images import`";
    vec![
        Symptom::new(Kubeadm, r"unknown service runtime\.v1", CRI_OFF, CRI_ON),
        Symptom::new(Journal, r"unknown service runtime\.v1", CRI_OFF, CRI_ON),
        Symptom::new(
            Kubeadm,
            r"\[ERROR CRI\]",
            "the container runtime does not run on this host",
            "`systemctl status containerd` there, or of CRI-O's or Docker's unit",
        ),
        Symptom::new(
            Kubeadm,
            r"[Ff]ound multiple CRI (?:sockets|endpoints)",
            "this host has several container runtimes, and kubeadm does not choose",
            "give `cri_socket` for it",
        ),
        Symptom::new(Kubeadm, r#"failed to pull image "?([^\s"]+?)"?:\s"#, "the image $1 cannot be pulled", PULL_IT),
        Symptom::new(
            Journal,
            r#"failed to get sandbox image \\?"([^"\\]+)"#,
            "the pause image $1 cannot be pulled, so no pod starts",
            PULL_IT,
        ),
        Symptom::new(
            Journal,
            r"failed to run Kubelet: [^\n]*dial unix (\S+?):",
            "the container runtime does not listen at $1",
            "`systemctl status containerd` there, or of CRI-O's or Docker's unit; `cri_socket` must name the socket \
             that is there",
        ),
    ]
}

fn grant() -> Vec<Symptom> {
    const FRESH: &str =
        "run this again: every run makes a token of its own (by hand: `kubeadm token create --print-join-command`)";
    vec![
        Symptom::new(
            Kubeadm,
            r#"could not find a JWS signature in the cluster-info ConfigMap for token ID "(\w+)""#,
            "the cluster does not know the token $1: it has expired, was revoked, or is another cluster's",
            FRESH,
        ),
        Symptom::new(
            Kubeadm,
            r"failed to get config map: Unauthorized",
            "the token is not valid any more: it was good for discovery only",
            FRESH,
        ),
        Symptom::new(
            Journal,
            r"certificate signing request: Unauthorized",
            "the token ended before the kubelet had its certificate",
            FRESH,
        ),
        Symptom::new(
            Kubeadm,
            r#"none of the public keys "(sha256:[0-9a-f]+)" are pinned"#,
            "the API server there has another CA ($1) than this cluster",
            "something else answers at that address, or the cluster was made anew: run this again",
        ),
    ]
}

fn clock() -> Vec<Symptom> {
    [Kubeadm, Journal]
        .into_iter()
        .flat_map(|place| {
            [
                Symptom::new(
                    place,
                    r"x509: certificate has expired or is not yet valid: current time (\S+) is before (\S+?)[\s\x22]*(?:\n|$)",
                    "this host's clock is behind: it reads $1, and the certificate is valid from $2",
                    "let chrony or systemd-timesyncd set it: `timedatectl set-ntp true`",
                ),
                Symptom::new(
                    place,
                    r"x509: certificate has expired or is not yet valid",
                    "a certificate has expired, or this host's clock is wrong",
                    "`kubeadm certs check-expiration` on the control plane, and `timedatectl` here",
                ),
                Symptom::new(
                    place,
                    r"x509: certificate is valid for [^\n]*, not ([^\s\x22]+)",
                    "the API server's certificate does not name $1",
                    "name it in cert_sans; on a living cluster: move pki/apiserver.* aside and `kubeadm init phase \
                     certs apiserver --config`",
                ),
            ]
        })
        .collect()
}

fn reach() -> Vec<Symptom> {
    let mut symptoms = vec![
        Symptom::new(
            Kubeadm,
            r"unable to fetch the kubeadm-config ConfigMap: [^\n]*dial tcp ([^\s]+:\d+): ",
            "discovery passed and then sent this host to $1, where no API server answers: the cluster-info ConfigMap \
             still has an old address",
            "on the control plane: `kubectl -n kube-public edit configmap cluster-info`, or `kubeadm init phase \
             bootstrap-token` signs it anew",
        ),
        Symptom::new(
            Kubeadm,
            r"error execution phase [^\n]*lookup (\S+?)(?: on \S+)?: no such host",
            "this host does not know the name $1",
            "it must be in /etc/hosts there or in DNS: an entry in [hosts_file] puts it there",
        ),
    ];
    // kubeadm's own line only: the kubelet's health check is refused in these words too.
    symptoms.extend(unreachable(Kubeadm, r"error execution phase [^\n]*"));
    symptoms
}

/// The API server, asked by `place` in a line that begins with `before`.
fn unreachable(place: Where, before: &str) -> [Symptom; 3] {
    const API: &str = r"dial tcp (\S+:\d+): (?:connect: )?";
    [
        Symptom::new(
            place,
            &format!("{before}{API}(?:no route to host|network is unreachable)"),
            "nothing lets this host through to $1: a firewall rejects it, or no host has that address",
            "on the control plane: is that its address, and has `firewall-cmd --list-ports` its port?",
        ),
        Symptom::new(
            place,
            &format!("{before}{API}connection refused"),
            "nothing listens at $1, or a firewall refuses this host: does the API server run?",
            "on the control plane: `crictl ps -a`, `journalctl -u kubelet`, and its rules for this host",
        ),
        Symptom::new(
            place,
            &format!("{before}{API}(?:i/o timeout|connection timed out)"),
            "$1 does not answer: a firewall drops it, or no host has that address",
            "on the control plane: is that its address? And between: firewalls, security groups, routes",
        ),
    ]
}

fn kubelet() -> Vec<Symptom> {
    vec![
        Symptom::new(
            Journal,
            r"running with swap on is not supported",
            "this host swaps, and the kubelet does not start then",
            "`swapoff -a` there and take it out of /etc/fstab",
        ),
        Symptom::new(
            Journal,
            r#"kubelet cgroup driver: \\?"?(\w+)\\?"? is different from docker cgroup driver: \\?"?(\w+)"#,
            "the kubelet makes cgroups by $1, Docker by $2",
            "in /etc/docker/daemon.json there: \"exec-opts\": [\"native.cgroupdriver=$1\"]; then `systemctl restart \
             docker`",
        ),
        Symptom::new(
            Journal,
            r"expected cgroupsPath to be of format",
            "the container runtime makes cgroups by systemd, the kubelet by cgroupfs",
            "a KubeletConfiguration with `cgroupDriver: systemd` in kubeadm_documents, or SystemdCgroup = false in \
             /etc/containerd/config.toml there",
        ),
        Symptom::new(
            Journal,
            r"unknown (?:shorthand )?flag: ([^\s\x22\\]+)",
            "the kubelet does not know its flag $1",
            "it is in /var/lib/kubelet/kubeadm-flags.env, /etc/default/kubelet, /etc/sysconfig/kubelet or a drop-in of \
             kubelet.service there: take it out",
        ),
        Symptom::new(
            Journal,
            r#"strict decoding error: unknown field \\?"([^"\\]+)"#,
            "the kubelet does not know the field $1 of its configuration",
            "a document in kubeadm_documents has it, or the cluster is newer than this kubelet",
        ),
        Symptom::new(
            Journal,
            r"failed to load [Kk]ubelet config file,? (?:path: )?([^\s,]+), error:? (failed to decode[^\n]*)",
            "the kubelet cannot read its configuration $1: $2",
            "put it right there; `kubectl -n kube-system get configmap` has kubeadm's own, in kubelet-config",
        ),
    ]
}
