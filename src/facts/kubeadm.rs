use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use semver::Version;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

use super::frames::Frames;
use super::packages::version;

/// The kubeconfigs that kubeadm writes into /etc/kubernetes.
const KUBECONFIGS: [&str; 6] =
    ["admin", "kubelet", "bootstrap-kubelet", "controller-manager", "scheduler", "super-admin"];

/// What kubeadm left on a host, read from its files: true even while no API server answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeadmState {
    /// By name without `.conf`: admin, kubelet, bootstrap-kubelet, controller-manager, scheduler, super-admin.
    pub kubeconfigs: BTreeMap<String, Kubeconfig>,
    /// /etc/kubernetes/pki/ca.crt, PEM.
    pub ca_certificate: Option<String>,
    /// Whether /etc/kubernetes/pki/ca.key is there too.
    pub ca_key: bool,
    /// Whether that key is the certificate's, where the host can tell: it has openssl.
    pub ca_key_fits: Option<bool>,
    /// DNS names and IP addresses in the API server's certificate.
    pub api_server_names: Vec<String>,
    /// The Node that its kubelet's certificate is for.
    pub node: Option<String>,
    /// The name that its kubelet is told to go by in place of the hostname.
    pub hostname_override: Option<String>,
    /// The static pods' manifests, on a control plane.
    pub manifests: Option<ControlPlaneManifests>,
    /// The names in `--initial-cluster` of etcd's manifest: all control planes that there were when this one was made.
    pub etcd_cluster: BTreeSet<String>,
    /// Flags of the API server that kubeadm sets only where it is told to: OIDC, audit, encryption, webhooks.
    pub api_server_extras: BTreeSet<String>,
    /// The client's certificate in admin.conf, PEM.
    pub admin_certificate: Option<String>,
    /// clusterDomain of /var/lib/kubelet/config.yaml.
    pub dns_domain: Option<String>,
    /// Whether /var/lib/etcd has data.
    pub etcd_data: bool,
    /// The nodes, DaemonSets, Deployments and StatefulSets that etcd's files name, as `minions/NAME` and
    /// `deployments/NAMESPACE/NAME`, deleted ones perhaps among them. Looked for only where a job of kfleet's init is on
    /// record; `None` too where they could not be read.
    pub etcd_names: Option<Vec<String>>,
    /// File names in /etc/cni/net.d.
    pub cni_configs: Vec<String>,
}

/// A kubeconfig without its secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kubeconfig {
    /// As `https://10.0.0.1:6443`.
    pub server: String,
    /// The CA it trusts, PEM.
    pub ca_certificate: Option<String>,
}

/// What the control plane's static pods were told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPlaneManifests {
    /// The tag of the API server's image.
    pub version: Option<Version>,
    /// `--advertise-address`
    pub advertise_address: Option<String>,
    /// `--secure-port`
    pub port: Option<u16>,
    /// `--service-cluster-ip-range`
    pub service_cidr: Option<String>,
    /// `--cluster-cidr` of the controller manager; `None` is the notes' forgotten --pod-network-cidr.
    pub pod_cidr: Option<String>,
}

impl KubeadmState {
    pub(super) fn read(frames: &Frames<'_>) -> Self {
        let mut cni_configs: Vec<String> = frames.anything_said("cni-configs").lines().map(str::to_owned).collect();
        // The runtime takes the first by name.
        cni_configs.sort();
        Self {
            kubeconfigs: KUBECONFIGS
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), Kubeconfig::read(frames, name)?)))
                .collect(),
            ca_certificate: frames.said("ca-certificate").filter(|pem| !pem.is_empty()),
            ca_key: frames.said("ca-key").is_some(),
            ca_key_fits: match frames.anything_said("ca-key").trim() {
                "fits" => Some(true),
                "other" => Some(false),
                _ => None,
            },
            api_server_names: names(&frames.anything_said("api-server-certificate")),
            node: node(&frames.anything_said("kubelet-certificate")),
            hostname_override: hostname_override(&frames.anything_said("kubelet-name")),
            manifests: ControlPlaneManifests::read(frames),
            etcd_cluster: etcd_cluster(&frames.anything_said("etcd")),
            api_server_extras: extras(&frames.anything_said("kube-apiserver")),
            admin_certificate: frames.said("admin-certificate").filter(|pem| !pem.is_empty()),
            dns_domain: scalar(&frames.anything_said("kubelet-config"), "clusterDomain"),
            etcd_data: !frames.anything_said("etcd-data").trim().is_empty(),
            etcd_names: frames
                .said("etcd-names")
                .map(|keys| keys.lines().filter_map(|key| key.strip_prefix("/registry/")).map(str::to_owned).collect()),
            cni_configs,
        }
    }
}

impl Kubeconfig {
    /// `None` where there is no such file, or no cluster in it.
    fn read(frames: &Frames<'_>, name: &str) -> Option<Self> {
        let mut kubeconfig = Self::parse(&frames.said(&format!("kubeconfig-{name}"))?)?;
        let beside = frames.said(&format!("authority-{name}")).filter(|pem| !pem.is_empty());
        kubeconfig.ca_certificate = kubeconfig.ca_certificate.or(beside);
        Some(kubeconfig)
    }

