//! etcd goes back to what a reinit has put aside, and the cluster with it, where it is now.

use super::{Canary, NEW, OLD};
use crate::lab::{Lab, full};
use crate::ran::Ran;

const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

/// Something that listens on the host where it runs.
const LATER: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: default, labels: {app: NAME}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: toolbox, image: "docker.io/kfleet-lab/toolbox:stand-in", imagePullPolicy: Never, command: [nc, -lk, "80"]}
---
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: default}
spec: {selector: {app: NAME}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, namespace: default}
data: {word: later}
"#;

impl Canary {
    /// What is in no snapshot yet: one ConfigMap, Service and pod more, one ConfigMap fewer.
    fn goes_on(&self, name: &str) {
        self.lab.apply(&LATER.replace("NAME", name));
        self.lab.kubectl(&format!("wait pod {name} --for=condition=Ready --timeout=90s"));
        self.lab.kubectl("delete configmap kept");
    }

    fn restore(&self, arguments: &[&str]) -> Ran {
        self.reinit(NEW, &[&["--restore-etcd"], arguments].concat())
    }

    /// Kills the next restore's job when it has come so far.
    fn kill_the_restore_at(&self, state: &str) {
        let watch = format!(
            "until grep -q state={state} /var/lib/kfleet/reinit/restore; do sleep 0.05; done; systemctl kill -s KILL kfleet-reinit"
        );
        self.lab.root(
            "h1",
            &format!("systemctl reset-failed cut 2>/dev/null; systemd-run --quiet --unit=cut sh -c '{watch}'"),
        );
    }

    /// All is as it was put aside, and the cluster works with that.
    #[track_caller]
    fn is_back(&self, gone: &str) {
        let lab = &self.lab;
        self.is_kept();
        self.is_at(NEW, &HOSTS);
        assert_eq!(lab.nodes(), ["h1 True", "h2 True", "h3 True"]);
        lab.wait("the pod that is in no snapshot to end", || {
            HOSTS.iter().all(|host| {
                let pods = lab.root(host, "crictl pods");
                !pods.lines().any(|pod| pod.contains(gone) && pod.contains(" READY"))
            })
        });
        // A new pod is scheduled and started, and every kube-proxy hears of it.
        let name = format!("fresh-{gone}");
        lab.apply(&LATER.replace("NAME", &name));
        lab.kubectl(&format!("wait pod {name} --for=condition=Ready --timeout=90s"));
        let address = lab.kubectl(&format!("get service {name} -o 'jsonpath={{.spec.clusterIP}}'"));
        for host in HOSTS {
            lab.wait("a new Service to be reached", || {
                lab.try_root(host, &format!("nc -z -w 1 {address} 80")).code == 0
            });
        }
        lab.kubectl(&format!("delete pod,service,configmap -l 'app={name}' --wait=false"));
        lab.kubectl(&format!("delete service,configmap {name}"));
        for directory in ["/var/lib/etcd", "/var/lib/etcd/member"] {
            assert_eq!(lab.root("h1", &format!("stat -c '%a %U' {directory}")), "700 root", "{directory}");
        }
    }
}

/// The line of progress that says by what the snapshot was unpacked.
fn tool(ran: &Ran) -> String {
    let told = ran.events_of("step-progressed");
    let mut lines =
        told.iter().filter_map(|event| event["message"].as_str()?.strip_prefix("the snapshot is unpacked, by "));
    lines.next_back().unwrap_or_else(|| panic!("{ran}")).to_owned()
}

/// Where the job finds etcdctl. Upstream's image of etcd has it; the lab's, made of Debian's etcd-server, has not by itself.
#[derive(Clone, Copy)]
enum Tool {
    Image,
    Container,
    Host,
}

impl Tool {
    /// It is there and nowhere else; gives what the job then says of it.
    fn is_put_in(self, lab: &Lab) -> &'static str {
        const LAYERS: &str = "find /var/lib/containerd -path '*/fs/usr/bin/etcd'";
        let (script, said) = match self {
            Self::Image => (
                format!(
                    "for etcd in $({LAYERS}); do cp -p /usr/bin/etcdctl ${{etcd}}ctl; done; mv /usr/bin/etcdctl /root"
                ),
                "etcdctl of the image k8s.gcr.io/etcd:3.4.13-0",
            ),
            Self::Container => ("mv /usr/bin/ctr /root".to_owned(), "etcdctl of etcd's container"),
            Self::Host => (
                format!("for etcd in $({LAYERS}); do rm ${{etcd}}ctl; done; mv /root/ctr /root/etcdctl /usr/bin"),
                "etcdctl of this host",
            ),
        };
        lab.root("h1", &script);
        said
    }
}

#[test]
#[ignore = "needs the lab"]
fn etcd_goes_back_to_what_was_put_aside_and_the_cluster_with_it() {
    let canary = Canary::deployed();
    let lab = &canary.lab;
    canary.move_h1(NEW);
    canary.reinit(NEW, &[]).exits(0);
    canary.goes_on("later");

    // Nobody is asked without a terminal, and nothing is done.
    let objects = lab.objects();
    for (arguments, said) in [
        (&[][..], "nothing was done: without a terminal this needs `--confirm lab`"),
        (&["--confirm", "prod"], "--confirm names prod, and the inventory is of lab"),
    ] {
        let refused = canary.restore(arguments).exits(2);
        assert!(refused.stderr.contains(said), "{refused}");
    }
    let plan = canary.restore(&["--plan"]).exits(0);
    assert!(plan.problems().contains(&"warning lost-writes h1".to_owned()), "{plan}");
    let backup = lab.root("h1", "cd /var/lib/kfleet/reinit && echo backup-*");
    for said in [format!("{backup}/etcd.snapshot"), format!("when the cluster was at {OLD}")] {
        assert!(plan.stdout.contains(&said), "{plan}");
    }
    assert_eq!(lab.root("h1", "ls /var/lib/etcd"), "member");
    objects.assert_same(&lab.objects());

    // Its job is killed on the way, and goes on. Each one that is begun is an act of its own.
    let rounds: &[_] = &[("later", Tool::Image, Some("prepared"))];
    let more = [("second", Tool::Container, Some("swapped")), ("third", Tool::Host, None)];
    for (name, tool, cut) in rounds.iter().chain(if full() { &more[..] } else { &[] }) {
        let said = tool.is_put_in(lab);
        if *name != "later" {
            canary.goes_on(name);
        }
        let mut unpacked = None;
        if let Some(cut) = cut {
            canary.kill_the_restore_at(cut);
            unpacked = Some(canary.restore(&["--confirm", "lab"]).exits(5));
            let refused = canary.reinit(NEW, &[]).exits(5);
            assert!(refused.problems().contains(&"error etcd-snapshot h1".to_owned()), "{refused}");
        }
        let restored = canary.restore(&["--confirm", "lab"]).exits(0);
        eprint!("{name}: API away {}; ", super::away(&restored));
        assert_eq!(self::tool(&unpacked.unwrap_or(restored)), said);
        canary.is_back(name);
    }
    assert_eq!(lab.root("h1", "stat -c %a /var/lib/kfleet/reinit/restore"), "600");
    lab.up_with(&canary.inventory(NEW), &["--json"]).exits(0).nothing_changed();
}
