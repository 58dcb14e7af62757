use semver::Version;
use thiserror::Error;

/// Why no configuration for kubeadm can be made.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// No API version is known for it.
    #[error("no configuration for kubeadm {kubeadm} is known: kfleet speaks to 1.15 and later")]
    UnknownApi {
        /// The kubeadm asked for.
        kubeadm: Version,
    },
    /// To kubeadm a TTL of zero means for ever.
    #[error("a bootstrap token must expire: its ttl is under a second")]
    EternalToken,
    /// A join without one trusts whoever answers.
    #[error("the join grant pins no CA certificate")]
    Unpinned,
    /// An extra document that is not one.
    #[error("kubeadm document {number} is not YAML with a kind: {reason}")]
    Document {
        /// Counted from 1.
        number: usize,
        /// The parser's words.
        reason: String,
    },
    /// An extra document of a kind that kfleet writes; kubeadm refuses a kind twice.
    #[error("kubeadm document {number} is a {kind}, which kfleet writes itself: kubeadm takes only one")]
    DocumentTwice {
        /// Counted from 1.
        number: usize,
        /// Its kind.
        kind: String,
    },
    /// A defect of kfleet's.
    #[error("a template of kfleet's does not fit its values: {0}")]
    Template(#[from] minijinja::Error),
}
