use std::fmt;

use crate::base::{printable, redact};

/// What went wrong, in kubeadm's own words and without the rest of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeadmFailure {
    /// The phase that failed, as `preflight`; `None` where kubeadm did not get that far.
    pub phase: Option<String>,
    /// What failed in it, at least one.
    pub errors: Vec<KubeadmError>,
}

/// One thing that failed. Safe for a terminal, and without tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeadmError {
    /// The check, by the name that `--ignore-preflight-errors` takes, or `kubelet-check` and its like.
    pub check: Option<String>,
    /// kubeadm's words.
    pub message: String,
}

impl KubeadmError {
    fn new(check: Option<&str>, message: &str) -> Self {
        Self { check: check.map(printable), message: redact(&printable(message.trim())) }
    }
}

impl fmt::Display for KubeadmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.check {
            Some(check) => write!(f, "{check}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// What follows kubeadm's own error, ever.
const AFTERWORD: &str = "To see the stack trace of this error";

impl KubeadmFailure {
    /// Finds the failure in all that `kubeadm init`, `join` or `reset` printed, whichever version; `None` when there is
    /// none in it.
    #[must_use]
    pub fn find(output: &str) -> Option<Self> {
        let lines: Vec<&str> = output.lines().map(str::trim_end).collect();
        let timeout = timeout(&lines);
        let (phase, mut errors) = match lines.iter().rposition(|line| execution_error(line).is_some()) {
            Some(at) => {
                let (phase, message) = execution_error(lines[at])?;
                let checks = fatal_checks(&lines[at + 1..]);
                let errors = if checks.is_empty() { vec![KubeadmError::new(None, message)] } else { checks };
                (Some(printable(phase)), errors)
            }
            None => (None, last_words(&lines).into_iter().collect()),
        };
        // They were printed before the error, which only says that it was one; they say why. On their own they prove
        // nothing: an unhealthy kubelet may come round.
        let mut reasons = health_checks(&lines);
        let failed = timeout.is_some() || !errors.is_empty();
        reasons.extend(timeout);
        reasons.append(&mut errors);
        failed.then_some(Self { phase, errors: reasons })
    }
}

/// The phase and the message of `error execution phase PHASE: MESSAGE`, which newer versions prefix once more.
fn execution_error(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    line.strip_prefix("error: ").unwrap_or(line).strip_prefix("error execution phase ")?.split_once(": ")
}

/// The `[ERROR Check]: message` of a preflight, with the lines that belong to each message.
fn fatal_checks(lines: &[&str]) -> Vec<KubeadmError> {
    let mut checks: Vec<KubeadmError> = Vec::new();
    for line in lines {
        if line.starts_with("[preflight]") || line.starts_with(AFTERWORD) {
            break;
        }
        let check = line.trim_start().strip_prefix("[ERROR ").and_then(|rest| rest.split_once("]: "));
        match (check, checks.last_mut()) {
            (Some((check, message)), _) => checks.push(KubeadmError::new(Some(check), message)),
            (None, Some(last)) if !line.trim().is_empty() => {
                let more = KubeadmError::new(None, line).message;
                last.message = format!("{} {more}", last.message);
            }
            (None, _) => {}
        }
    }
    checks
}

/// What stands under kubeadm's own lament, as `timed out waiting for the condition`; newer versions have none.
fn timeout(lines: &[&str]) -> Option<KubeadmError> {
    let at = lines.iter().rposition(|line| line.trim() == "Unfortunately, an error has occurred:")?;
    let message = lines[at + 1..].iter().find(|line| !line.trim().is_empty())?;
    Some(KubeadmError::new(None, message))
}

/// An error outside of a phase, such as one of the configuration.
fn last_words(lines: &[&str]) -> Option<KubeadmError> {
    let at = lines.iter().rposition(|line| line.starts_with(AFTERWORD))?;
    let message = lines[..at].iter().rfind(|line| !line.trim().is_empty())?.trim_start();
    Some(KubeadmError::new(None, message.strip_prefix("error: ").unwrap_or(message)))
}

/// What `[kubelet-check]` and its like found unhealthy, the last word of each component.
fn health_checks(lines: &[&str]) -> Vec<KubeadmError> {
    let mut unhealthy: Vec<(String, KubeadmError)> = Vec::new();
    for line in lines {
        let Some((check, message)) = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("] ")) else {
            continue;
        };
        let says = |words: &str| message.contains(words);
        if !check.ends_with("-check")
            || !(says("failed with error") || says("is not healthy") || says("returned HTTP code"))
        {
            continue;
        }
        let component = match message.split_once(" is not healthy") {
            Some((component, _)) => format!("{check} {component}"),
            None => check.to_owned(),
        };
        unhealthy.retain(|(known, _)| *known != component);
        unhealthy.push((component, KubeadmError::new(Some(check), message)));
    }
    unhealthy.into_iter().map(|(_, error)| error).collect()
}

#[cfg(test)]
mod tests {
    use super::KubeadmFailure;

