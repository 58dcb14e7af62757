//! What goes wrong on real hosts while `up` is at work: each fault costs only its host, is told in words, and the next `up`
//! completes the work. The table is in docs/faults.md.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::{Lab, full, signal};
use crate::ran::Ran;
use crate::terminal::Terminal;

/// Takes from h2 what the steps of the base have brought, so that the next `up` has each of them to do again.
const UNDO: &str = "
    sed -i '/BEGIN kfleet/,/END kfleet/d' /etc/hosts
    rm -f /etc/sysctl.d/99-kfleet.conf
    firewall-cmd --quiet --zone=public --remove-port=10250/tcp
    systemctl disable --quiet kubelet";

/// Each step of the base, and a command that it alone runs: its name and what its arguments look like.
const BASE: [(&str, &str, &str); 4] = [
    ("hosts-file", "mv", "*/etc/hosts"),
    ("kernel", "mv", "*/99-kfleet.conf"),
    ("firewall", "firewall-cmd", "*--add-port*"),
    ("kubelet-unit", "systemctl", "*enable*kubelet*"),
];

/// A command of a host that stops, once, when it is called with such arguments: the moment for a fault.
struct Gate<'a> {
    lab: &'a Lab,
    host: &'static str,
    command: &'static str,
}

impl<'a> Gate<'a> {
    fn at(lab: &'a Lab, host: &'static str, command: &'static str, arguments: &str) -> Self {
        let wrapper = format!(
            "rm -f /run/gate
cat > /usr/local/sbin/{command} <<'END'
#!/bin/sh
case \"$*\" in {arguments}) [ -e /run/gate ] || {{ : > /run/gate; sleep 600; }} ;; esac
exec /usr/bin/{command} \"$@\"
END
chmod +x /usr/local/sbin/{command}"
        );
        lab.root(host, &wrapper);
        Self { lab, host, command }
    }

    fn wait(&self) {
        self.lab.wait("the gate to be reached", || self.lab.try_root(self.host, "test -e /run/gate").code == 0);
    }

    /// Lets go whoever still waits.
    fn open(self) {
        self.lab.root(self.host, &format!("rm -f /usr/local/sbin/{} /run/gate; pkill -x sleep || :", self.command));
    }
}

fn ended(up: Child) -> Ran {
    up.wait_with_output().unwrap().into()
}

/// Waits until nobody holds the lock: one that died without a word lets go of it within a second.
fn free(lab: &Lab) {
    lab.wait("the lock to be free", || {
        lab.try_root("h1", "[ ! -e /run/kfleet/lock ] || flock -n /run/kfleet/lock true").code == 0
    });
}

/// The next runs: one completes the work, one more finds nothing to do.
#[track_caller]
pub fn converges(lab: &Lab) {
    free(lab);
    lab.up(&["--json"]).exits(0);
    lab.up(&["--json"]).exits(0).nothing_changed();
}

/// The only host that failed is h2; what was said of it.
#[track_caller]
pub fn only_h2_failed(ran: &Ran) -> String {
    let failures = ran.events_of("host-failed");
    assert!(failures.len() == 1 && failures[0]["host"] == "h2", "{ran}");
    failures[0]["failure"].to_string()
}

#[test]
#[ignore = "needs the lab"]
fn a_host_whose_power_is_cut_in_a_step_costs_only_itself() {
    let lab = Lab::ready();
    for (step, command, arguments) in BASE.iter().take(if full() { 4 } else { 1 }) {
        lab.root("h2", UNDO);
        let gate = Gate::at(&lab, "h2", command, arguments);
        let up = lab.begin();
        gate.wait();
        lab.script("stop", &["h2"]).exits(0);
        let up = ended(up).exits(4);
        let failure = only_h2_failed(&up);
        assert!(failure.contains("the connection was lost") && failure.contains(step), "{step}: {failure}");
        lab.script("start", &["h2"]).exits(0);
        gate.open();
        converges(&lab);
    }
}

/// Later moments of a run over bare hosts, by the event that shows each, and whose power is cut then.
const LATER: [(&str, &str, &str); 4] = [
    ("step-progressed", "control plane", "h1"),
    ("step-started", "pod-network", "h1"),
    ("step-started", "worker", "h2"),
    ("step-started", "ready", "h2"),
];

#[test]
#[ignore = "needs the lab"]
fn a_connection_that_breaks_in_a_step_is_told_and_made_up_for() {
    let lab = Lab::ready();
    for (step, command, arguments) in BASE {
        lab.root("h2", UNDO);
        let gate = Gate::at(&lab, "h2", command, arguments);
        let up = lab.begin();
        gate.wait();
        // An sshd that is restarted with all its sessions.
        lab.root("h2", "systemctl restart ssh; pkill -f '^sshd: ops' || :");
        let up = ended(up).exits(4);
        let failure = only_h2_failed(&up);
        assert!(failure.contains("the connection was lost") && failure.contains(step), "{step}: {failure}");
        gate.open();
        converges(&lab);
    }
}

