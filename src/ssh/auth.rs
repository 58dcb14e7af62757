use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};
use tokio::time::Instant;

use super::agent::Agent;
use super::client::{Client, words};
use super::keyring::{Identity, IdentityState, KeyProblem, Keyring};
use super::patience::Patience;
use super::settings::Settings;
use crate::base::printable;
use crate::host::HostError;

/// Logs in with the agent's keys and those in files, the likeliest first.
///
/// # Errors
/// Where the server takes none of them, with what was offered and what it would take.
pub async fn authenticate(
    session: &mut Handle<Client>,
    settings: &Settings,
    keyring: &Keyring,
    patience: &mut Patience,
) -> Result<(), HostError> {
    let mut login = Login { session, settings, remaining: None, notes: Vec::new() };
    let mut agent = login.agent(patience).await?;
    let identities: Vec<_> = settings.identity_files().into_iter().map(Identity::read).collect();
    let held: Vec<_> = agent.iter().flat_map(|agent| &agent.keys).map(|(key, _)| key).collect();
    let offers = order(&held, &identities, !settings.identities.is_empty());

    for offer in offers {
        let result = match offer {
            Offer::Agent(index) => match &mut agent {
                Some(agent) => patience.wait_for("the login did not end", login.by_agent(agent, index)).await?,
                None => continue,
            },
            Offer::File(index) => {
                let identity = &identities[index];
                let asked = Instant::now();
                let key = match &identity.state {
                    IdentityState::Ready(key) => Ok(Arc::clone(key)),
                    IdentityState::Encrypted => keyring.unlock(&identity.path).await,
                    IdentityState::Unusable(problem) => Err(problem.clone()),
                };
                // The host did not have that time, a person did.
                patience.give_back(asked.elapsed());
                match key {
                    Ok(key) => patience.wait_for("the login did not end", login.by_key(&identity.path, key)).await?,
                    // Only the usual files may be absent.
                    Err(KeyProblem::Missing) if settings.identities.is_empty() => continue,
                    Err(problem) => {
                        login.notes.push(format!("{} was not offered: {problem}", identity.path.display()));
                        continue;
                    }
                }
            }
        };
        match result {
            Some(AuthResult::Success) => return Ok(()),
            Some(AuthResult::Failure { remaining_methods, partial_success }) => {
                let over = partial_success || !remaining_methods.contains(&MethodKind::PublicKey);
                login.remaining = Some((remaining_methods, partial_success));
                if over || login.session.is_closed() {
                    break;
                }
            }
            None => {}
        }
    }
    Err(login.failure())
}

/// One attempt to log in, and what has become of it.
struct Login<'a> {
    session: &'a mut Handle<Client>,
    settings: &'a Settings,
    /// What the server said last: what it would still take, and whether a key was right but not enough.
    remaining: Option<(MethodSet, bool)>,
    /// What was offered or could not be.
    notes: Vec<String>,
}

impl Login<'_> {
    async fn agent(&mut self, patience: &Patience) -> Result<Option<Agent>, HostError> {
        let Some(socket) = &self.settings.agent else { return Ok(None) };
        let connecting = Agent::connect(socket, self.session);
        match patience.wait_for("the ssh-agent did not answer", connecting).await? {
            Ok(agent) => Ok(Some(agent)),
            Err(error) => {
                self.notes.push(format!("the agent at {} cannot be asked: {error}", socket.display()));
                Ok(None)
            }
        }
    }

    async fn by_agent(&mut self, agent: &mut Agent, index: usize) -> Option<AuthResult> {
        let Agent { signer, keys } = agent;
        let (key, comment) = keys.get(index)?;
        let hash = self.rsa_hash(key).await;
        let user = self.settings.user.as_str();
        let shown = format!("{} ({} of the agent)", key.fingerprint(HashAlg::Sha256), printable(comment));
        match self.session.authenticate_publickey_with(user, key.clone(), hash, signer).await {
            Ok(result) => {
                self.notes.push(format!("{shown} was refused"));
                Some(result)
            }
            Err(error) => {
                self.notes.push(format!("{shown} did not sign: {error}"));
                None
            }
        }
    }

    async fn by_key(&mut self, path: &Path, key: Arc<PrivateKey>) -> Option<AuthResult> {
        let hash = self.rsa_hash(key.public_key()).await;
        let user = self.settings.user.as_str();
        let shown = format!("{} ({})", key.fingerprint(HashAlg::Sha256), path.display());
        match self.session.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash)).await {
            Ok(result) => {
                self.notes.push(format!("{shown} was refused"));
                Some(result)
            }
            Err(error) => {
                self.notes.push(format!("{shown} could not be offered: {}", words(&error)));
                None
            }
        }
    }

    /// Asked for RSA keys only: russh waits up to a second for a server that does not say.
    async fn rsa_hash(&self, key: &PublicKey) -> Option<HashAlg> {
        if !key.algorithm().is_rsa() {
            return None;
        }
        match self.session.best_supported_rsa_hash().await {
            Ok(Some(hash)) => hash,
            _ => Some(HashAlg::Sha512),
        }
    }

    fn failure(self) -> HostError {
        let offered = if self.notes.is_empty() { "there is no key to offer".to_owned() } else { self.notes.join("; ") };
        let user = &self.settings.user;
        let methods = |methods: &MethodSet| methods.iter().map(<&str>::from).collect::<Vec<_>>().join(", ");
        let (reason, hint) = match &self.remaining {
            None => (
                offered,
                format!(
                    "name a private key as `identities` in the inventory, or load one into an ssh-agent; {user}'s \
                     authorized_keys on the host must have it"
                ),
            ),
            // russh shows "too many authentication failures" as a refusal with nothing left to try.
            Some((left, false)) if self.session.is_closed() || left.is_empty() => (
                format!("{offered}; then the server hung up"),
                "servers hang up after a few wrong keys (MaxAuthTries): name the right one as `identities` in the \
                 inventory, it is offered first"
                    .to_owned(),
            ),
            Some((left, true)) => (
                format!("{offered}; a key was right, but the server also wants {}", methods(left)),
                format!("let {user} in with a key alone: kfleet has nothing else to offer"),
            ),
            Some((left, false)) => (
                format!("{offered}; the server still takes {}", methods(left)),
                format!(
                    "is one of these in {user}'s authorized_keys on the host? `ssh-copy-id` puts it there; `identities` \
                     in the inventory names another"
                ),
            ),
        };
        HostError::Authentication { user: user.clone(), reason, hint }
    }
}

