use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use similar::TextDiff;

use crate::ran::Ran;

/// A lab of real hosts, h1 (the control plane) to hN, for one test; the next test gets another, or this one if it was
/// handed back intact.
///
/// It is called `test`, or what KFLEET_LAB_NAME says. When the tests end, in whatever way, it is taken down.
pub struct Lab {
    bench: MutexGuard<'static, Bench>,
    /// Where the scripts keep the lab's keys and inventory.
    directory: PathBuf,
    since: Instant,
}

/// What there is between two tests.
struct Bench {
    /// Takes the lab down when this process ends; see `keeper`.
    keeper: Option<ChildStdin>,
    /// Whether a Ready cluster of three hosts, made by this kfleet, was saved.
    saved: bool,
    /// Whether that cluster is up, as it was saved.
    stands: bool,
}

/// Whether whole matrices are to be run.
pub fn full() -> bool {
    std::env::var_os("KFLEET_TEST_FULL").is_some_and(|full| full == "1")
}

static BENCH: Mutex<Bench> = Mutex::new(Bench { keeper: None, saved: false, stands: false });

/// What three hosts on two cores need at most, several times over.
const PATIENCE: Duration = Duration::from_secs(180);

impl Lab {
    /// Bare hosts, fresh from the image.
    pub fn bare(hosts: u8) -> Self {
        let mut lab = Self::take();
        lab.bench.stands = false;
        lab.script("down", &[]).exits(0);
        lab.script("up", &[&hosts.to_string()]).exits(0);
        let _ = fs::remove_dir_all(lab.state());
        lab
    }

    /// Three hosts that `kfleet up` has made a Ready cluster.
    pub fn ready() -> Self {
        let mut lab = Self::take();
        if !lab.bench.saved {
            drop(lab);
            lab = Self::bare(3);
            lab.up(&[]).exits(0);
            lab.save();
        } else if !lab.bench.stands {
            lab.script("restore", &[&lab.saved_name()]).exits(0);
            let _ = fs::remove_dir_all(lab.state());
            copy(&lab.work("saved-state"), &lab.state());
            lab.wait_until_ready();
        }
        lab.bench.stands = false;
        lab
    }

    /// Puts this Ready cluster aside for all later `ready`.
    fn save(&mut self) {
        self.script("save", &[&self.saved_name()]).exits(0);
        let aside = self.work("saved-state");
        let _ = fs::remove_dir_all(&aside);
        copy(&self.state(), &aside);
        self.bench.saved = true;
    }

    /// Hands the lab on as it was taken from `ready`, so that the next test need not restore it. A test that fails does
    /// not come to this.
    pub fn intact(mut self) {
        self.bench.stands = true;
    }

    fn take() -> Self {
        // A test that failed while it had the lab leaves nothing half-done here.
        let mut bench = BENCH.lock().unwrap_or_else(PoisonError::into_inner);
        bench.stands &= bench.saved;
        bench.keeper.get_or_insert_with(keeper);
        let printed = Ran::from(script("dir", &[]).output().unwrap()).exits(0);
        Self { bench, directory: printed.stdout.trim_end().into(), since: Instant::now() }
    }

    fn saved_name(&self) -> String {
        format!("{}-ready", name())
    }

