use secrecy::ExposeSecret;

use super::claims::is_printable;
use crate::base::redact;
use crate::cluster::{JoinGrant, KubeadmFailure, Phase};
use crate::doctor::cause;

/// What kubeadm printed: failures are fit for a terminal and without tokens, and a grant is one that kubeadm would take.
pub fn kubeadm_output(data: &[u8]) {
    let text = &String::from_utf8_lossy(data);
    if let Some(failure) = KubeadmFailure::find(text) {
        assert!(!failure.errors.is_empty());
        failure.phase.iter().for_each(|phase| is_printable(phase));
        for error in &failure.errors {
            let told = error.to_string();
            is_printable(&told);
            assert_eq!(redact(&error.message), error.message, "a token is told");
        }
        let told: usize = failure.errors.iter().map(|error| error.to_string().len()).sum();
        assert!(told <= 4 * text.len() + 200, "{} bytes made {told}", text.len());
    }
    for line in text.lines() {
        let _ = Phase::of(line);
    }
    for cause in [cause(text, text, ""), cause(text, "", text)].iter().flatten() {
        is_printable(&cause.what);
        is_printable(&cause.hint);
    }
    if let Ok(grant) = JoinGrant::parse(text) {
        reads_again(&grant);
    }
}

fn reads_again(grant: &JoinGrant) {
    let JoinGrant { endpoint, token, ca_cert_hashes } = grant;
    let mut command = format!("kubeadm join {endpoint} --token {}", token.expose_secret());
    for hash in ca_cert_hashes {
        is_printable(hash);
        command += &format!(" \\\n\t--discovery-token-ca-cert-hash {hash}");
    }
    is_printable(endpoint);
    let Ok(again) = JoinGrant::parse(&command) else { panic!("{endpoint:?} {ca_cert_hashes:?}") };
    assert_eq!((&again.endpoint, &again.ca_cert_hashes), (endpoint, ca_cert_hashes));
    assert_eq!(again.token.expose_secret(), token.expose_secret());
    assert!(!grant.token_id().is_empty() && !format!("{grant:?}").contains(token.expose_secret()));
}
