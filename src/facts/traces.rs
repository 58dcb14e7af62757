use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::frames::Frames;
use super::kubeadm::names;

/// Which addresses stand where on a host, and in what its cluster keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// Every address that stands somewhere, in order of place.
    pub found: Vec<Trace>,
    /// The names, DNS and IP, of each certificate that is there, by path.
    pub certificates: BTreeMap<String, Vec<String>>,
    /// How many members etcd has, by its own answer; one may stand with several addresses. 0 where it did not answer.
    pub etcd_members: usize,
    /// What etcd was asked with: `etcdctl` or `curl`; `None` where it was not asked or did not answer.
    pub etcd_way: Option<String>,
    /// Why etcd could not be asked, where it is here and could not.
    pub etcd_silent: Option<String>,
}

/// An address, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trace {
    /// A path, `certificate PATH`, `etcd's member` or `ConfigMap NAMESPACE/NAME`.
    pub place: String,
    /// The address.
    pub address: IpAddr,
}

/// How etcd's membership is called as a place.
const ETCD: &str = "etcd's member";

impl Traces {
    /// `None` where nobody asked.
    pub(super) fn read(frames: &Frames<'_>) -> Option<Self> {
        let files = frames.one("said", "traces")?.text();
        let maps = frames.anything_said("config-maps");
        let of_lines = files.lines().chain(maps.lines()).filter_map(|line| line.split_once('\t'));
        let mut found: BTreeSet<Trace> = of_lines
            .filter_map(|(place, word)| Some(Trace { place: place.to_owned(), address: address(word)? }))
            .collect();
        let certificates = certificates(&frames.anything_said("certificates"));
        for (path, names) in &certificates {
            let addresses = names.iter().filter_map(|name| name.parse().ok());
            found.extend(addresses.map(|address| Trace { place: format!("certificate {path}"), address }));
        }
        let etcd = frames.said("etcd-members");
        let etcd = etcd.as_deref().and_then(|answer| answer.split_once('\n'));
        if let Some((_, members)) = etcd {
            let words = members.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | ':' | '_' | '-'));
            found.extend(words.filter_map(address).map(|address| Trace { place: ETCD.to_owned(), address }));
        }
        Some(Self {
            found: found.into_iter().collect(),
            certificates,
            etcd_members: etcd.map_or(0, |(way, members)| member_count(way.trim(), members)),
            etcd_way: etcd.map(|(way, _)| way.trim().to_owned()),
            etcd_silent: frames.complaint("etcd-members"),
        })
    }

    /// The addresses of one place, in order.
    pub fn at<'a>(&'a self, place: &'a str) -> impl Iterator<Item = IpAddr> + 'a {
        self.found.iter().filter(move |trace| trace.place == place).map(|trace| trace.address)
    }

    /// The addresses of etcd's members.
    pub fn of_etcd(&self) -> impl Iterator<Item = IpAddr> {
        self.at(ETCD)
    }
}

/// etcdctl tells of a member a line; else it is JSON.
fn member_count(way: &str, members: &str) -> usize {
    match way {
        "etcdctl" => members.lines().filter(|line| !line.trim().is_empty()).count(),
        _ => members.matches("\"peerURLs\"").count(),
    }
}

/// An address alone or with a port; of a word such as `https:` none.
fn address(word: &str) -> Option<IpAddr> {
    let word = word.trim_matches('.');
    word.parse().ok().or_else(|| word.rsplit_once(':').and_then(|(host, _)| host.parse().ok()))
}

/// `# PATH` lines, each with the certificate that the file begins with.
fn certificates(text: &str) -> BTreeMap<String, Vec<String>> {
    let files = text.split("# /").skip(1);
    files.filter_map(|file| file.split_once('\n')).map(|(path, pem)| (format!("/{path}"), names(pem))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Trace, Traces};
    use crate::facts::frames::Frames;

    const CERTIFICATE: &str = include_str!("../../tests/fixtures/kubeadm/ca.crt");

    #[test]
    fn addresses_are_found_with_their_places() {
        let output = format!(
            "\nn said traces 0\n/etc/kubernetes/admin.conf\t10.88.0.11:6443\n/etc/kubernetes/manifests/etcd.yaml\t10.88.0.11:2380\n\
             /etc/kubernetes/manifests/etcd.yaml\t1.2.3\n/etc/default/kubelet\tfd00::1\n\
             \nn said certificates 0\n# /etc/kubernetes/pki/ca.crt\n{CERTIFICATE}\
             \nn said etcd-members 0\ncurl\n{{\"members\":[{{\"ID\":\"7\",\"peerURLs\":[\"https://10.88.0.11:2380\"]}}]}}\n\
             \nn said config-maps 0\nConfigMap kube-public/cluster-info\t10.88.0.11:6443\n\nn probe - end\n"
        );
        let traces = Traces::read(&Frames::split(output.as_bytes(), "n").unwrap()).unwrap();
        let trace = |place: &str, address: &str| Trace { place: place.to_owned(), address: address.parse().unwrap() };
        assert_eq!(
            traces.found,
            [
                trace("/etc/default/kubelet", "fd00::1"),
                trace("/etc/kubernetes/admin.conf", "10.88.0.11"),
                trace("/etc/kubernetes/manifests/etcd.yaml", "10.88.0.11"),
                trace("ConfigMap kube-public/cluster-info", "10.88.0.11"),
                trace("etcd's member", "10.88.0.11"),
            ]
        );
        assert_eq!(traces.etcd_way.as_deref(), Some("curl"));
        assert!(traces.certificates.contains_key("/etc/kubernetes/pki/ca.crt"));
    }

    #[test]
    fn a_member_is_one_however_many_addresses_it_has() {
        let count = |answer: &str| {
            let output = format!("\nn said traces 0\n\nn said etcd-members 0\n{answer}\nn probe - end\n");
            Traces::read(&Frames::split(output.as_bytes(), "n").unwrap()).unwrap().etcd_members
        };
        let line = "8e9e05c52164694d, started, h1, https://10.88.0.11:2380, https://10.88.0.111:2379, false\n";
        assert_eq!(count(&format!("etcdctl\n{line}")), 1);
        assert_eq!(count(&format!("etcdctl\n{line}{line}")), 2);
        let json = r#"{"ID":"7","peerURLs":["https://10.88.0.11:2380"],"clientURLs":["https://10.88.0.111:2379"]}"#;
        assert_eq!(count(&format!("curl\n{{\"header\":{{\"member_id\":\"7\"}},\"members\":[{json}]}}\n")), 1);
        assert_eq!(count(&format!("curl\n{{\"members\":[{json},{json}]}}\n")), 2);
    }

    #[test]
    fn what_was_not_asked_is_not_known() {
        assert_eq!(Traces::read(&Frames::split(b"\nn probe - end\n", "n").unwrap()), None);
    }
}
