//! Pod networks: their manifests.

mod calico;
mod cni_error;
mod flannel;
mod manifest;
mod weave;

pub use calico::calico_manifest;
pub use cni_error::CniError;
pub use flannel::{FlannelBackend, FlannelSpec, flannel_manifest};
pub use manifest::{MANIFEST_HASH_ANNOTATION, Manifest};
pub use weave::{WeaveSpec, weave_manifest};
