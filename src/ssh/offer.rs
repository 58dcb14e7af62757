use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Certificate, HashAlg, PublicKey};

use super::agent::Held;
use super::identity::{Identity, KeyProblem};
use crate::base::printable;

/// A key or a certificate to log in with.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What the server is shown.
    pub proof: Proof,
    /// Who signs for it.
    pub by: By,
    /// For people: which it is, and where from.
    pub shown: String,
}

/// What the server is shown.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A public key.
    Key(PublicKey),
    /// A key with its certificate.
    Certificate(Box<Certificate>),
}

/// Who signs.
#[derive(Debug, Clone)]
pub enum By {
    /// The agent holds what is offered.
    Agent,
    /// The agent holds the key, but not its certificate.
    AgentsKey,
    /// The key of a file.
    File(Arc<Identity>),
}

/// All that there is to choose from.
pub struct Choice<'a> {
    /// What the agent holds.
    pub held: &'a [Held],
    /// The private keys' files.
    pub identities: &'a [Arc<Identity>],
    /// Certificates that were named, with their files.
    pub certificates: &'a [(PathBuf, Certificate)],
    /// Whether the files were named; else they are the usual ones.
    pub named: bool,
    /// Whether of the agent's keys only those are wanted that the files name.
    pub only: bool,
}

impl Choice<'_> {
    /// The order in which to offer them, and words on what is not offered.
    ///
    /// Every wrong one counts towards the server's MaxAuthTries and an agent may hold many, so what is named comes first, and
    /// of a key its certificate.
    pub fn order(&self) -> (Vec<Offer>, Vec<String>) {
        let (mut offers, mut last, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for identity in self.identities {
            let held = identity.public.as_ref().is_some_and(|public| self.holds(public.key_data()));
            match (&identity.private, held) {
                (_, true) => offers.extend(self.of_identity(identity, &mut notes)),
                (Ok(_), false) if self.named => offers.extend(self.of_identity(identity, &mut notes)),
                (Ok(_), false) => last.extend(self.of_identity(identity, &mut notes)),
                // Only the usual files may be absent.
                (Err(KeyProblem::Missing), false) if !self.named => {}
                (Err(problem), false) => notes.push(format!("{} was not offered: {problem}", identity.path.display())),
            }
        }
        for (path, certificate) in self.certificates {
            let has_identity = self.identities.iter().any(|identity| identity.is_of(certificate.public_key()));
            match has_identity {
                true => {}
                false if self.holds(certificate.public_key()) => {
                    offers.extend(self.certified(path, certificate, None, &mut notes));
                }
                false => notes.push(format!("{} was not offered: its private key is not at hand", path.display())),
            }
        }
        if !self.only {
            let others = self.held.iter().filter(|held| !offers.iter().any(|offer: &Offer| offer.is_held(held)));
            let mut others: Vec<_> = others.collect();
            // A key of which the agent has a certificate too: that first, in the key's place.
            let place = |held: &Held| self.held.iter().position(|first| first.key.key_data() == held.key.key_data());
            others.sort_by_key(|held| (place(held), held.certificate.is_none()));
            for held in others {
                offers.extend(held.offer(&mut notes));
            }
        }
        offers.extend(last);
        (offers, notes)
    }

    fn holds(&self, key: &KeyData) -> bool {
        self.held.iter().any(|held| held.key.key_data() == key)
    }

    /// A file's certificates, and then its key.
    fn of_identity(&self, identity: &Arc<Identity>, notes: &mut Vec<String>) -> Vec<Offer> {
        let Some(public) = &identity.public else { return Vec::new() };
        let named = self.certificates.iter().filter(|(_, certificate)| identity.is_of(certificate.public_key()));
        let mut offers: Vec<Offer> = Vec::new();
        for (path, certificate) in named {
            offers.extend(self.certified(path, certificate, Some(identity), notes));
        }
        if let Some((path, certificate)) = &identity.certificate {
            let offer = self.certified(path, certificate, Some(identity), notes);
            offers.extend(offer.filter(|offer| !offers.iter().any(|other| other.is_same(offer))));
        }
        for held in self.held.iter().filter(|held| identity.is_of(held.key.key_data()) && held.certificate.is_some()) {
            if !offers.iter().any(|offer| offer.is_held(held)) {
                offers.extend(held.offer(notes));
            }
        }
        let plain = self.held.iter().find(|held| held.certificate.is_none() && identity.is_of(held.key.key_data()));
        match plain {
            Some(held) => offers.extend(held.offer(notes)),
            None if identity.private.is_ok() => offers.push(Offer {
                proof: Proof::Key(public.clone()),
                by: By::File(Arc::clone(identity)),
                shown: format!("{} ({})", public.fingerprint(HashAlg::Sha256), identity.path.display()),
            }),
            None => {}
        }
        offers
    }

    /// A certificate from a file, signed for by the agent where that holds the key.
    fn certified(
        &self,
        path: &std::path::Path,
        certificate: &Certificate,
        identity: Option<&Arc<Identity>>,
        notes: &mut Vec<String>,
    ) -> Option<Offer> {
        let shown = format!(
            "the certificate of {} ({})",
            certificate.public_key().fingerprint(HashAlg::Sha256),
            path.display()
        );
        if let Some(problem) = unfit(certificate) {
            notes.push(format!("{shown} was not offered: {problem}"));
            return None;
        }
        let same =
            |held: &&Held| held.certificate.as_ref().is_some_and(|held| held.signature() == certificate.signature());
        let plain = |held: &&Held| held.certificate.is_none() && held.key.key_data() == certificate.public_key();
        let by = if self.held.iter().any(|held| same(&held)) {
            By::Agent
        } else if self.held.iter().any(|held| plain(&held)) {
            By::AgentsKey
        } else {
            By::File(Arc::clone(identity.filter(|identity| identity.private.is_ok())?))
        };
        Some(Offer { proof: Proof::Certificate(Box::new(certificate.clone())), by, shown })
    }
}

