//! The probe script, run for real by the shells that hosts have, and read back.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use kfleet::facts::{ClusterFacts, Facts, FactsError, File, Firewall, InterfaceKind, KubeadmState, Wanted};
use tempfile::TempDir;

const NONCE: &str = "b6d81b360a5672d80c27430f39153e2c";

/// dash or bash, CentOS 7's, and Alpine's.
const SHELLS: [&[&str]; 3] = [&["/bin/sh"], &["bash", "--posix"], &["busybox", "sh"]];

/// A directory of programs that come before the machine's own.
struct Programs(TempDir);

impl Programs {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn with(self, name: &str, script: &str) -> Self {
        let path = self.0.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }
}

/// As over SSH: the script comes on stdin. `None` where this machine has no such shell.
fn run(shell: &[&str], script: &str, programs: &Programs) -> Option<Vec<u8>> {
    let path = format!("{}:{}", programs.0.path().display(), std::env::var("PATH").unwrap());
    let child = Command::new(shell[0])
        .args(&shell[1..])
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("left out: no {} here", shell[0]);
        return None;
    };
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{shell:?}: {:?}", output.status);
    Some(output.stdout)
}

fn probe(shell: &[&str], wanted: &Wanted, programs: &Programs) -> Option<Facts> {
    let asked = SystemTime::now();
    let output = run(shell, &wanted.script(NONCE), programs)?;
    Some(Facts::parse(&output, NONCE, asked, SystemTime::now()).unwrap())
}

fn wanted_files(paths: &[&Path]) -> Wanted {
    Wanted { files: paths.iter().map(|path| path.to_str().unwrap().to_owned()).collect(), ..Wanted::default() }
}

