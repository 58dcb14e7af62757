use std::collections::BTreeMap;

use super::frames::Frames;

/// What a node of a cluster has outside of what kubeadm takes back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remains {
    /// Pod networks' links, in an order in which they can be deleted.
    pub interfaces: Vec<String>,
    /// Addresses of pods' on links that stay, as `tunl0 10.244.1.0/32`.
    pub addresses: Vec<String>,
    /// Routes into the pod network that do not go with a link, as `ip route` takes them.
    pub routes: Vec<String>,
    /// Programs of iptables' family whose tables have chains of kube-proxy, a pod network or CNI plugins; and how many.
    pub rules: BTreeMap<String, u32>,
    /// kube-proxy's of IPVS, as ipvsadm takes them: `-t 10.96.0.1:443`.
    pub virtual_servers: Vec<String>,
    /// kube-proxy's, calico's and weave's.
    pub ipsets: Vec<String>,
    /// kube-proxy's and flannel's, as `ip kube-proxy`.
    pub nft_tables: Vec<String>,
    /// Files and directories of the pod network.
    pub paths: Vec<String>,
    /// SHA-256 of /etc/kubernetes/admin.conf.
    pub admin_digest: Option<String>,
    /// The kubeconfig of who logged in: SHA-256 and path.
    pub kubeconfig: Option<(String, String)>,
}

impl Remains {
    pub(super) fn read(frames: &Frames<'_>) -> Self {
        let mut remains = Self::default();
        for line in frames.anything_said("remains").lines() {
            let Some((kind, item)) = line.split_once(' ') else { continue };
            let text = || item.to_owned();
            match kind {
                "interface" => remains.interfaces.push(text()),
                "address" => remains.addresses.push(text()),
                "route" => remains.routes.push(text()),
                "rules" => {
                    let Some((tool, chains)) = item.split_once(' ') else { continue };
                    remains.rules.insert(tool.to_owned(), chains.parse().unwrap_or_default());
                }
                "virtual-server" => remains.virtual_servers.push(text()),
                "ipset" => remains.ipsets.push(text()),
                "nft-table" => remains.nft_tables.push(text()),
                "path" => remains.paths.push(text()),
                "admin" => remains.admin_digest = Some(text()),
                "kubeconfig" => {
                    remains.kubeconfig = item.split_once(' ').map(|(sum, path)| (sum.to_owned(), path.to_owned()));
                }
                _ => {}
            }
        }
        remains
    }
}

#[cfg(test)]
mod tests {
    use super::Remains;
    use crate::facts::frames::Frames;

    fn read(said: &str) -> Remains {
        let output = format!("\nn said remains 0\n{said}\nn probe - end\n");
        Remains::read(&Frames::split(output.as_bytes(), "n").unwrap())
    }

    #[test]
    fn a_node_tells_what_it_has() {
        let said = "interface veth1\ninterface cni0\naddress tunl0 10.244.1.0/32\nroute 10.244.1.0/24 via 10.88.0.12 dev eth0\nrules iptables-nft 34\n\
                    virtual-server -t 10.96.0.1:443\nipset KUBE-LOOP-BACK\nnft-table ip kube-proxy\npath /run/flannel\nadmin aa\n\
                    kubeconfig bb /home/o ps/.kube/config\nmore to come\nnothing\n";
        insta::assert_debug_snapshot!(read(said));
    }

    #[test]
    fn a_host_that_was_never_one_has_nothing() {
        assert_eq!(read(""), Remains::default());
    }
}