impl Offer {
    fn certificate(&self) -> Option<&Certificate> {
        match &self.proof {
            Proof::Key(_) => None,
            Proof::Certificate(certificate) => Some(certificate),
        }
    }

    /// Whether it shows the server the same.
    fn is_same(&self, other: &Self) -> bool {
        match (&self.proof, &other.proof) {
            (Proof::Key(one), Proof::Key(other)) => one.key_data() == other.key_data(),
            (Proof::Certificate(one), Proof::Certificate(other)) => one.signature() == other.signature(),
            _ => false,
        }
    }

    /// Whether it shows the server what this one of the agent's would.
    fn is_held(&self, held: &Held) -> bool {
        match (&self.proof, &held.certificate) {
            (Proof::Key(key), None) => key.key_data() == held.key.key_data(),
            (_, Some(certificate)) => self.certificate().is_some_and(|own| own.signature() == certificate.signature()),
            _ => false,
        }
    }
}

impl Held {
    fn offer(&self, notes: &mut Vec<String>) -> Option<Offer> {
        let fingerprint = self.key.fingerprint(HashAlg::Sha256);
        let comment = printable(&self.comment);
        let Some(certificate) = &self.certificate else {
            let shown = format!("{fingerprint} ({comment} of the agent)");
            return Some(Offer { proof: Proof::Key(self.key.clone()), by: By::Agent, shown });
        };
        let shown = format!("the certificate of {fingerprint} ({comment} of the agent)");
        if let Some(problem) = unfit(certificate) {
            notes.push(format!("{shown} was not offered: {problem}"));
            return None;
        }
        Some(Offer { proof: Proof::Certificate(Box::new(certificate.clone())), by: By::Agent, shown })
    }
}

impl Identity {
    fn is_of(&self, key: &KeyData) -> bool {
        self.public.as_ref().is_some_and(|public| public.key_data() == key)
    }
}