    /// The failure as lines, the first its phase.
    fn lines(output: &str) -> Vec<String> {
        let failure = KubeadmFailure::find(output).unwrap();
        let errors = failure.errors.iter().map(ToString::to_string);
        std::iter::once(failure.phase.unwrap_or_else(|| "-".into())).chain(errors).collect()
    }

    #[test]
    fn every_check_of_a_failed_preflight_is_told() {
        let found = lines(include_str!("../../tests/fixtures/kubeadm/init-already-initialised.txt"));
        assert_eq!(found.len(), 12);
        assert_eq!(found[..2], ["preflight", "Port-6443: Port 6443 is in use"]);
        assert_eq!(found[11], "DirAvailable--var-lib-etcd: /var/lib/etcd is not empty");
        let found = lines(include_str!("../../tests/fixtures/kubeadm/join-already-joined.txt"));
        assert_eq!(
            found[1..3],
            [
                "FileAvailable--etc-kubernetes-kubelet.conf: /etc/kubernetes/kubelet.conf already exists",
                "Port-10250: Port 10250 is in use"
            ]
        );
    }

    #[test]
    fn a_failed_join_gives_its_one_reason() {
        for (output, reason) in [
            (
                include_str!("../../tests/fixtures/kubeadm/join-bad-token.txt"),
                "couldn't validate the identity of the API Server: could not find a JWS signature in the cluster-info \
                 ConfigMap for token ID \"abcdef\"",
            ),
            (
                include_str!("../../tests/fixtures/kubeadm/join-api-unreachable-old-ip.txt"),
                "couldn't validate the identity of the API Server: Get \
                 \"https://10.88.0.11:6443/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s\": dial tcp \
                 10.88.0.11:6443: connect: no route to host",
            ),
            (
                include_str!("../../tests/fixtures/kubeadm/join-cluster-info-stale.txt"),
                "unable to fetch the kubeadm-config ConfigMap: failed to get config map: Get \
                 \"https://10.88.0.11:6443/api/v1/namespaces/kube-system/configmaps/kubeadm-config?timeout=10s\": dial tcp \
                 10.88.0.11:6443: connect: no route to host",
            ),
            (
                include_str!("../../tests/fixtures/kubeadm/join-wrong-ca-hash.txt"),
                "couldn't validate the identity of the API Server: cluster CA found in cluster-info ConfigMap is invalid: \
                 none of the public keys \"sha256:c1be6b7bc14d8b779f9697f265f2c9a5f3cfab9a0c72733a603d853dfc0363f1\" are \
                 pinned",
            ),
            // The user's notes.
            (
                "[preflight] Reading configuration from the cluster...\n\
                 error execution phase preflight: unable to fetch the kubeadm-config ConfigMap: failed to get config map: \
                 Unauthorized\n",
                "unable to fetch the kubeadm-config ConfigMap: failed to get config map: Unauthorized",
            ),
        ] {
            assert_eq!(lines(output), ["preflight", reason]);
        }
    }

