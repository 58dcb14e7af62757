use std::sync::LazyLock;

use regex::Regex;

/// A kubeadm bootstrap token, in colour or not; its secret half is what must not be seen.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant and a test compiles it")]
static TOKEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\b|\x1b\[[0-9;]*m)([a-z0-9]{6})\.[a-z0-9]{16}\b").unwrap());

/// `text` with the secret half of every bootstrap token replaced by `***`.
///
/// kubeadm prints tokens into the output of `init`; everything remote passes through here before an event carries it.
#[must_use]
pub fn redact(text: &str) -> String {
    TOKEN.replace_all(text, "$1$2.***").into_owned()
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn a_token_keeps_its_public_id_only() {
        assert_eq!(
            redact("kubeadm join 10.0.0.1:6443 --token fm9k1o.vhxmun0sriombljn \\"),
            "kubeadm join 10.0.0.1:6443 --token fm9k1o.*** \\"
        );
    }

    #[test]
    fn names_that_look_alike_stay() {
        let text = "kubelet-config-1.15 kubernetes.default.svc.cluster.local etcd.service";
        assert_eq!(redact(text), text);
    }
}