    /// A directory of these tests' own.
    fn work(&self, part: &str) -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lab-{}", name())).join(part)
    }

    /// XDG_STATE_HOME of kfleet.
    fn state(&self) -> PathBuf {
        self.work("state")
    }

    /// The admin kubeconfig that kfleet has fetched.
    pub fn fetched_kubeconfig(&self) -> PathBuf {
        self.state().join("kfleet/lab/admin.conf")
    }

    /// A file of the lab's run directory: inventory.toml, known_hosts, id_ed25519, admin.password.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The lab's inventory with these texts, which must be in it, replaced; gives its path.
    pub fn inventory(&self, replaced: &[(&str, &str)]) -> PathBuf {
        let mut text = fs::read_to_string(self.file("inventory.toml")).unwrap();
        for (from, to) in replaced {
            assert!(text.contains(from), "{from:?} is not in {text}");
            text = text.replace(from, to);
        }
        self.written("inventory.toml", &text)
    }

    /// A file of the test's own.
    pub fn written(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs one of scripts/lab.
    pub fn script(&self, name: &str, arguments: &[&str]) -> Ran {
        script(name, arguments).output().unwrap().into()
    }

    /// `kfleet` on the workstation's side of the lab. Spawned, the child is kfleet itself.
    pub fn kfleet(&self, arguments: &[&str]) -> Command {
        let mut command = script("exec", &[env!("CARGO_BIN_EXE_kfleet")]);
        command.args(arguments).env("XDG_STATE_HOME", self.state()).env("NO_COLOR", "1");
        for variable in ["KFLEET_INVENTORY", "KFLEET_SUDO_PASSWORD", "KFLEET_CA_PASSPHRASE", "SSH_AUTH_SOCK"] {
            command.env_remove(variable);
        }
        command
    }

    /// `kfleet up` with the lab's own inventory.
    pub fn up(&self, arguments: &[&str]) -> Ran {
        self.up_with(&self.file("inventory.toml"), arguments)
    }

    /// `kfleet up --json` with the lab's own inventory, under way.
    pub fn begin(&self) -> Child {
        let mut command = self.kfleet(&["up", "--json", "-i"]);
        command.arg(self.file("inventory.toml")).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// `kfleet plan` with the lab's own inventory.
    pub fn plan(&self, arguments: &[&str]) -> Ran {
        let mut command = self.kfleet(&["plan", "-i"]);
        command.arg(self.file("inventory.toml")).args(arguments).output().unwrap().into()
    }

    /// `kfleet history`: what it prints.
    pub fn history(&self, arguments: &[&str]) -> String {
        let mut command = self.kfleet(&["history"]);
        command.args(arguments).arg("-i").arg(self.file("inventory.toml"));
        Ran::from(command.output().unwrap()).exits(0).stdout
    }

    /// `kfleet up` with another inventory.
    pub fn up_with(&self, inventory: &Path, arguments: &[&str]) -> Ran {
        let mut command = self.kfleet(&["up", "-i"]);
        command.arg(inventory).args(arguments).output().unwrap().into()
    }

    /// Runs a script as root on a host, past its sshd; what it prints, without the last line end.
    #[track_caller]
    pub fn root(&self, host: &str, script: &str) -> String {
        let ran = self.try_root(host, script).exits(0);
        ran.stdout.strip_suffix('\n').unwrap_or(&ran.stdout).to_owned()
    }

    /// As `root`, and it may fail.
    pub fn try_root(&self, host: &str, script: &str) -> Ran {
        self.script("root", &[host, "sh", "-c", script])
    }

    /// A command of `ops` on a host.
    pub fn ssh(&self, host: &str, command: &str) -> Ran {
        self.script("ssh", &[host, command])
    }

    /// `kubectl` as root on h1; what it prints, without the last line end.
    #[track_caller]
    pub fn kubectl(&self, arguments: &str) -> String {
        self.root("h1", &format!("kubectl --kubeconfig /etc/kubernetes/admin.conf {arguments}"))
    }

    /// As `kubectl`, and it may fail.
    pub fn try_kubectl(&self, arguments: &str) -> Ran {
        self.try_root("h1", &format!("kubectl --kubeconfig /etc/kubernetes/admin.conf {arguments}"))
    }

    /// `kubectl apply` of a manifest.
    pub fn apply(&self, manifest: &str) {
        let mut command = script("root", &["h1", "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "apply"]);
        let command = command.args(["-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut kubectl = command.spawn().unwrap();
        kubectl.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
        Ran::from(kubectl.wait_with_output().unwrap()).exits(0);
    }

    /// The Nodes, as `h1 True` where they are Ready.
    pub fn nodes(&self) -> Vec<String> {
        let ready = r#"{.status.conditions[?(@.type=="Ready")].status}"#;
        let nodes = format!(r#"get nodes -o 'jsonpath={{range .items[*]}}{{.metadata.name}} {ready}{{"\n"}}{{end}}'"#);
        self.kubectl(&nodes).lines().map(str::to_owned).collect()
    }

    /// Waits until the cluster works again after its hosts have booted. What the API server has stored of before says
    /// nothing.
    pub fn wait_until_ready(&self) {
        let booted = jiff::Timestamp::now().to_string();
        let renewed = |lease: &str| lease.split_once(' ').is_some_and(|(_, time)| *time > *booted);
        let lease = r#"{range .items[*]}{.metadata.name} {.spec.renewTime}{"\n"}{end}"#;
        let leases = format!("get leases -n kube-node-lease -o 'jsonpath={lease}'");
        self.wait("every kubelet to be heard of again", || {
            let leases = self.try_kubectl(&leases);
            leases.code == 0 && !leases.stdout.is_empty() && leases.stdout.lines().all(renewed)
        });
        let hosts: Vec<_> = self.nodes().iter().filter_map(|node| Some(node.split_once(' ')?.0.to_owned())).collect();
        self.wait("every Node to be Ready", || self.nodes().iter().all(|node| node.ends_with(" True")));
        self.wait("flannel on every host", || {
            hosts
                .iter()
                .all(|host| self.try_root(host, "test -s /run/flannel/subnet.env && ip link show flannel.1").code == 0)
        });
        // Through kube-proxy's rules and, since CoreDNS is not on every host, through the pod network.
        self.wait("CoreDNS to be reached from every host", || {
            hosts.iter().all(|host| self.try_root(host, "nc -z -w 1 10.96.0.10 53").code == 0)
        });
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn wait(&self, what: &str, so: impl Fn() -> bool) {
        let since = Instant::now();
        while !so() {
            assert!(since.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// Everything on these hosts that kfleet may ever write: each file with inode, mode, owner and times, and the
    /// firewall in force.
    pub fn traces(&self, hosts: &[&str]) -> Traces {
        const FILES: &str = "find /etc /home /root /var/lib/kfleet /var/lib/kubelet/config.yaml \
                             /var/lib/kubelet/kubeadm-flags.env -xdev -printf '%p %i %m %u:%g %s %T@ %C@ %l\\n' | sort";
        const STATE: &str = "firewall-cmd --list-all-zones 2>&1; sysctl -a 2>/dev/null | \
                             grep -E 'ip_forward |bridge-nf-call|rp_filter'; systemctl is-enabled kubelet firewalld";
        let of_host = |host: &&str| {
            let files = self.root(host, FILES);
            (host.to_string(), format!("{files}\n{}", self.try_root(host, STATE).stdout))
        };
        Traces(hosts.iter().map(of_host).collect())
    }

    /// What a host has of its own, to be held against what it has when `up` was taken back: files by contents, mode and owner,
    /// what is in force of firewall, packet rules, sysctls, links and routes.
    pub fn own(&self, hosts: &[&str]) -> Traces {
        const OWN: &str = r#"
            places='/etc /home /root /opt /usr/lib/modules /usr/libexec /var/lib/calico /var/lib/cni /var/lib/etcd /var/lib/kfleet
                    /var/lib/kubelet /var/lib/weave /var/log/pods /var/log/containers /run/flannel'
            find $places -xdev -printf '%p %y %m %u:%g %l\n' 2>/dev/null | sort
            find $places -xdev -type f -exec sha256sum {} + 2>/dev/null | sort -k 2
            firewall-cmd --list-all-zones; firewall-cmd --permanent --list-all-zones
            sysctl -a 2>/dev/null | grep -E 'ip_forward |bridge-nf-call'
            systemctl is-enabled kubelet firewalld; systemctl is-active kubelet
            ls /sys/class/net; ip route; ipset list -n | sort
            for tool in iptables iptables-legacy ip6tables ip6tables-legacy; do
                $tool-save 2>/dev/null | sed -n -E "s/^(:[^ ]+ -) .*/$tool \1/p; s/^-A/$tool &/p"
            done"#;
        Traces(hosts.iter().map(|host| (host.to_string(), self.try_root(host, OWN).stdout)).collect())
    }

    /// The objects in the cluster of those kinds that kfleet applies or kubeadm makes, with their versions.
    pub fn objects(&self) -> Traces {
        let fields = [".kind", ".metadata.namespace", ".metadata.name", ".metadata.uid", ".metadata.resourceVersion"];
        let fields = fields.map(|field| format!("{{{field}}}")).join(" ");
        let kinds = "ns,sa,cm,ds,secrets,clusterroles,clusterrolebindings";
        let list = format!(r#"get {kinds} -A -o 'jsonpath={{range .items[*]}}{fields}{{"\n"}}{{end}}'"#);
        Traces([("the cluster".to_owned(), self.kubectl(&list))].into())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        eprint!("{} s, ", self.since.elapsed().as_secs());
    }
}

/// What is somewhere, to be held against what is there later.
pub struct Traces(BTreeMap<String, String>);

impl Traces {
    /// Stops the test, and shows what differs, unless both are the same.
    #[track_caller]
    pub fn assert_same(&self, later: &Self) {
        for (place, before) in &self.0 {
            let diff = TextDiff::from_lines(before, &later.0[place]).unified_diff().context_radius(0).to_string();
            assert!(diff.is_empty(), "{place} changed:\n{diff}");
        }
    }
}

impl Traces {
    /// As `assert_same`, against what was there before of more places.
    #[track_caller]
    pub fn assert_same_in(&self, before: &Self) {
        let before = self.0.keys().map(|place| (place.clone(), before.0[place].clone())).collect();
        Self(before).assert_same(self);
    }
}

/// Sends a process a signal, named without SIG.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), process.to_string()]).status().unwrap();
    assert!(sent.success());
}

fn name() -> String {
    std::env::var("KFLEET_LAB_NAME").unwrap_or_else(|_| "test".to_owned())
}

fn script(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/lab").join(name));
    command.args(arguments).env("KFLEET_LAB_NAME", self::name()).stdin(Stdio::null());
    command
}

/// A process that takes the lab down when its stdin closes: at the end of this process, however it ends. Until then no
/// other run of these tests gets a lab of this name; this one waits for it here.
fn keeper() -> ChildStdin {
    const KEEPER: &str = r#"
        directory=$(dirname "$(scripts/lab/dir)")
        mkdir -p "$directory" && exec 9>"$directory/.$KFLEET_LAB_NAME.tests" || exit 1
        flock -n 9 || { echo "waiting for other tests in the lab $KFLEET_LAB_NAME" >&2; flock 9; }
        echo mine
        exec >/dev/null 2>&1
        read -r _
        [ -n "$KFLEET_TEST_KEEP" ] || { scripts/lab/down; scripts/lab/forget "$KFLEET_LAB_NAME-ready"; }
    "#;
    let mut command = Command::new("setsid");
    command.args(["--fork", "sh", "-c", KEEPER]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let command = command.env("KFLEET_LAB_NAME", name()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut keeper = command.spawn().unwrap();
    let (stdin, mut said) = (keeper.stdin.take().unwrap(), String::new());
    keeper.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "mine\n", "the keeper of the lab ended");
    keeper.wait().unwrap();
    stdin
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    Ran::from(Command::new("cp").arg("-a").args([from, to]).output().unwrap()).exits(0);
}