#[test]
#[ignore = "needs the lab"]
fn a_network_that_swallows_everything_ends_in_a_clear_result() {
    let lab = Lab::ready();
    lab.root("h2", UNDO);
    let gate = Gate::at(&lab, "h2", "firewall-cmd", "*--add-port*");
    let up = lab.begin();
    gate.wait();
    let drop = |verb: &str| {
        lab.root(
            "h2",
            &format!(
                "for chain in INPUT OUTPUT; do iptables -w {verb} $chain -p tcp -m multiport --ports 22 -j DROP; done"
            ),
        );
    };
    drop("-I");
    let up = ended(up);
    drop("-D");
    let failure = only_h2_failed(&up);
    assert!(failure.contains("the connection was lost"), "{failure}");
    assert_eq!(up.code, 4, "{up}");
    gate.open();
    converges(&lab);
}

#[test]
#[ignore = "needs the lab"]
fn a_disk_that_takes_no_more_or_nothing_at_all_is_that_hosts_error() {
    let lab = Lab::ready();
    let sysctl_d = "/etc/sysctl.d";
    for (what, fault, words, undo) in [
        (
            "disk full",
            format!(
                "mount -t tmpfs -o size=8k tmpfs {sysctl_d} && ! head -c 16k /dev/zero 2>/dev/null > {sysctl_d}/full"
            ),
            "No space left on device",
            format!("umount {sysctl_d}"),
        ),
        (
            "read-only file system",
            format!("mount --bind {sysctl_d} {sysctl_d} && mount -o remount,bind,ro {sysctl_d}"),
            "Read-only file system",
            format!("umount {sysctl_d}"),
        ),
        ("immutable", "chattr +i /etc/hosts".to_owned(), "Operation not permitted", "chattr -i /etc/hosts".to_owned()),
    ] {
        lab.root("h2", UNDO);
        lab.root("h2", &fault);
        let up = lab.up(&["--json"]);
        lab.root("h2", &undo);
        assert_eq!(up.code, 5, "{what}: {up}");
        let failure = only_h2_failed(&up);
        assert!(failure.contains(words), "{what}: {failure}");
        let left = lab.root("h2", "find /etc /var/lib/kfleet -xdev -name '.kfleet*'");
        assert_eq!(left, "", "{what}: temporary files are left");
        converges(&lab);
    }
    lab.intact();
}

#[test]
#[ignore = "needs the lab"]
fn a_user_who_may_not_become_root_is_told_so() {
    let lab = Lab::ready();
    lab.root("h2", "mv /etc/sudoers.d/ops /root/ops; sudo -u ops sudo -K");
    let up = lab.up(&["--json"]);
    lab.root("h2", "mv /root/ops /etc/sudoers.d/ops");
    assert_eq!(up.code, 4, "{up}");
    let failure = only_h2_failed(&up);
    assert!(failure.contains("ops cannot become root"), "{failure}");
    converges(&lab);
    lab.intact();
}

#[test]
#[ignore = "needs the lab"]
fn a_join_that_runs_out_of_memory_says_so_and_is_made_up_for() {
    let lab = Lab::bare(2);
    // The kernel gives kubeadm's unit what a shell can live on, and no kubeadm.
    let limit = "mkdir -p /run/systemd/system/kfleet-join.service.d
printf '[Service]\\nLimitAS=48M\\n' > /run/systemd/system/kfleet-join.service.d/limit.conf
systemctl daemon-reload";
    lab.root("h2", limit);
    let up = lab.up(&["--json"]).exits(5);
    let failure = only_h2_failed(&up);
    assert!(failure.contains("kubeadm join"), "{failure}");
    assert!(failure.to_lowercase().contains("memory") || failure.contains("killed"), "{failure}");
    assert_eq!(lab.root("h1", "kubeadm token list"), "");
    lab.root("h2", "rm -r /run/systemd/system/kfleet-join.service.d; systemctl daemon-reload");
    converges(&lab);
}