/// Why no server would take it. One that is not valid yet may well be by the server's clock.
fn unfit(certificate: &Certificate) -> Option<String> {
    if certificate.cert_type() != CertType::User {
        return Some("it is a host's, not a user's".to_owned());
    }
    let ended = certificate.valid_before_time()?;
    let ago = SystemTime::now().duration_since(ended).ok()?.as_secs();
    let (count, unit) = match ago {
        0..120 => (ago, "s"),
        120..7200 => (ago / 60, "min"),
        7200..172_800 => (ago / 3600, "h"),
        _ => (ago / 86_400, "days"),
    };
    Some(format!("it expired {count} {unit} ago"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use russh::keys::ssh_key::certificate::{Builder, CertType};
    use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
    use russh::keys::{Certificate, PrivateKey};

    use super::{By, Choice, Held, Proof};
    use crate::ssh::identity::{Identity, KeyProblem};

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "").unwrap()
    }

    fn certificate(seed: u8, until: u64, kind: CertType) -> Certificate {
        let mut builder = Builder::new(vec![seed; 16], key(seed).public_key().key_data().clone(), 0, until).unwrap();
        builder.cert_type(kind).unwrap().valid_principal("ops").unwrap();
        builder.sign(&key(99)).unwrap()
    }

    const LONG: u64 = 1 << 40;

    fn plain(seed: u8) -> Held {
        Held { key: key(seed).public_key().clone(), certificate: None, comment: format!("a{seed}") }
    }

    fn certified(seed: u8) -> Held {
        Held { certificate: Some(certificate(seed, LONG, CertType::User)), ..plain(seed) }
    }

    fn identity(seed: u8, private: Result<Arc<PrivateKey>, KeyProblem>) -> Arc<Identity> {
        let public = Some(key(seed).public_key().clone());
        Arc::new(Identity { path: format!("id{seed}").into(), public, certificate: None, private })
    }

    fn ready(seed: u8) -> Arc<Identity> {
        identity(seed, Ok(Arc::new(key(seed))))
    }

    /// `k3` is a key, `c3` a certificate of it; then who signs: `a` the agent, `a'` by its plain key, `f` a file.
    fn order(choice: &Choice<'_>) -> (String, String) {
        let (offers, notes) = choice.order();
        let name = |key: &russh::keys::ssh_key::public::KeyData| {
            (1..9).find(|seed| key == self::key(*seed).public_key().key_data()).unwrap()
        };
        let words: Vec<_> = offers
            .iter()
            .map(|offer| {
                let what = match &offer.proof {
                    Proof::Key(key) => format!("k{}", name(key.key_data())),
                    Proof::Certificate(certificate) => format!("c{}", name(certificate.public_key())),
                };
                let by = match offer.by {
                    By::Agent => "a",
                    By::AgentsKey => "a'",
                    By::File(_) => "f",
                };
                what + by
            })
            .collect();
        (words.join(" "), notes.join("; "))
    }

    #[test]
    fn the_likeliest_key_comes_first() {
        let locked = |seed| identity(seed, Err(KeyProblem::Locked));
        let gone = |seed| identity(seed, Err(KeyProblem::Missing));
        let beside = |seed| {
            let certificate = Some(("x-cert.pub".into(), certificate(seed, LONG, CertType::User)));
            Arc::new(Identity {
                path: "x".into(),
                public: Some(key(seed).public_key().clone()),
                certificate,
                private: Ok(Arc::new(key(seed))),
            })
        };
        let two = vec![plain(1), plain(2)];
        let cases = [
            ("named files before an agent's others", two.clone(), vec![ready(3)], true, false, "k3f k1a k2a"),
            ("the usual files after them", two.clone(), vec![ready(3)], false, false, "k1a k2a k3f"),
            ("a named key by the agent, its file not at all", two.clone(), vec![locked(2)], true, false, "k2a k1a"),
            ("only the public half is left", two.clone(), vec![gone(2), ready(3)], true, false, "k2a k3f k1a"),
            ("what is locked is not offered", vec![plain(1)], vec![locked(2), ready(3)], false, false, "k1a k3f"),
            ("none but those named", two.clone(), vec![gone(2)], true, true, "k2a"),
            ("none but the usual ones", two.clone(), vec![ready(3), ready(1)], false, true, "k1a k3f"),
            ("a key's certificate before it", vec![plain(1)], vec![beside(2)], true, false, "c2f k2f k1a"),
            (
                "a certificate beside a key of the agent",
                vec![plain(2), plain(1)],
                vec![beside(1)],
                true,
                false,
                "c1a' k1a k2a",
            ),
            ("the agent's own", vec![plain(1), plain(2), certified(2)], vec![], false, false, "k1a c2a k2a"),
            (
                "a file's, which the agent holds too",
                vec![certified(2), plain(2)],
                vec![beside(2)],
                true,
                false,
                "c2a k2a",
            ),
            (
                "the agent's certificate of a named key",
                vec![plain(1), certified(2)],
                vec![ready(2)],
                true,
                false,
                "c2a k2f k1a",
            ),
        ];
        for (name, held, identities, named, only, expected) in cases {
            let choice = Choice { held: &held, identities: &identities, certificates: &[], named, only };
            assert_eq!(order(&choice).0, expected, "{name}");
        }
    }

    #[test]
    fn a_named_certificate_finds_its_key_or_says_so() {
        let user = |seed| ("named".into(), certificate(seed, LONG, CertType::User));
        let expired = |seed| ("named".into(), certificate(seed, 1_000_000_000, CertType::User));
        let host = |seed| ("named".into(), certificate(seed, LONG, CertType::Host));
        for (certificates, held, identities, expected, note) in [
            (vec![user(1)], vec![], vec![ready(1)], "c1f k1f", ""),
            (vec![user(1)], vec![plain(2), plain(1)], vec![], "c1a' k2a k1a", ""),
            (vec![user(1)], vec![plain(2)], vec![], "k2a", "named was not offered: its private key is not at hand"),
            (vec![expired(1)], vec![], vec![ready(1)], "k1f", "it expired"),
            (vec![host(1)], vec![], vec![ready(1)], "k1f", "it is a host's"),
        ] {
            let choice =
                Choice { held: &held, identities: &identities, certificates: &certificates, named: true, only: false };
            let (offers, notes) = order(&choice);
            assert_eq!(offers, expected);
            assert!(notes.contains(note) && note.is_empty() == notes.is_empty(), "{notes}");
        }
    }
}
