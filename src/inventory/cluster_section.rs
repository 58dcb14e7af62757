use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ipnet::{IpNet, Ipv4Net};
use toml::Spanned;

use super::addresses::{certificate_name, endpoint, network, reachable_ip};
use super::kubeadm_document::kubeadm_document;
use super::model::{Cluster, Cni, CniPlugin, KubernetesVersion, Pki};
use super::names::{dns_name, image, interface, preflight_check, socket};
use super::problem::{Complaint, Problem};
use super::section::{Section, suggestion};
use super::workstation::Workstation;

/// `[cluster]` and where the file says what other sections are held against.
#[derive(Debug)]
pub(super) struct ClusterSection {
    pub(super) cluster: Cluster,
    /// `None` where the file has one that cannot be read.
    pub(super) pod_cidr: Option<Network>,
    /// As `pod_cidr`.
    pub(super) service_cidr: Option<Network>,
    pub(super) advertise_address: Option<Range<usize>>,
}

/// A network and its place; a default has none.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) network: IpNet,
    pub(super) place: Option<Range<usize>>,
}

/// What every kubeadm and flannel's manifest suppose.
const POD_CIDR: IpNet = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(10, 244, 0, 0), 16));
/// kubeadm's own default.
const SERVICE_CIDR: IpNet = IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(10, 96, 0, 0), 12));
/// Older ones do not know `kubeadm.k8s.io/v1beta2`.
const OLDEST: semver::Version = semver::Version::new(1, 15, 0);

pub(super) fn read(mut section: Section<'_>, workstation: &Workstation, directory: &Path) -> ClusterSection {
    let name = section.parse("name", dns_name);
    if !section.has("name") {
        section.missing("name", "a name of yours for the cluster: `[cluster]` with `name = \"lab\"`");
    }
    let kubernetes = section.parse("kubernetes", version);
    let pod_cidr = given_or(&mut section, "pod_cidr", network, POD_CIDR);
    let service_cidr = given_or(&mut section, "service_cidr", service_network, SERVICE_CIDR);
    let dns_domain = section.parse("dns_domain", dns_name);
    let advertise_address = section.parse("advertise_address", reachable_ip);
    let read = ClusterSection {
        pod_cidr: pod_cidr.clone(),
        service_cidr: service_cidr.clone(),
        advertise_address: advertise_address.as_ref().map(Spanned::span),
        cluster: Cluster {
            name: name.map(Spanned::into_inner).unwrap_or_default(),
            kubernetes: kubernetes.map_or(KubernetesVersion::AsInstalled, Spanned::into_inner),
            pod_cidr: pod_cidr.map_or(POD_CIDR, |given| given.network),
            service_cidr: service_cidr.map_or(SERVICE_CIDR, |given| given.network),
            dns_domain: dns_domain.map_or_else(|| "cluster.local".to_owned(), Spanned::into_inner),
            advertise_address: advertise_address.map(Spanned::into_inner),
            endpoint: section.parse("endpoint", endpoint).map(Spanned::into_inner),
            port: section.port("port").unwrap_or(6443),
            cert_sans: section.plain_list("cert_sans", certificate_name),
            image_repository: section.parse("image_repository", image).map(Spanned::into_inner),
            cri_socket: section.parse("cri_socket", socket).map(Spanned::into_inner),
            ignore_preflight_errors: section.plain_list("ignore_preflight_errors", preflight_check),
            kubeadm_documents: section.plain_list("kubeadm_documents", kubeadm_document),
            pki: section.parse("pki", pki).map_or(Pki::Kubeadm, Spanned::into_inner),
            cni: cni(section.section("cni"), |text| workstation.resolve(directory, text)),
        },
    };
    section.finish();
    read
}

fn given_or(
    section: &mut Section<'_>,
    key: &'static str,
    read: fn(&str) -> Result<IpNet, Complaint>,
    default: IpNet,
) -> Option<Network> {
    match section.parse(key, read) {
        Some(given) => Some(Network { place: Some(given.span()), network: given.into_inner() }),
        None => (!section.has(key)).then_some(Network { network: default, place: None }),
    }
}