#[test]
#[ignore = "needs the lab"]
fn a_worker_that_does_not_get_through_to_the_api_server_says_so_at_once() {
    let lab = Lab::ready();
    lab.script("up", &["4"]).exits(0);
    for (target, words) in [("DROP", "i/o timeout"), ("REJECT", "connect: connection refused")] {
        let rule = format!("INPUT -s 10.88.0.14 -p tcp --dport 6443 -j {target}");
        lab.root("h1", &format!("iptables -w -I {rule}"));
        let since = Instant::now();
        let up = lab.up(&["--json"]);
        lab.root("h1", &format!("iptables -w -D {rule}"));
        assert_eq!(up.code, 5, "{target}: {up}");
        assert!(since.elapsed() < Duration::from_secs(60), "kubeadm alone waits for minutes");
        let failures = up.events_of("host-failed");
        assert!(failures.len() == 1 && failures[0]["host"] == "h4", "{target}: {up}");
        let failure = &failures[0]["failure"];
        assert!(failure["output"].to_string().contains(&format!("10.88.0.11:6443: {words}")), "{failure}");
        assert!(failure["hint"].as_str().is_some_and(|hint| hint.contains("10.88.0.11:6443")), "{failure}");
        assert_eq!(lab.nodes(), ["h1 True", "h2 True", "h3 True"]);
        assert_eq!(lab.root("h1", "kubeadm token list"), "");
    }
    assert_eq!(lab.up(&["--json"]).exits(0).changed(), ["h4 worker"]);
    lab.up(&["--json"]).exits(0).nothing_changed();
}

/// The moments of a run over bare hosts, by the first event that shows each.
const MOMENTS: [(&str, &str); 9] = [
    ("host-connected", "h1"),
    ("facts-gathered", "h2"),
    ("step-started", "hosts-file"),
    ("step-started", "firewall"),
    ("step-started", "control-plane"),
    ("step-progressed", "control plane"),
    ("step-started", "pod-network"),
    ("step-started", "worker"),
    ("step-started", "ready"),
];

/// Runs `up` again and again until one run comes to its end; each run before it is stopped, in this way, at the first moment
/// at which none was stopped before.
fn stopped_at_every_moment(lab: &Lab, stop: impl Fn(&mut Child)) -> Vec<&'static str> {
    let (mut left, mut seen) = (MOMENTS.to_vec(), Vec::new());
    loop {
        free(lab);
        let mut up = lab.begin();
        let lines = BufReader::new(up.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (mut told, mut stopped) = (Vec::new(), false);
        for line in lines {
            let is_now =
                |(event, word): &(&str, &str)| line.contains(&format!("\"event\":\"{event}\"")) && line.contains(word);
            if let Some(place) = left.iter().position(is_now) {
                if stopped {
                    // Begun by then, beside it or in the same stage; after a Ctrl-C it is finished, and does not come again.
                    seen.push(left[place].1);
                } else {
                    stopped = true;
                    seen.push(left.remove(place).1);
                    stop(&mut up);
                }
            }
            told.push(line);
        }
        let code = up.wait().unwrap().code();
        assert!(matches!(code, None | Some(0 | 3)), "{seen:?}: {code:?}\n{}", told.join("\n"));
        if !stopped {
            return seen;
        }
    }
}

/// An init that goes on by itself may be past its phases before the next run sees it.
#[track_caller]
fn every_lasting_moment_was_met(seen: &[&str]) {
    let lasting = MOMENTS.iter().filter(|(event, _)| *event != "step-progressed");
    let missed: Vec<_> = lasting.filter(|(_, word)| !seen.contains(word)).collect();
    assert!(missed.is_empty(), "not met: {missed:?}");
}

#[test]
#[ignore = "needs the lab"]
fn a_workstation_that_dies_at_any_stage_loses_nothing() {
    let lab = Lab::bare(2);
    let seen = stopped_at_every_moment(&lab, |up| up.kill().unwrap());
    every_lasting_moment_was_met(&seen);
    converges(&lab);
    assert_eq!(lab.nodes(), ["h1 True", "h2 True"]);
    // A token that nobody was left to revoke ends by itself within half an hour.
    let left = lab.root("h1", "kubeadm token list | awk 'NR > 1 { print $2 }'");
    let is_short =
        |ttl: &str| ttl.strip_suffix('m').and_then(|minutes| minutes.parse().ok()).is_some_and(|m: u32| m <= 30);
    assert!(left.lines().all(|ttl| is_short(ttl) || ttl.ends_with('s')), "{left}");
}

#[test]
#[ignore = "needs the lab"]
fn ctrl_c_at_any_stage_finishes_what_must_not_be_cut_and_loses_nothing() {
    let lab = Lab::bare(2);
    let seen = stopped_at_every_moment(&lab, |up| signal(up.id(), "INT"));
    every_lasting_moment_was_met(&seen);
    converges(&lab);
    assert_eq!(lab.nodes(), ["h1 True", "h2 True"]);
    assert_eq!(lab.root("h1", "kubeadm token list"), "");
}

