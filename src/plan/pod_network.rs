use crate::cluster::{FlannelSpec, WeaveSpec, calico_manifest, flannel_manifest, weave_manifest};
use crate::inventory::{CniPlugin, Inventory};
use crate::steps::PodNetwork;

/// The pod network of an inventory: its manifest, made for the inventory's pod CIDR and images.
///
/// `upstream` is what the file of `cluster.cni.manifest` holds, where there is one.
///
/// # Errors
/// The reason why there is none: what the plugin cannot do.
pub fn pod_network(inventory: &Inventory, upstream: Option<&str>) -> Result<PodNetwork, String> {
    let cni = &inventory.cluster.cni;
    let pod_subnet = inventory.cluster.pod_cidr;
    let images = cni.images.clone();
    let manifest = match cni.plugin {
        CniPlugin::Flannel => {
            let backend = cni.backend.parse().map_err(|error: crate::cluster::CniError| error.to_string())?;
            flannel_manifest(&FlannelSpec { pod_subnet, backend, interface: cni.interface.clone(), images })
        }
        CniPlugin::Calico => {
            let upstream = upstream.ok_or("calico comes from its own manifest: say where it is")?;
            calico_manifest(upstream, pod_subnet)
        }
        CniPlugin::Weave => weave_manifest(&WeaveSpec { pod_subnet, images }),
    };
    let manifest = manifest.map_err(|error| error.to_string())?;
    Ok(PodNetwork { plugin: cni.plugin.to_string(), manifest })
}