fn cni(mut section: Section<'_>, path: impl Fn(&str) -> Result<PathBuf, Complaint>) -> Cni {
    let named = section.parse("plugin", plugin);
    let plugin = named.as_ref().map_or(CniPlugin::Flannel, |named| *named.get_ref());
    let interface = section.parse("interface", interface);
    let backend = section.parse("backend", backend);
    let of_flannel =
        [("interface", interface.as_ref().map(Spanned::span)), ("backend", backend.as_ref().map(Spanned::span))];
    for (key, span) in of_flannel {
        if let (Some(span), true) = (span, plugin != CniPlugin::Flannel) {
            section.add(
                Problem::new(format!("`cluster.cni.{key}` is flannel's and nothing to {plugin}"))
                    .at(span, "")
                    .hint("take the key out, or `plugin = \"flannel\"`"),
            );
        }
    }
    let images = images(&mut section, plugin);
    let manifest = section.parse("manifest", path);
    match (&manifest, plugin) {
        (None, CniPlugin::Calico) if !section.has("manifest") => section.add(
            Problem::new("calico comes from its own manifest, which kfleet does not carry")
                .at(named.map_or(0..0, |named| named.span()), "")
                .hint("fetch its calico.yaml, and say where it is: `manifest = \"calico.yaml\"` under [cluster.cni]"),
        ),
        (Some(manifest), CniPlugin::Flannel | CniPlugin::Weave) => section.add(
            Problem::new(format!("`cluster.cni.manifest` is calico's and nothing to {plugin}"))
                .at(manifest.span(), "")
                .hint("take the key out: kfleet has a manifest of its own"),
        ),
        _ => {}
    }
    section.finish();
    Cni {
        manifest: manifest.map(Spanned::into_inner),
        plugin,
        interface: interface.map(Spanned::into_inner),
        backend: backend.map_or_else(|| "vxlan".to_owned(), Spanned::into_inner),
        images,
    }
}

fn images(section: &mut Section<'_>, plugin: CniPlugin) -> BTreeMap<String, String> {
    let Some(item) = section.item("images") else { return BTreeMap::new() };
    let mut images = BTreeMap::new();
    for (part, name) in item.entries() {
        if part_names(plugin).contains(part.get_ref()) {
            images.extend(name.parse(image).map(|name| ((*part.get_ref()).to_owned(), name.into_inner())));
        } else {
            let hint = match part_names(plugin) {
                [] => "its images are named in its manifest".to_owned(),
                names => suggestion(part.get_ref(), names),
            };
            let problem = Problem::new(format!("{plugin} has no image `{}`", part.get_ref()));
            item.add(problem.at(part.span(), "unknown").hint(hint));
        }
    }
    images
}

/// The last part of each image's name upstream.
fn part_names(plugin: CniPlugin) -> &'static [&'static str] {
    match plugin {
        CniPlugin::Flannel => &["flannel", "flannel-cni-plugin"],
        // They stand in its manifest.
        CniPlugin::Calico => &[],
        CniPlugin::Weave => &["weave-kube", "weave-npc"],
    }
}

/// `as installed`, `1.20.2` or `v1.20.2`.
fn version(text: &str) -> Result<KubernetesVersion, Complaint> {
    if text == "as installed" {
        return Ok(KubernetesVersion::AsInstalled);
    }
    let digits = text.strip_prefix('v').unwrap_or(text);
    let version = semver::Version::parse(digits).map_err(|_| {
        let complaint = Complaint::new(format!("`{text}` is not a version of Kubernetes"));
        match semver::Version::parse(&format!("{digits}.0")) {
            Ok(whole) => complaint.hint(format!("all three numbers are needed, such as \"{whole}\"")),
            Err(_) => complaint.hint("such as \"1.20.2\", or \"as installed\" for what the control plane's kubeadm is"),
        }
    })?;
    if version < OLDEST || version.major != 1 {
        return Err(Complaint::new(format!("kfleet does not know Kubernetes {version}"))
            .hint(format!("its kubeadm must be {OLDEST} or later, and 1.x")));
    }
    Ok(KubernetesVersion::Exactly(version))
}

/// What the API server takes: at most 2^20 addresses; and kubeadm: at least ten.
fn service_network(text: &str) -> Result<IpNet, Complaint> {
    let network = network(text)?;
    let free = network.max_prefix_len() - network.prefix_len();
    if !(4..=20).contains(&free) {
        return Err(Complaint::new(format!(
            "`{text}` is too {} for Services",
            if free > 20 { "large" } else { "small" }
        ))
        .hint(format!("from /{} to /{}", network.max_prefix_len() - 20, network.max_prefix_len() - 4)));
    }
    Ok(network)
}

fn plugin(text: &str) -> Result<CniPlugin, Complaint> {
    let known = [CniPlugin::Flannel, CniPlugin::Calico, CniPlugin::Weave];
    one_of("plugin", text, &known.map(|plugin| (plugin.to_string(), plugin)))
}

fn backend(text: &str) -> Result<String, Complaint> {
    one_of("backend", text, &["vxlan", "host-gw", "udp", "wireguard"].map(|name| (name.to_owned(), name.to_owned())))
}

fn pki(text: &str) -> Result<Pki, Complaint> {
    one_of("choice", text, &[("kubeadm".to_owned(), Pki::Kubeadm), ("workstation".to_owned(), Pki::Workstation)])
}

/// The meaning of one of a few words.
pub(super) fn one_of<T: Clone>(what: &str, text: &str, known: &[(String, T)]) -> Result<T, Complaint> {
    known.iter().find(|(word, _)| word == text).map(|(_, meaning)| meaning.clone()).ok_or_else(|| {
        let words: Vec<_> = known.iter().map(|(word, _)| word.as_str()).collect();
        Complaint::new(format!("there is no {what} `{text}`")).hint(suggestion(text, &words))
    })
}