#[test]
#[ignore = "needs the lab"]
fn an_init_that_is_killed_half_way_is_taken_back_and_made_again() {
    let lab = Lab::bare(1);
    let up = lab.begin();
    lab.wait("init", || lab.try_root("h1", "test -e /etc/kubernetes/manifests/kube-apiserver.yaml").code == 0);
    lab.root("h1", "systemctl kill --signal=KILL kfleet-init");
    let up = ended(up).exits(5);
    let failure = up.events_of("host-failed")[0]["failure"].to_string();
    assert!(failure.contains("kubeadm init"), "{failure}");
    converges(&lab);
    assert_eq!(lab.nodes(), ["h1 True"]);
}

#[test]
#[ignore = "needs the lab"]
fn a_reader_that_has_read_enough_does_not_stop_the_work() {
    let lab = Lab::ready();
    lab.root("h2", UNDO);
    let mut up = lab.begin();
    let mut first = String::new();
    BufReader::new(up.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("run-started"), "{first}");
    assert_eq!(up.wait().unwrap().code(), Some(0));
    lab.up(&["--json"]).exits(0).nothing_changed();
    lab.intact();
}

/// The terminal of `kfleet` on this machine, while it is at a gate.
fn name_of_terminal() -> Option<String> {
    let found = Command::new("sh")
        .args(["-c", "for p in $(pgrep -x kfleet); do readlink /proc/$p/fd/2; done | grep ^/dev/pts/ | head -n 1"])
        .output()
        .unwrap();
    let name = String::from_utf8(found.stdout).unwrap();
    (!name.trim().is_empty()).then(|| name.trim().to_owned())
}

#[test]
#[ignore = "needs the lab"]
fn a_terminal_may_change_its_size_or_go_away() {
    let lab = Lab::ready();
    lab.root("h2", UNDO);
    let gate = Gate::at(&lab, "h2", "firewall-cmd", "*--add-port*");
    let inventory = lab.file("inventory.toml");
    let up = ["up", "--yes", "-i", inventory.to_str().unwrap()];
    let terminal = Terminal::of(&lab, &up);
    gate.wait();
    let name = name_of_terminal().expect("kfleet has a terminal");
    for size in ["rows 3 cols 8", "rows 50 cols 200"] {
        let words: Vec<&str> = size.split(' ').collect();
        assert!(Command::new("stty").args(["-F", &name]).args(words).status().unwrap().success());
        thread::sleep(Duration::from_millis(400));
    }
    lab.root("h2", "pkill -x sleep");
    terminal.exits(0);
    gate.open();
    lab.up(&["--json"]).exits(0).nothing_changed();

    // Closed, as by a lost ssh session to the workstation: nothing is half-written, and the next run completes it.
    lab.root("h2", UNDO);
    let gate = Gate::at(&lab, "h2", "firewall-cmd", "*--add-port*");
    let terminal = Terminal::of(&lab, &up);
    gate.wait();
    terminal.close();
    gate.open();
    lab.wait("kfleet to end", || name_of_terminal().is_none());
    converges(&lab);
    lab.intact();
}

/// What takes too long for every run.
mod in_full {
    use super::*;

    #[test]
    #[ignore = "needs the lab"]
    fn a_host_whose_power_is_cut_in_init_join_pod_network_or_verification_is_told_and_made_up_for() {
        for (event, word, host) in LATER {
            let lab = Lab::bare(2);
            let mut up = lab.begin();
            let lines = BufReader::new(up.stdout.take().unwrap()).lines().map_while(Result::ok);
            let (mut told, mut cut) = (String::new(), false);
            for line in lines {
                if !cut && line.contains(&format!("\"event\":\"{event}\"")) && line.contains(word) {
                    lab.script("stop", &[host]).exits(0);
                    cut = true;
                }
                told += &(line + "\n");
            }
            let code = up.wait().unwrap().code().unwrap();
            let up = Ran { code, stdout: told, stderr: String::new() };
            // The lock goes down with the control plane, which ends the run for the others as a Ctrl-C does.
            let expected: &[i32] = if host == "h1" { &[3, 4] } else { &[4] };
            assert!(cut && expected.contains(&code), "{word}: {up}");
            let failures = up.events_of("host-failed");
            let of_host = failures.iter().find(|failed| failed["host"] == host).expect(host);
            assert!(of_host["failure"].to_string().contains("the connection was lost"), "{word}: {up}");
            assert!(host == "h1" || failures.len() == 1, "{word}: nobody else is blamed: {up}");
            lab.script("start", &[host]).exits(0);
            converges(&lab);
            assert_eq!(lab.nodes(), ["h1 True", "h2 True"], "{word}");
        }
    }
}
