use semver::Version;
use toml::{Table, Value};

use super::frames::Frames;
use super::units::Units;
use super::{Packages, Runtime, RuntimeKind};

/// The first kubelet without dockershim.
const NO_DOCKERSHIM: Version = Version::new(1, 24, 0);

const CONTAINERD: &str = "/run/containerd/containerd.sock";
const DOCKER: &str = "/var/run/docker.sock";
const CRI_DOCKERD: &str = "/run/cri-dockerd.sock";
const DOCKERSHIM: &str = "/var/run/dockershim.sock";
const CRIO: &str = "/var/run/crio/crio.sock";

/// The runtimes that a socket or a unit tells of.
pub(super) fn runtimes(frames: &Frames<'_>, units: &Units, packages: &Packages) -> Vec<Runtime> {
    let host = Seen { frames, units, sockets: frames.anything_said("sockets") };
    [host.containerd(), host.docker(packages), host.crio()].into_iter().flatten().collect()
}

struct Seen<'a> {
    frames: &'a Frames<'a>,
    units: &'a Units,
    sockets: String,
}

impl Seen<'_> {
    fn containerd(&self) -> Option<Runtime> {
        self.found(CONTAINERD, "containerd.service").then(|| {
            let config = Containerd::read(&self.frames.anything_said("containerd-config"));
            Runtime {
                kind: RuntimeKind::Containerd,
                socket: CONTAINERD.to_owned(),
                running: self.socket(CONTAINERD),
                // containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+b1
                version: self.word("containerd", 2),
                cgroup_driver: config.cgroup_driver,
                pause_image: config.pause_image,
                cri_enabled: config.cri_enabled,
            }
        })
    }

    fn docker(&self, packages: &Packages) -> Option<Runtime> {
        self.found(DOCKER, "docker.service").then(|| {
            let shim = packages.kubelet.as_ref().or(packages.kubeadm.as_ref()).is_some_and(|v| *v < NO_DOCKERSHIM);
            let adapter = self.found(CRI_DOCKERD, "cri-docker.service");
            // The kubelet itself makes dockershim's socket when it starts: what has to be there before is Docker's.
            let (socket, needed) = if shim && !adapter { (DOCKERSHIM, DOCKER) } else { (CRI_DOCKERD, CRI_DOCKERD) };
            Runtime {
                kind: RuntimeKind::Docker,
                socket: socket.to_owned(),
                running: self.socket(needed),
                // Docker version 20.10.24+dfsg1, build 297e128
                version: self.word("docker", 2).map(|version| version.trim_end_matches(',').to_owned()),
                cgroup_driver: driver(self.frames.anything_said("docker-cgroup-driver").trim()),
                pause_image: None,
                cri_enabled: true,
            }
        })
    }

    fn crio(&self) -> Option<Runtime> {
        self.found(CRIO, "crio.service").then(|| {
            let config = self.frames.anything_said("crio-config");
            Runtime {
                kind: RuntimeKind::Crio,
                socket: CRIO.to_owned(),
                running: self.socket(CRIO),
                // crio version 1.24.6
                version: self.word("crio", 2),
                cgroup_driver: crio_setting(&config, "cgroup_manager").and_then(|value| driver(&value)),
                pause_image: crio_setting(&config, "pause_image"),
                cri_enabled: true,
            }
        })
    }

    fn socket(&self, path: &str) -> bool {
        self.sockets.lines().any(|line| line == path)
    }

    fn found(&self, socket: &str, unit: &str) -> bool {
        self.socket(socket) || self.units.get(unit).exists
    }

    /// A word of the first line that a program prints of itself.
    fn word(&self, program: &str, index: usize) -> Option<String> {
        self.frames.said(program)?.lines().next()?.split_whitespace().nth(index).map(str::to_owned)
    }
}

/// What kubeadm's `cgroupDriver` may be.
fn driver(word: &str) -> Option<String> {
    matches!(word, "systemd" | "cgroupfs").then(|| word.to_owned())
}

/// containerd's configuration, as far as Kubernetes depends on it.
#[derive(Debug, PartialEq)]
struct Containerd {
    cgroup_driver: Option<String>,
    pause_image: Option<String>,
    cri_enabled: bool,
}

impl Containerd {
    /// Reads version 2 and 3 by the names of their plugins, and version 1, which has `plugins.cri`.
    fn read(config: &str) -> Self {
        let Ok(config) = config.parse::<Table>() else {
            return Self { cgroup_driver: None, pause_image: None, cri_enabled: true };
        };
        let plugin = |name: &str| config.get("plugins")?.get(name);
        let old = plugin("io.containerd.grpc.v1.cri").or_else(|| plugin("cri"));
        let runtime = plugin("io.containerd.cri.v1.runtime").or(old);
        let images = plugin("io.containerd.cri.v1.images");
        let pinned = images.and_then(|images| images.get("pinned_images")?.get("sandbox"));
        let pause = pinned.or_else(|| old?.get("sandbox_image")).and_then(Value::as_str);
        Self {
            cgroup_driver: runtime.and_then(cgroup_driver),
            pause_image: pause.filter(|image| !image.is_empty()).map(str::to_owned),
            cri_enabled: !config.get("disabled_plugins").is_some_and(switches_cri_off),
        }
    }
}