    /// Reads the text of a kubeconfig of one cluster, as kubeadm writes it; `None` where it names no server.
    #[must_use]
    pub fn parse(yaml: &str) -> Option<Self> {
        let inline = scalar(yaml, "certificate-authority-data");
        let ca_certificate = inline.and_then(|data| String::from_utf8(STANDARD.decode(data).ok()?).ok());
        Some(Self { server: scalar(yaml, "server")?, ca_certificate: ca_certificate.filter(|pem| !pem.is_empty()) })
    }

    /// The address that it asks, where it is none of a name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        endpoint_address(&self.server)
    }
}

/// The address of a URL or of a `host[:port]`, where it is none of a name.
#[must_use]
pub fn endpoint_address(endpoint: &str) -> Option<IpAddr> {
    let host = endpoint.trim().trim_start_matches("https://").trim_end_matches('/');
    let without_port = || host.rsplit_once(':')?.0.trim_matches(['[', ']']).parse().ok();
    host.trim_matches(['[', ']']).parse().ok().or_else(without_port)
}

impl ControlPlaneManifests {
    /// `None` where the API server has no manifest here.
    fn read(frames: &Frames<'_>) -> Option<Self> {
        let api_server = frames.one("said", "kube-apiserver")?.text();
        let controller_manager = frames.anything_said("kube-controller-manager");
        Some(Self {
            version: scalar(&api_server, "image").and_then(|image| version(tag(&image)?)),
            advertise_address: flag(&api_server, "advertise-address"),
            port: flag(&api_server, "secure-port").and_then(|port| port.parse().ok()),
            service_cidr: flag(&api_server, "service-cluster-ip-range"),
            pod_cidr: flag(&controller_manager, "cluster-cidr"),
        })
    }
}

/// The value of the first `key: value` line of a YAML file that a program wrote.
pub(super) fn scalar(yaml: &str, key: &str) -> Option<String> {
    let value = |line: &str| {
        let line = line.trim_start_matches([' ', '\t', '-']);
        let value = line.strip_prefix(key)?.strip_prefix(':')?.trim();
        Some(value.trim_matches(['"', '\'']).to_owned()).filter(|value| !value.is_empty())
    };
    yaml.lines().find_map(value)
}

/// `- --flag=value`, quoted or not.
fn flag(manifest: &str, name: &str) -> Option<String> {
    let value = |line: &str| {
        let word = line.trim().trim_start_matches("- ").trim_matches(['"', '\'']);
        Some(word.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('=')?.to_owned())
    };
    manifest.lines().find_map(value).filter(|value| !value.is_empty())
}

/// Of `--initial-cluster=h1=https://10.0.0.1:2380,h2=…` the names.
fn etcd_cluster(manifest: &str) -> BTreeSet<String> {
    let members = flag(manifest, "initial-cluster").unwrap_or_default();
    members.split(',').filter_map(|member| Some(member.split_once('=')?.0.to_owned())).collect()
}

/// How the flags begin that kubeadm sets only where it is told to, as `templates/probe/host.sh` looks for them.
const EXTRAS: [&str; 5] = ["--oidc-", "--audit-", "--encryption-", "--authentication-", "--authorization-webhook-"];

fn extras(manifest: &str) -> BTreeSet<String> {
    let words = manifest.lines().map(|line| line.trim().trim_start_matches("- ").trim_matches(['"', '\'']));
    let extras = words.filter(|word| EXTRAS.iter().any(|start| word.starts_with(start)));
    extras.filter_map(|word| Some(word.split_once('=')?.0.to_owned())).collect()
}

/// Of `registry:5000/kube-apiserver:v1.20.2@sha256:…`: v1.20.2.
fn tag(image: &str) -> Option<&str> {
    let name = image.split('@').next()?;
    let (_, tag) = name.rsplit('/').next()?.split_once(':')?;
    Some(tag)
}

/// The names that a certificate is good for; none of one that cannot be read.
pub(super) fn names(pem: &str) -> Vec<String> {
    let Some(Ok(pem)) = Pem::iter_from_buffer(pem.as_bytes()).next() else { return Vec::new() };
    let Ok(certificate) = pem.parse_x509() else { return Vec::new() };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    names.value.general_names.iter().filter_map(name).collect()
}