    #[test]
    fn a_kubelet_that_never_answered_is_named_before_the_timeout() {
        let check = "[kubelet-check] It seems like the kubelet isn't running or healthy.\n\
                     [kubelet-check] The HTTP call equal to 'curl -sSL http://localhost:10248/healthz' failed with error: \
                     Get http://localhost:10248/healthz: dial tcp 127.0.0.1:10248: connect: connection refused.\n";
        let because = "kubelet-check: The HTTP call equal to 'curl -sSL http://localhost:10248/healthz' failed with error: \
                       Get http://localhost:10248/healthz: dial tcp 127.0.0.1:10248: connect: connection refused.";
        let notes = format!(
            "{check}{check}\nUnfortunately, an error has occurred:\n        timed out waiting for the condition\n"
        );
        assert_eq!(lines(&notes), ["-", because, "timed out waiting for the condition"]);
        // What 1.20.2 printed where the kubelet answered and the static pods did not come up.
        let pods = include_str!("../../tests/fixtures/kubeadm/init-wait-control-plane.txt");
        let in_vain = ["timed out waiting for the condition", "couldn't initialize a Kubernetes cluster"];
        assert_eq!(lines(pods), ["wait-control-plane", in_vain[0], in_vain[1]]);
        assert_eq!(lines(&format!("{check}{pods}")), ["wait-control-plane", because, in_vain[0], in_vain[1]]);
    }

    #[test]
    fn newer_versions_are_understood_too() {
        let output = "[kubelet-check] The kubelet is healthy after 501.1ms\n\
                      [control-plane-check] kube-scheduler is healthy after 2s\n\
                      [control-plane-check] kube-apiserver is not healthy after 4m0.00018s\n\
                      \x1b[31merror:\n\
                      error: error execution phase wait-control-plane: failed while waiting for the control plane to start\n\
                      To see the stack trace of this error execute with --v=5 or higher\n";
        assert_eq!(
            lines(output),
            [
                "wait-control-plane",
                "control-plane-check: kube-apiserver is not healthy after 4m0.00018s",
                "failed while waiting for the control plane to start",
            ]
        );
    }

    #[test]
    fn a_message_of_several_lines_stays_together() {
        let output = "error execution phase preflight: [preflight] Some fatal errors occurred:\n\
                      \t[ERROR ImagePull]: failed to pull image \"k8s.gcr.io/pause:3.2\": output: time=\"x\"\n\
                      , error: exit status 1\n\
                      \t[ERROR Swap]: running with swap on is not supported. Please disable swap\n\
                      [preflight] If you know what you are doing, …\n";
        assert_eq!(
            lines(output)[1..],
            [
                "ImagePull: failed to pull image \"k8s.gcr.io/pause:3.2\": output: time=\"x\" , error: exit status 1",
                "Swap: running with swap on is not supported. Please disable swap",
            ]
        );
    }

    #[test]
    fn an_error_of_the_configuration_is_found_and_tokens_are_not_shown() {
        let output = "this version of kubeadm rejects fm9k1o.vhxmun0sriombljn\x07\n\
                      To see the stack trace of this error execute with --v=5 or higher\n";
        assert_eq!(lines(output), ["-", "this version of kubeadm rejects fm9k1o.***"]);
    }

    #[test]
    fn success_is_no_failure() {
        for output in [
            include_str!("../../tests/fixtures/kubeadm/init-success.txt"),
            include_str!("../../tests/fixtures/kubeadm/join-success.txt"),
            include_str!("../../tests/fixtures/kubeadm/reset.txt"),
            "[kubelet-check] It seems like the kubelet isn't running or healthy.\n\
             [kubelet-check] The HTTP call equal to 'curl' failed with error: refused.\n\
             [apiclient] All control plane components are healthy after 17.504248 seconds\n",
        ] {
            assert_eq!(KubeadmFailure::find(output), None);
        }
    }
}
