//! The job of a control plane, run in a directory that stands for a host: its programs are stand-ins.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::AddressChange;
use super::moved_control_plane::SCRIPT;

const OLD: &str = "10.88.0.11";
const NEW: &str = "10.88.0.111";
const ALONE: &str = "8e9e05c52164694d, started, h1, https://10.88.0.11:2380, https://10.88.0.11:2379, false\n";
const OTHER: &str = "1e9e05c52164694d, started, h0, https://10.88.0.10:2380, https://10.88.0.10:2379, false\n";

/// `$root` is the host's; what a stand-in was told is in `$root/told`.
const PROGRAMS: [(&str, &str); 8] = [
    // NAME ADDRESS DAYS: that certificate and its key below $pki.
    (
        "sign",
        "case $1 in etcd/*) ca=$pki/etcd/ca ;; *) ca=$pki/ca ;; esac
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $pki/$1.key -out $root/request -subj /CN=of-h1
echo subjectAltName=IP:$2 >$root/names
openssl x509 -req -in $root/request -CA $ca.crt -CAkey $ca.key -CAcreateserial -CAserial $root/serial -days $3 -extfile $root/names -out $pki/$1.crt",
    ),
    (
        "kubeadm",
        "case $4 in etcd-*) name=etcd/${4#etcd-} ;; *) name=$4 ;; esac
echo \"kubeadm $4\" >>$root/told
pki=${6%/*}/pki sign $name $(head -n 1 $6) 365 2>/dev/null
cp $6 $root/configuration",
    ),
    (
        "kubectl",
        "case $* in
*kubeadm-config*) printf 'apiVersion: kubeadm.k8s.io/v1beta4\nencryptionAlgorithm: ECDSA-P256\nkind: ClusterConfiguration\n' ;;
esac
case $* in *readyz*) ;; *) exit 0 ;; esac
[ -e $root/misses ] || exit 0
rm $root/misses
exit 1",
    ),
    ("systemctl", "echo \"systemctl $*\" >>$root/told"),
    (
        "etcdctl",
        "case $* in
*health) ;;
*list) cat $root/members ;;
*save*)
    eval last=\\$$#
    { echo data; test -e $root/broken || echo data | openssl dgst -sha256 -binary; } >$last ;;
*update*) echo \"$*\" | sed 's/.*member/member/' >>$root/told ;;
esac",
    ),
    ("df", "printf 'Filesystem\\n/dev/x 0 0 %s 0%% /\\n' $(cat $root/free)"),
    ("sync", ""),
    ("curl", ""),
];

struct Host {
    root: TempDir,
}

impl Host {
    /// A control plane at the old address; `None` where there is no openssl to sign with.
    fn at_old() -> Option<Self> {
        Command::new("openssl").arg("version").stdout(Stdio::null()).status().ok()?;
        let host = Self { root: tempfile::tempdir().unwrap() };
        for (name, text) in PROGRAMS {
            host.write(&format!("bin/{name}"), &format!("#!/bin/sh -e\n{text}\n"));
            fs::set_permissions(host.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
        }
        host.write("free", "1000000");
        host.write("members", ALONE);
        let data = host.path("var/lib/etcd");
        host.write("var/lib/etcd/member/snap/db", "data");
        let etcd = format!(
            "    - --data-dir={}\n    - --initial-cluster=h1=https://{OLD}:2380\n    image: etcd:1\n",
            data.display()
        );
        host.write("etc/kubernetes/manifests/etcd.yaml", &etcd);
        host.write("etc/kubernetes/admin.conf", &format!("server: https://{OLD}:6443\ndata: one\n"));
        host.write("etc/kubernetes/kubelet.conf", &format!("server: https://{OLD}:6443\n"));
        host.write("var/lib/kubelet/kubeadm-flags.env", &format!("--node-ip={OLD}\n"));
        host.write("etc/kubernetes/pki/etcd/none", "");
        for ca in ["ca", "etcd/ca"] {
            host.shell(&format!(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $pki/{ca}.key \
                 -out $pki/{ca}.crt -subj /CN=ca -days 3650 2>/dev/null"
            ));
        }
        for name in ["apiserver", "etcd/server", "etcd/peer"] {
            host.sign(name, OLD, 200);
        }
        Some(host)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        assert!(self.read(path).contains(from));
        self.write(path, &self.read(path).replace(from, to));
    }

    fn command(&self, script: &str) -> Command {
        let root = self.root.path();
        let mut command = Command::new("/bin/sh");
        command.args(["-euc", script]).current_dir(root).env("root", root).env("pki", root.join("etc/kubernetes/pki"));
        command.env("PATH", format!("{}:{}", root.join("bin").display(), std::env::var("PATH").unwrap()));
        command
    }

    fn shell(&self, script: &str) -> String {
        let output = self.command(script).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn sign(&self, name: &str, address: &str, days: u32) {
        self.shell(&format!("sign {name} {address} {days} 2>/dev/null"));
    }

    /// The job; whether it came to its end, and what it said.
    fn job(&self, from: &str, to: &str, restore: &str) -> (bool, String) {
        self.write("certificates.yaml", to);
        let _ = fs::remove_file(self.path("told"));
        let change = AddressChange { from: [from.parse().unwrap()].into(), to: to.parse().unwrap() };
        let root = self.root.path().display().to_string();
        let script = format!("{}{SCRIPT}", change.prelude());
        let script = script.replace("/etc/", "@root/etc/").replace("/var/", "@root/var/");
        let set = format!("snapshot= restore={restore} node=h1 port=6443 service= users= ");
        let output = self.command(&format!("exec 2>&1\n{set}\n{}", script.replace("@root", &root))).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }

    #[track_caller]
    fn moves(&self, from: &str, to: &str, restore: &str) -> String {
        let (ended, said) = self.job(from, to, restore);
        assert!(ended, "{said}");
        said
    }

    /// The files of a directory, each with its digest.
    fn tree(&self, path: &str) -> String {
        self.shell(&format!("cd {} && find . -type f | sort | xargs sha256sum", self.path(path).display()))
    }

    fn recorded(&self, key: &str) -> String {
        let record = self.read("var/lib/kfleet/reinit/change");
        record.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned()
    }

    fn has_name(&self, certificate: &str, address: &str) -> bool {
        let pki = format!("openssl x509 -noout -ext subjectAltName -in $pki/{certificate}.crt");
        self.shell(&pki).lines().any(|line| line.trim() == format!("IP Address:{address}"))
    }
}

#[test]
fn a_rollback_puts_back_what_nobody_has_changed() {
    let Some(host) = Host::at_old() else { return };
    let before = host.tree("etc/kubernetes");
    host.moves(OLD, NEW, "");
    assert!(host.read("told").contains("member update 8e9e05c52164694d --peer-urls=https://10.88.0.111:2380"));
    assert!(host.has_name("etcd/peer", NEW));
    assert_eq!(host.read("configuration"), format!("{NEW}\nencryptionAlgorithm: ECDSA-P256\n"));
    let backup = host.recorded("backup=");
    host.write("members", &ALONE.replace(OLD, NEW));
    host.moves(NEW, OLD, &backup);
    assert_eq!(host.tree("etc/kubernetes"), before);
    assert_eq!(host.read("var/lib/kubelet/kubeadm-flags.env"), format!("--node-ip={OLD}\n"));
}

#[test]
fn a_rollback_does_not_take_back_an_upgrade_or_a_renewal() {
    let Some(host) = Host::at_old() else { return };
    let peer = host.read("etc/kubernetes/pki/etcd/peer.crt");
    host.moves(OLD, NEW, "");
    host.edit("etc/kubernetes/manifests/etcd.yaml", "etcd:1", "etcd:2");
    host.edit("etc/kubernetes/admin.conf", "data: one", "data: two");
    host.sign("apiserver", NEW, 365);
    host.sign("etcd/server", NEW, 365);
    let backup = host.recorded("backup=");
    host.moves(NEW, OLD, &backup);
    let etcd = host.read("etc/kubernetes/manifests/etcd.yaml");
    assert!(etcd.contains("etcd:2") && etcd.contains(OLD) && !etcd.contains(NEW), "{etcd}");
    assert_eq!(host.read("etc/kubernetes/admin.conf"), format!("server: https://{OLD}:6443\ndata: two\n"));
    assert_eq!(host.read("told").matches("kubeadm").count(), 2, "the two that were renewed are signed anew");
    assert!(host.has_name("apiserver", OLD) && host.has_name("etcd/server", OLD));
    assert_eq!(host.read("etc/kubernetes/pki/etcd/peer.crt"), peer);
}

#[test]
fn a_certificate_that_is_no_good_any_more_is_signed_anew() {
    // Of another CA, about to end, with another's key.
    for spoil in [
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $pki/ca.key -out $pki/ca.crt -subj /CN=b",
        "pki=$backup sign apiserver 10.88.0.11 20",
        "cp $backup/etcd/peer.key $backup/apiserver.key",
    ] {
        let Some(host) = Host::at_old() else { return };
        host.moves(OLD, NEW, "");
        let backup = host.recorded("backup=");
        host.shell(&format!("backup={backup}/etc-kubernetes/pki\n{{ {spoil}; }} 2>/dev/null"));
        host.moves(NEW, OLD, &backup);
        assert!(host.read("told").contains("kubeadm apiserver\n"), "{spoil}");
        assert!(!host.read("told").contains("kubeadm etcd"), "{spoil}");
    }
}

#[test]
fn what_was_changed_since_it_was_cut_is_not_put_back() {
    let Some(host) = Host::at_old() else { return };
    host.edit("bin/etcdctl", "*update*)", "*update*) test -e $root/mended || exit 1;");
    assert!(!host.job(OLD, NEW, "").0);
    assert_eq!(host.recorded("state="), "serving");
    host.edit("etc/kubernetes/manifests/etcd.yaml", "etcd:1", "etcd:2");
    host.write("mended", "");
    // The API server misses one answer meanwhile.
    host.write("misses", "");
    host.moves(OLD, NEW, "");
    let etcd = host.read("etc/kubernetes/manifests/etcd.yaml");
    assert!(etcd.contains("etcd:2") && etcd.contains(NEW), "{etcd}");
    assert!(!host.read("told").contains("systemctl"), "nothing was to be put in place: {}", host.read("told"));
    assert_eq!(host.recorded("state="), "done");
}

#[test]
fn what_was_cut_in_the_middle_of_putting_it_in_place_goes_on() {
    let Some(host) = Host::at_old() else { return };
    // After a key, before its certificate.
    host.edit("bin/systemctl", "echo", "[ $1 != stop ] || kill $PPID; echo");
    assert!(!host.job(OLD, NEW, "").0);
    assert_eq!(host.recorded("state="), "staged");
    host.edit("bin/systemctl", "[ $1 != stop ] || kill $PPID; echo", "echo");
    host.shell("cp var/lib/kfleet/reinit/stage/pki/apiserver.key $pki/apiserver.key");
    host.moves(OLD, NEW, "");
    let pair = "openssl pkey -pubout -in $pki/apiserver.key; openssl x509 -noout -pubkey -in $pki/apiserver.crt";
    let pair = host.shell(pair);
    let (key, certificate) = pair.split_at(pair.len() / 2);
    assert_eq!(key, certificate);
    assert!(host.has_name("apiserver", NEW));
}

#[test]
fn what_is_everywhere_already_restarts_nothing_and_what_others_sign_is_told() {
    let Some(host) = Host::at_old() else { return };
    host.moves(OLD, NEW, "");
    let spare = host.path("etc/kubernetes/pki/old");
    fs::create_dir_all(&spare).unwrap();
    host.shell(
        "cp $(ls -d var/lib/kfleet/reinit/backup-*)/etc-kubernetes/pki/apiserver.crt $pki/old/apiserver.crt
mkdir -p var/lib/kubelet/pki
cp $pki/old/apiserver.crt var/lib/kubelet/pki/kubelet-server-current.pem",
    );
    let said = host.moves(OLD, NEW, "");
    assert!(!host.read("told").contains("systemctl"), "{}", host.read("told"));
    assert!(said.contains("[kfleet:note] the old address is still in: ") && said.contains("/pki/old/apiserver.crt\n"));
    assert!(
        said.contains("kubelet-server-current.pem until the kubelet's request for a new one is approved"),
        "{said}"
    );
}

#[test]
fn nothing_is_changed_where_etcd_has_other_members() {
    let Some(host) = Host::at_old() else { return };
    let before = host.tree("etc");
    let refused = |how: &str| {
        let (ended, said) = host.job(OLD, NEW, "");
        assert!(!ended && said.contains("etcd has 2 members"), "{how}: {said}");
        assert_eq!(host.tree("etc"), before, "{how}");
        assert!(!host.path("told").exists(), "{how}");
    };
    host.write("members", &format!("{OTHER}{ALONE}"));
    refused("etcdctl");
    let member =
        |id: &str, last: u8| format!(r#"{{"ID":"{id}","name":"h","peerURLs":["https://10.88.0.{last}:2380"]}}"#);
    let json = |members: &str| format!(r#"{{"header":{{"member_id":"7"}},"members":[{members}]}}"#);
    fs::rename(host.path("bin/etcdctl"), host.path("etcdctl")).unwrap();
    host.write("bin/curl", "#!/bin/sh\ncase $* in *list) cat $root/members ;; *update) echo \"$*\" >>$root/told ;; *snapshot) cat $root/blob ;; esac\n");
    fs::set_permissions(host.path("bin/curl"), fs::Permissions::from_mode(0o755)).unwrap();
    host.write("members", &json(&format!("{},{}", member("12", 10), member("34", 11))));
    refused("curl");
    host.shell("printf '{\"result\":{\"blob\":\"%s\"}}\\n' $({ echo data; echo data | openssl dgst -sha256 -binary; } | base64 -w 0) >blob");
    host.write("members", &json(&member("34", 11)));
    host.moves(OLD, NEW, "");
    assert!(
        host.read("told").contains(r#"{"ID":"34","peerURLs":["https://10.88.0.111:2380"]}"#),
        "{}",
        host.read("told")
    );
}

#[test]
fn a_rollback_that_fails_early_can_be_tried_again() {
    let Some(host) = Host::at_old() else { return };
    host.moves(OLD, NEW, "");
    let record = host.read("var/lib/kfleet/reinit/change");
    let backup = host.recorded("backup=");
    let after = host.tree("etc");
    let fails = |why: &str| {
        let (ended, said) = host.job(NEW, OLD, &backup);
        assert!(!ended && said.contains(why), "{said}");
        assert_eq!(host.read("var/lib/kfleet/reinit/change"), record, "{why}");
        assert!(!host.path("var/lib/kfleet/reinit/half").exists(), "{why}");
        assert!(!host.read("told").contains("systemctl"), "{why}");
        assert_eq!(host.tree("etc"), after, "{why}");
    };
    host.write("free", "30000");
    fails("takes 0 MB, and 29 MB are free in ");
    host.write("free", "1000000");
    host.write("broken", "");
    fails("etcd's snapshot is not whole");
}