/// A key to offer, by its place in the agent or among the files.
#[derive(Debug, PartialEq, Eq)]
enum Offer {
    Agent(usize),
    File(usize),
}

/// The order in which keys are offered. Every wrong one counts towards the server's MaxAuthTries and an agent may hold
/// many, so what the inventory names comes first; what asks for a passphrase comes last.
fn order(agent: &[&PublicKey], identities: &[Identity], named: bool) -> Vec<Offer> {
    let mut first = Vec::new();
    let mut last = Vec::new();
    for (index, identity) in identities.iter().enumerate() {
        let held =
            |key: &&PublicKey| identity.public.as_ref().is_some_and(|public| public.key_data() == key.key_data());
        match agent.iter().position(held) {
            Some(place) => first.push(Offer::Agent(place)),
            None if named && matches!(identity.state, IdentityState::Ready(_)) => first.push(Offer::File(index)),
            None => last.push(Offer::File(index)),
        }
    }
    let others: Vec<_> = (0..agent.len()).map(Offer::Agent).filter(|offer| !first.contains(offer)).collect();
    // A stable sort: within each half the files keep their order.
    last.sort_by_key(|offer| match offer {
        Offer::File(index) => matches!(identities[*index].state, IdentityState::Encrypted),
        Offer::Agent(_) => false,
    });
    first.into_iter().chain(others).chain(last).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
    use russh::keys::{PrivateKey, PublicKey};

    use super::{Offer, order};
    use crate::ssh::keyring::{Identity, IdentityState, KeyProblem};

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "").unwrap()
    }

    fn identity(seed: u8, state: IdentityState) -> Identity {
        Identity { path: format!("id{seed}").into(), public: Some(key(seed).public_key().clone()), state }
    }

    #[test]
    fn the_likeliest_key_comes_first() {
        let ready = |seed| identity(seed, IdentityState::Ready(Arc::new(key(seed))));
        let locked = |seed| identity(seed, IdentityState::Encrypted);
        let gone = |seed| identity(seed, IdentityState::Unusable(KeyProblem::Missing));
        let (agent, file) = (Offer::Agent, Offer::File);
        let cases = [
            (
                "named files before an agent's others",
                vec![1, 2],
                vec![ready(3)],
                true,
                vec![file(0), agent(0), agent(1)],
            ),
            ("the usual files after them", vec![1, 2], vec![ready(3)], false, vec![agent(0), agent(1), file(0)]),
            (
                "a named key by the agent, its file not at all",
                vec![1, 2],
                vec![locked(2)],
                true,
                vec![agent(1), agent(0)],
            ),
            (
                "only the public half is left",
                vec![1, 2],
                vec![gone(2), ready(3)],
                true,
                vec![agent(1), file(1), agent(0)],
            ),
            (
                "a passphrase last",
                vec![1],
                vec![locked(2), ready(3), gone(4)],
                false,
                vec![agent(0), file(1), file(2), file(0)],
            ),
        ];
        for (name, held, identities, named, offers) in cases {
            let held: Vec<PublicKey> = held.into_iter().map(|seed| key(seed).public_key().clone()).collect();
            assert_eq!(order(&held.iter().collect::<Vec<_>>(), &identities, named), offers, "{name}");
        }
    }
}
