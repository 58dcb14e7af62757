use jiff::Timestamp;

use crate::cluster::expiry;
use crate::doctor::Finding;
use crate::events::Severity;
use crate::facts::Facts;

/// Why kubectl on the control plane would be refused once its parts run again: its certificate has ended.
pub(super) fn expired(control_plane: &str, facts: &Facts, now: Timestamp) -> Option<Finding> {
    let ended = expiry(facts.kubeadm.admin_certificate.as_ref()?).ok().filter(|end| *end <= now)?;
    let reason = format!("the certificate in /etc/kubernetes/admin.conf ended {ended}: the API server refuses it");
    let hint = "`kubeadm certs renew all` there (`kubeadm alpha certs renew all` before 1.20); then begin again";
    Some(Finding::of_host(control_plane, Severity::Error, "admin-certificate", reason).with_hint(hint))
}