fn here(command: &str) -> String {
    let output = Command::new("sh").arg("-c").arg(command).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn this_machine_tells_of_itself_in_every_shell() {
    let wanted = Wanted {
        sysctls: ["kernel.ostype", "kernel.no_such_key"].map(str::to_owned).into(),
        modules: ["no-such-module".to_owned()].into(),
        jobs: ["no-such-job".to_owned()].into(),
        ..Wanted::default()
    };
    for shell in SHELLS {
        let Some(facts) = probe(shell, &wanted, &Programs::new()) else { continue };
        assert_eq!(facts.hostname, here("uname -n").to_lowercase(), "{shell:?}");
        assert_eq!(facts.kernel, here("uname -r"), "{shell:?}");
        assert_eq!(facts.arch, here("uname -m"), "{shell:?}");
        assert_eq!(facts.login.user, std::env::var("SUDO_USER").unwrap_or_else(|_| here("id -un")), "{shell:?}");
        assert!(facts.clock.ahead.abs() < 2.0 && facts.clock.uncertainty.as_secs_f64() < 2.0, "{:?}", facts.clock);
        assert_eq!(facts.sysctls["kernel.ostype"].as_deref(), Some("Linux"), "{shell:?}");
        assert_eq!(facts.sysctls["kernel.no_such_key"], None, "{shell:?}");
        assert!(facts.modules.is_empty() && facts.jobs.is_empty(), "{shell:?}");
        if !here("command -v ip").is_empty() {
            let loopback = facts.interface_of("127.0.0.1".parse().unwrap()).unwrap();
            assert_eq!((loopback.name.as_str(), loopback.kind), ("lo", InterfaceKind::Loopback), "{shell:?}");
        }
    }
}

#[test]
fn files_come_byte_for_byte_or_not_at_all() {
    let room = TempDir::new().unwrap();
    let path = |name: &str| room.path().join(name);
    // What looks like the end of the answer, and what a careless shell would expand, drop or add.
    let contents = format!("\n{NONCE} probe - end\n$HOME `id` \\n %s\t\r\n创建 no line end");
    fs::write(path("it's $HOME 100%"), &contents).unwrap();
    fs::set_permissions(path("it's $HOME 100%"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("it's $HOME 100%", path("link")).unwrap();
    fs::write(path("empty"), "").unwrap();
    fs::write(path("latin1"), b"caf\xe9").unwrap();
    fs::write(path("large"), vec![b'a'; (1 << 20) + 1]).unwrap();
    fs::create_dir(path("directory")).unwrap();
    symlink("nowhere", path("dangling")).unwrap();
    let names = ["it's $HOME 100%", "link", "empty", "latin1", "large", "directory", "dangling", "absent"].map(path);
    let wanted = wanted_files(&names.each_ref().map(AsRef::as_ref));
    for shell in SHELLS {
        let Some(facts) = probe(shell, &wanted, &Programs::new()) else { continue };
        let file = |name: &str| &facts.files[path(name).to_str().unwrap()];
        let owner = here("echo \"$(id -un):$(id -gn)\"");
        let present =
            |contents: &str, mode| File::Present { contents: contents.to_owned(), mode, owner: owner.clone() };
        let unreadable = |reason: &str| File::Unreadable { reason: reason.to_owned() };
        assert_eq!(file("it's $HOME 100%"), &present(&contents, 0o640), "{shell:?}");
        assert_eq!(file("link"), &present(&contents, 0o640), "{shell:?}");
        assert!(matches!(file("empty"), File::Present { contents, .. } if contents.is_empty()), "{shell:?}");
        assert_eq!(file("latin1"), &unreadable("it is not UTF-8"), "{shell:?}");
        assert_eq!(file("large"), &unreadable("it is larger than 1 MiB"), "{shell:?}");
        assert_eq!(file("directory"), &unreadable("it is no regular file"), "{shell:?}");
        assert_eq!(file("dangling"), &unreadable("it is a symbolic link to nothing"), "{shell:?}");
        assert_eq!(file("absent"), &File::Absent, "{shell:?}");
    }
}

#[test]
fn slow_programs_run_beside_each_other_and_leave_nothing_behind() {
    let room = TempDir::new().unwrap();
    let made = room.path().join("made");
    let zones = "sleep 1; echo \"You're performing an operation over default zone ('public'),\"; \
                 echo; printf 'public (active)\\n  target: default\\n  interfaces: eth0\\n  ports: 6443/tcp\\n'";
    let firewall =
        format!("case \"$*\" in *zones) {zones} ;; --version) sleep 1; echo 1.3.3 ;; *) sleep 1; echo public ;; esac");
    let mktemp = format!("/bin/mktemp \"$@\" | tee -a {}", made.display());
    let programs = Programs::new()
        .with("firewall-cmd", &firewall)
        .with("kubeadm", "sleep 1; echo v1.20.2")
        .with("kubelet", "cat; echo Kubernetes v1.20.2")
        .with("mktemp", &mktemp);
    let begun = Instant::now();
    let facts = probe(SHELLS[0], &Wanted::default(), &programs).unwrap();
    assert!(begun.elapsed().as_secs_f64() < 4.0, "five programs of a second each took {:?}", begun.elapsed());
    let Firewall::Running { version, interface_zones, runtime, .. } = &facts.firewall else {
        panic!("{:?}", facts.firewall)
    };
    assert_eq!((version.as_str(), interface_zones["eth0"].as_str()), ("1.3.3", "public"));
    assert!(runtime["public"].ports.contains("6443/tcp"));
    assert_eq!(facts.packages.kubeadm.unwrap().to_string(), "1.20.2");
    assert_eq!(facts.packages.kubelet.unwrap().to_string(), "1.20.2", "one that reads stdin finds it empty");
    let made = fs::read_to_string(made).unwrap();
    let made: Vec<_> = made.lines().collect();
    assert!(!made.is_empty() && made.iter().all(|directory| !Path::new(directory).exists()), "{made:?}");
}

#[test]
fn an_answer_that_was_cut_is_no_answer() {
    let output = run(SHELLS[0], &Wanted::default().script(NONCE), &Programs::new()).unwrap();
    let at = SystemTime::now();
    let end = output.len() - "\n".len() - NONCE.len() - " probe - end\n".len();
    let cut = Facts::parse(&output[..end], NONCE, at, at);
    assert_eq!(cut, Err(FactsError::Truncated { last: "said clock-end".to_owned() }));
    let another = Facts::parse(&output, "another", at, at);
    assert!(matches!(another, Err(FactsError::NotRun(_))), "{another:?}");
}

#[test]
fn a_host_without_room_says_so() {
    let programs = Programs::new().with("mktemp", "exit 1");
    let shell = Command::new("/bin/sh")
        .env("PATH", format!("{}:/usr/bin:/bin", programs.0.path().display()))
        .arg("-c")
        .arg(ClusterFacts::script(NONCE))
        .output()
        .unwrap();
    assert_eq!(ClusterFacts::parse(&shell.stdout, NONCE), Err(FactsError::NoPlace));
}

/// What hosts of the lab answered; only the kernel's version and the machine-id were made up afterwards.
fn captured(output: &[u8]) -> Facts {
    let at = SystemTime::UNIX_EPOCH;
    Facts::parse(output, "nnnn0000", at, at).unwrap()
}

#[test]
fn a_bare_host_of_the_lab_is_read() {
    let facts = captured(include_bytes!("fixtures/probe-lab-host-bare.txt"));
    assert_eq!((facts.hostname.as_str(), facts.os.as_str()), ("h1", "debian 12"));
    let eth0 = facts.interface_of("10.88.0.11".parse().unwrap()).unwrap();
    assert_eq!((eth0.name.as_str(), eth0.kind, eth0.default_route), ("eth0", InterfaceKind::Network, true));
    let [containerd] = facts.runtimes.as_slice() else { panic!("{:?}", facts.runtimes) };
    assert!(containerd.running && containerd.cri_enabled);
    assert_eq!(containerd.version.as_deref(), Some("1.6.20~ds1"));
    assert_eq!(containerd.cgroup_driver.as_deref(), Some("cgroupfs"));
    assert_eq!(containerd.pause_image.as_deref(), Some("k8s.gcr.io/pause:3.2"));
    assert!(facts.kubelet.exists && !facts.kubelet.enabled && !facts.kubelet.active);
    let Firewall::Running { version, default_zone, runtime, permanent, .. } = &facts.firewall else {
        panic!("{:?}", facts.firewall)
    };
    assert_eq!((version.as_str(), default_zone.as_str()), ("1.3.3", "public"));
    assert!(runtime["public"].ports.is_empty() && permanent["trusted"].target == "ACCEPT");
    assert_eq!(facts.sysctls["net.ipv4.ip_forward"].as_deref(), Some("0"));
    assert!(facts.modules.contains("br_netfilter"), "it is built in, and lsmod does not know it");
    assert_eq!(facts.kubeadm, KubeadmState::default());
    assert_eq!(facts.cluster, None);
    assert_eq!((facts.login.user.as_str(), facts.login.home.as_str()), ("ops", "/home/ops"));
}

#[test]
fn a_host_whose_init_failed_shows_what_init_left() {
    let output = include_bytes!("fixtures/probe-lab-host-init-failed.txt");
    let facts = captured(output);
    let names: Vec<_> = facts.kubeadm.kubeconfigs.keys().map(String::as_str).collect();
    assert_eq!(names, ["admin", "controller-manager", "kubelet", "scheduler"]);
    let ca = facts.kubeadm.ca_certificate.as_deref().unwrap().trim();
    for kubeconfig in facts.kubeadm.kubeconfigs.values() {
        assert_eq!(kubeconfig.server, "https://10.88.0.11:6443");
        assert_eq!(kubeconfig.ca_certificate.as_deref().map(str::trim), Some(ca));
    }
    assert!(facts.kubeadm.ca_key && facts.kubeadm.etcd_data);
    assert!(facts.kubeadm.api_server_names.iter().any(|name| name == "10.88.0.11"));
    let manifests = facts.kubeadm.manifests.unwrap();
    assert_eq!((manifests.port, manifests.pod_cidr.as_deref()), (Some(6443), Some("10.244.0.0/16")));
    let cluster = facts.cluster.unwrap();
    assert!(cluster.nodes.is_empty() && cluster.unreachable.unwrap().contains("10.88.0.11:6443 was refused"));
    let text = String::from_utf8_lossy(output);
    for secret in ["PRIVATE KEY", "client-key-data", "client-certificate-data", "token:"] {
        assert!(!text.contains(secret), "{secret} left the host");
    }
}