/// Of the default runtime; a runc without the option is told cgroupfs.
fn cgroup_driver(plugin: &Value) -> Option<String> {
    let containerd = plugin.get("containerd")?;
    let name = containerd.get("default_runtime_name").and_then(Value::as_str).filter(|name| !name.is_empty());
    let options = containerd.get("runtimes")?.get(name.unwrap_or("runc"))?.get("options");
    let systemd = options.and_then(|options| options.get("SystemdCgroup")).and_then(Value::as_bool).unwrap_or(false);
    Some(if systemd { "systemd" } else { "cgroupfs" }.to_owned())
}

fn switches_cri_off(disabled: &Value) -> bool {
    let off = ["cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images"];
    disabled.as_array().is_some_and(|list| list.iter().filter_map(Value::as_str).any(|name| off.contains(&name)))
}

/// CRI-O prints what is the default behind a `#`; what is set comes without one, and the last one counts.
fn crio_setting(config: &str, key: &str) -> Option<String> {
    let value = |line: &str| {
        Some(line.trim().strip_prefix(key)?.trim_start().strip_prefix('=')?.trim().trim_matches('"').to_owned())
    };
    let set = config.lines().rev().find_map(value);
    let default = || config.lines().find_map(|line| value(line.trim_start().strip_prefix('#')?));
    set.or_else(default).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use semver::Version;

    use super::{Containerd, crio_setting, runtimes};
    use crate::facts::frames::Frames;
    use crate::facts::units::Units;
    use crate::facts::{Packages, RuntimeKind};

    #[test]
    fn containerds_configuration_is_read_in_every_version() {
        let cases = [
            ("", (None, None, true)),
            ("no toml at all [", (None, None, true)),
            ("disabled_plugins = [\"cri\"]", (None, None, false)),
            (
                "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\nsandbox_image = \"registry.k8s.io/pause:3.6\"\n\
                 [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\nSystemdCgroup = true\n",
                (Some("systemd"), Some("registry.k8s.io/pause:3.6"), true),
            ),
            (
                "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\ndefault_runtime_name = \"nvidia\"\n\
                 [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\nSystemdCgroup = true\n\
                 [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia]\nruntime_type = \"io.containerd.runc.v2\"\n",
                (Some("cgroupfs"), None, true),
            ),
            (
                "version = 3\ndisabled_plugins = []\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\n\
                 sandbox = 'registry.k8s.io/pause:3.10'\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\n\
                 default_runtime_name = 'runc'\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n\
                 SystemdCgroup = true\n",
                (Some("systemd"), Some("registry.k8s.io/pause:3.10"), true),
            ),
            ("[plugins.cri]\nsandbox_image = \"k8s.gcr.io/pause:3.1\"\n", (None, Some("k8s.gcr.io/pause:3.1"), true)),
        ];
        for (config, (driver, pause, cri_enabled)) in cases {
            let expected = Containerd {
                cgroup_driver: driver.map(str::to_owned),
                pause_image: pause.map(str::to_owned),
                cri_enabled,
            };
            assert_eq!(Containerd::read(config), expected, "{config}");
        }
    }

    #[test]
    fn crio_prints_defaults_behind_a_hash() {
        let config = "# cgroup_manager = \"systemd\"\n# pause_image = \"registry.k8s.io/pause:3.9\"\npause_image = \"mirror/pause:3.9\"\n";
        assert_eq!(crio_setting(config, "cgroup_manager").as_deref(), Some("systemd"));
        assert_eq!(crio_setting(config, "pause_image").as_deref(), Some("mirror/pause:3.9"));
        assert_eq!(crio_setting("", "pause_image"), None);
    }

    #[test]
    fn dockers_socket_goes_by_the_kubelets_version_and_the_adapter() {
        let cases = [
            ("/var/run/docker.sock\n", Some("1.23.17"), "/var/run/dockershim.sock", true),
            ("/var/run/docker.sock\n", Some("1.24.0"), "/run/cri-dockerd.sock", false),
            ("/var/run/docker.sock\n", None, "/run/cri-dockerd.sock", false),
            ("/var/run/docker.sock\n/run/cri-dockerd.sock\n", Some("1.23.17"), "/run/cri-dockerd.sock", true),
        ];
        for (sockets, kubelet, socket, running) in cases {
            let packages = Packages { kubelet: kubelet.map(|v| Version::parse(v).unwrap()), ..Packages::default() };
            let output = format!(
                "\nn said sockets 0\n{sockets}\nn said docker 0\nDocker version 20.10.24+dfsg1, build 297e128\n\
                 \nn said docker-cgroup-driver 0\nsystemd\n\nn probe - end\n"
            );
            let frames = Frames::split(output.as_bytes(), "n").unwrap();
            let found = runtimes(&frames, &Units::default(), &packages);
            let [docker] = found.as_slice() else { panic!("{found:?}") };
            assert_eq!((docker.kind, docker.socket.as_str(), docker.running), (RuntimeKind::Docker, socket, running));
            assert_eq!(docker.version.as_deref(), Some("20.10.24+dfsg1"));
            assert_eq!(docker.cgroup_driver.as_deref(), Some("systemd"));
        }
    }
}
