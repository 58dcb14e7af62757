use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Asked};
use russh::keys::{HashAlg, PublicKey};
use russh::{MethodKind, MethodSet};
use secrecy::{ExposeSecret, SecretString};

use super::answer::{Answer, answer};
use super::auth::Login;
use super::client::{Client, words};
use super::offer::{By, Offer, Proof};
use super::signer::Signer;
use crate::base::printable;

const REFUSED: &str = "the password was refused, and not tried again";

/// What the server said to one attempt.
pub enum Said {
    /// It lets the user in.
    Welcome,
    /// It takes these next, and whether what was tried was right but not enough.
    No(MethodSet, bool),
    /// It was not asked.
    Nothing,
    /// It asks what nobody can answer; there is no going on from there.
    Question,
}

impl From<AuthResult> for Said {
    fn from(result: AuthResult) -> Self {
        match result {
            AuthResult::Success => Self::Welcome,
            AuthResult::Failure { remaining_methods, partial_success } => Self::No(remaining_methods, partial_success),
        }
    }
}

impl Login<'_> {
    /// By a key or a certificate.
    pub async fn by_key(&mut self, offer: Offer) -> Said {
        let Offer { proof, by, shown } = offer.clone();
        let user = self.settings.user.as_str();
        let hash = match &proof {
            Proof::Key(key) => rsa_hash(self.session, key).await,
            Proof::Certificate(certificate) => {
                rsa_hash(self.session, &PublicKey::from(certificate.public_key().clone())).await
            }
        };
        let mut signer = match (by, &mut self.agent) {
            (By::Agent, Some(agent)) => Signer::Agent(agent),
            (By::AgentsKey, Some(agent)) => Signer::AgentsKey(agent),
            (By::File(identity), _) => match &identity.private {
                Ok(key) => Signer::File(Arc::clone(key)),
                Err(_) => return Said::Nothing,
            },
            (By::Agent | By::AgentsKey, None) => return Said::Nothing,
        };
        let result = match proof {
            Proof::Key(key) => self.session.authenticate_publickey_with(user, key, hash, &mut signer).await,
            Proof::Certificate(certificate) => {
                self.session.authenticate_certificate_with(user, *certificate, hash, &mut signer).await
            }
        };
        match result {
            Ok(result) => {
                match &result {
                    // It was not looked at: the server wants something else first.
                    AuthResult::Failure { remaining_methods: next, partial_success: false }
                        if self.takes.is_none() && !next.is_empty() && !next.contains(&MethodKind::PublicKey) =>
                    {
                        self.offers.push_front(offer);
                        self.notes.push(format!("{shown} was not looked at"));
                    }
                    _ => self.notes.push(format!("{shown} was refused")),
                }
                result.into()
            }
            Err(error) => {
                self.notes.push(format!("{shown} did not sign: {error}"));
                Said::Nothing
            }
        }
    }

    /// By nothing at all, to be told what the server takes.
    pub async fn by_nothing(&mut self) -> Said {
        match self.session.authenticate_none(self.settings.user.as_str()).await {
            Ok(result) => result.into(),
            Err(_) => Said::Nothing,
        }
    }

    /// By `password`.
    pub async fn by_password(&mut self, password: &SecretString) -> Said {
        match self.session.authenticate_password(self.settings.user.as_str(), password.expose_secret()).await {
            Ok(result) => {
                self.notes.push(REFUSED.to_owned());
                result.into()
            }
            Err(error) => {
                self.notes.push(format!("the password could not be sent: {}", words(&error)));
                Said::Nothing
            }
        }
    }

    /// Answers what the server asks, where it asks for the password.
    pub async fn by_questions(&mut self, password: &SecretString) -> Said {
        let start = self.session.authenticate_keyboard_interactive_start(self.settings.user.as_str(), None);
        let mut asked = start.await;
        loop {
            let prompts = match asked {
                Ok(Asked::Success) => return Said::Welcome,
                Ok(Asked::Failure { remaining_methods, partial_success }) => {
                    // A server without questions has none to be wrong about: the password is then still good for `password`.
                    if self.tried.password {
                        self.notes.push(REFUSED.to_owned());
                    } else {
                        self.notes.push("keyboard-interactive asked for no password".to_owned());
                    }
                    return Said::No(remaining_methods, partial_success);
                }
                Ok(Asked::InfoRequest { prompts, .. }) => prompts,
                Err(error) => {
                    self.notes.push(format!("the server's question did not come: {}", words(&error)));
                    return Said::Nothing;
                }
            };
            let mut answers = Vec::with_capacity(prompts.len());
            for prompt in &prompts {
                match answer(&prompt.prompt, prompt.echo, self.tried.password) {
                    Answer::Password => {
                        self.tried.password = true;
                        answers.push(password.expose_secret().to_owned());
                    }
                    Answer::None(why) => {
                        self.notes.push(format!("the server asks `{}`: {why}", printable(prompt.prompt.trim())));
                        return Said::Question;
                    }
                }
            }
            asked = self.session.authenticate_keyboard_interactive_respond(answers).await;
        }
    }
}

/// Asked for RSA keys only: russh waits up to a second for a server that does not say.
async fn rsa_hash(session: &Handle<Client>, key: &PublicKey) -> Option<HashAlg> {
    if !key.algorithm().is_rsa() {
        return None;
    }
    match session.best_supported_rsa_hash().await {
        Ok(Some(hash)) => hash,
        _ => Some(HashAlg::Sha512),
    }
}