/// The Node that a kubelet's client certificate is for: its subject is `system:node:NAME`.
fn node(pem: &str) -> Option<String> {
    let pem = Pem::iter_from_buffer(pem.as_bytes()).next()?.ok()?;
    let certificate = pem.parse_x509().ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    name.strip_prefix("system:node:").filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The last one counts, as it does for the kubelet.
fn hostname_override(flags: &str) -> Option<String> {
    let value = flags.lines().last()?.strip_prefix("--hostname-override")?.get(1..)?;
    Some(value.trim().to_lowercase()).filter(|name| !name.is_empty())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(bytes).map(Ipv4Addr::from).map(IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(bytes).map(Ipv6Addr::from).map(IpAddr::from);
    v4().or_else(|_| v6()).ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::{KubeadmState, flag, names, scalar, tag};
    use crate::facts::frames::Frames;

    fn read(answers: &[(&str, &str)]) -> KubeadmState {
        let answers: String = answers.iter().map(|(name, body)| format!("\nn said {name} 0\n{body}")).collect();
        KubeadmState::read(&Frames::split(format!("{answers}\nn probe - end\n").as_bytes(), "n").unwrap())
    }

    #[test]
    fn endpoints_of_every_kind() {
        for (endpoint, address) in [
            ("https://10.88.0.11:6443", Some("10.88.0.11")),
            ("10.88.0.11", Some("10.88.0.11")),
            ("https://[fd00::1]:6443/", Some("fd00::1")),
            ("fd00::1", Some("fd00::1")),
            ("https://api.example.internal:6443", None),
        ] {
            assert_eq!(super::endpoint_address(endpoint), address.map(|text| text.parse().unwrap()), "{endpoint}");
        }
    }

    #[test]
    fn a_host_that_kubeadm_never_saw_has_nothing() {
        assert_eq!(read(&[]), KubeadmState::default());
    }

    #[test]
    fn a_control_plane_is_read_from_its_files() {
        let data = STANDARD.encode("PEM of the CA");
        let kubeconfig = format!("    certificate-authority-data: {data}\n    server: https://10.88.0.11:6443\n");
        let state = read(&[
            ("kubeconfig-admin", &kubeconfig),
            ("kubeconfig-kubelet", "- server: \"https://10.88.0.11:6443\"\n"),
            ("authority-kubelet", "PEM of a file"),
            ("kubeconfig-scheduler", ""),
            ("ca-certificate", "PEM of the CA"),
            ("ca-key", ""),
            (
                "kube-apiserver",
                "    - --advertise-address=10.88.0.11\n    - --secure-port=6443\n    \
                 - --service-cluster-ip-range=10.96.0.0/12\n    - --oidc-issuer-url=https://id\n    image: k8s.gcr.io/kube-apiserver:v1.20.2\n",
            ),
            ("etcd", "    - --initial-cluster=h1=https://10.88.0.11:2380,h2=https://10.88.0.12:2380\n"),
            ("admin-certificate", "PEM of the admin"),
            ("kube-controller-manager", "    image: k8s.gcr.io/kube-controller-manager:v1.20.2\n"),
            ("kubelet-config", "cgroupDriver: systemd\nclusterDomain: cluster.local\n"),
            ("etcd-data", "member\n"),
            ("etcd-names", "/registry/deployments/kube-system/coredns\n/registry/minions/h1\n"),
            ("cni-configs", "99-loopback.conf\n10-flannel.conflist\n"),
        ]);
        insta::assert_debug_snapshot!(state);
    }

    #[test]
    fn values_are_found_quoted_and_not() {
        assert_eq!(scalar("serverless: x\n  server: 'https://a:1'", "server").as_deref(), Some("https://a:1"));
        assert_eq!(scalar("server:\n", "server"), None);
        assert_eq!(flag("- \"--secure-port=6443\"", "secure-port").as_deref(), Some("6443"));
        assert_eq!(flag("- --secure-port-x=1\n- --secure-port=", "secure-port"), None);
        assert_eq!(tag("registry:5000/kube-apiserver:v1.20.2@sha256:aa"), Some("v1.20.2"));
        assert_eq!(tag("registry:5000/kube-apiserver"), None);
    }

    #[test]
    fn a_kubelet_is_the_node_of_its_certificate() {
        let certificate = |name: &str| {
            let mut parameters = rcgen::CertificateParams::new([]).unwrap();
            parameters.distinguished_name.push(rcgen::DnType::OrganizationName, "system:nodes");
            parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
            parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
        };
        let flags = "--hostname-override=first\n--hostname-override Second\n";
        let state = read(&[("kubelet-certificate", &certificate("system:node:h3")), ("kubelet-name", flags)]);
        assert_eq!((state.node.as_deref(), state.hostname_override.as_deref()), (Some("h3"), Some("second")));
        let state = read(&[("kubelet-certificate", &certificate("kubernetes-admin")), ("kubelet-name", "")]);
        assert_eq!((state.node, state.hostname_override), (None, None));
    }

    #[test]
    fn a_certificate_tells_its_names_of_both_kinds() {
        let mut parameters = rcgen::CertificateParams::new(["kubernetes".to_owned(), "h1".to_owned()]).unwrap();
        let ips = ["10.96.0.1", "fd00::2"].map(|ip| rcgen::SanType::IpAddress(ip.parse().unwrap()));
        parameters.subject_alt_names.extend(ips);
        let certificate = parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        assert_eq!(names(&certificate.pem()), ["kubernetes", "h1", "10.96.0.1", "fd00::2"]);
        assert!(names("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_empty());
    }
}
