use std::collections::VecDeque;
use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Asked};
use russh::keys::{HashAlg, PublicKey, load_openssh_certificate};
use russh::{MethodKind, MethodSet};
use secrecy::{ExposeSecret, SecretString};

use super::agent::Agent;
use super::answer::{Answer, answer};
use super::client::{Client, words};
use super::denial::Denial;
use super::keyring::Keyring;
use super::offer::{By, Choice, Offer, Proof};
use super::patience::Patience;
use super::settings::Settings;
use super::signer::Signer;
use crate::base::printable;
use crate::host::HostError;

/// Logs in: with keys and certificates, the likeliest first, and then with the password, once; and with as many of these as
/// the server wants.
///
/// # Errors
/// Where the server takes none of them, with what was offered and what it would take.
pub async fn authenticate(
    session: &mut Handle<Client>,
    settings: &Settings,
    keyring: &Keyring,
    patience: &Patience,
) -> Result<(), HostError> {
    let mut notes = Vec::new();
    let agent = agent(session, settings, patience, &mut notes).await?;
    let offers = offers(settings, keyring, agent.as_ref(), &mut notes).into();
    let login = Login {
        session,
        settings,
        agent,
        offers,
        takes: None,
        proven: Vec::new(),
        offered: false,
        notes,
        tried: Tried::default(),
    };
    patience.wait_for("the login did not end", login.run()).await?
}

async fn agent(
    session: &Handle<Client>,
    settings: &Settings,
    patience: &Patience,
    notes: &mut Vec<String>,
) -> Result<Option<Agent>, HostError> {
    let Some(socket) = &settings.agent else { return Ok(None) };
    match patience.wait_for("the ssh-agent did not answer", Agent::connect(socket, session)).await? {
        Ok(agent) => Ok(Some(agent)),
        Err(error) => {
            notes.push(format!("the agent at {} cannot be asked: {error}", socket.display()));
            Ok(None)
        }
    }
}

fn offers(settings: &Settings, keyring: &Keyring, agent: Option<&Agent>, notes: &mut Vec<String>) -> Vec<Offer> {
    let mut certificates = Vec::new();
    for path in settings.certificate_files() {
        match load_openssh_certificate(&path) {
            Ok(certificate) => certificates.push((path, certificate)),
            Err(error) => notes.push(format!("{} was not offered: {error}", path.display())),
        }
    }
    let identities: Vec<_> = settings.identity_files().iter().map(|path| keyring.identity(path)).collect();
    let choice = Choice {
        held: agent.map_or(&[], |agent| &agent.held),
        identities: &identities,
        certificates: &certificates,
        named: !settings.identities.is_empty(),
        only: settings.identities_only,
    };
    let (offers, problems) = choice.order();
    notes.extend(problems);
    offers
}

/// One attempt to log in, and what has become of it.
struct Login<'a> {
    session: &'a mut Handle<Client>,
    settings: &'a Settings,
    agent: Option<Agent>,
    offers: VecDeque<Offer>,
    /// What the server takes next, once it has said so.
    takes: Option<MethodSet>,
    /// What was right, but not enough.
    proven: Vec<&'static str>,
    /// Whether the server was shown anything.
    offered: bool,
    /// What was offered or could not be.
    notes: Vec<String>,
    tried: Tried,
}

/// What is not to be tried a second time. Each wrong password brings an account nearer to being locked.
#[derive(Default)]
struct Tried {
    password: bool,
    keyboard: bool,
    nothing: bool,
}

/// What the server said to one attempt.
enum Said {
    Welcome,
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
    /// One proof after the other; what the server takes decides which is next.
    async fn run(mut self) -> Result<(), HostError> {
        loop {
            let password = self.settings.password.clone().filter(|_| !self.tried.password);
            let (method, said) = if self.takes(MethodKind::PublicKey)
                && let Some(offer) = self.offers.pop_front()
            {
                ("the key", self.by_key(offer).await)
            } else if self.takes.is_none() && !self.tried.nothing {
                // The server says what it takes; this does not count towards MaxAuthTries.
                self.tried.nothing = true;
                ("nothing", self.by_nothing().await)
            } else if self.takes(MethodKind::KeyboardInteractive)
                && !self.tried.keyboard
                && let Some(password) = &password
            {
                self.tried.keyboard = true;
                ("the password", self.by_questions(password).await)
            } else if self.takes(MethodKind::Password)
                && let Some(password) = password
            {
                self.tried.password = true;
                ("the password", self.by_password(&password).await)
            } else {
                return Err(self.failure());
            };
            match said {
                Said::Welcome => return Ok(()),
                Said::No(takes, partial) => {
                    self.takes = Some(takes);
                    self.offered |= method != "nothing";
                    if partial {
                        self.proven.push(method);
                        self.notes.pop();
                        self.tried = Tried { nothing: true, ..Tried::default() };
                    }
                }
                Said::Nothing => {}
                Said::Question => return Err(self.failure()),
            }
            if self.session.is_closed() {
                return Err(self.failure());
            }
        }
    }

    /// Whether the server takes a method, as far as is known.
    fn takes(&self, method: MethodKind) -> bool {
        self.takes.as_ref().is_none_or(|takes| takes.contains(&method))
    }

    async fn by_key(&mut self, offer: Offer) -> Said {
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

    async fn by_nothing(&mut self) -> Said {
        match self.session.authenticate_none(self.settings.user.as_str()).await {
            Ok(result) => result.into(),
            Err(_) => Said::Nothing,
        }
    }

    async fn by_password(&mut self, password: &SecretString) -> Said {
        match self.session.authenticate_password(self.settings.user.as_str(), password.expose_secret()).await {
            Ok(result) => {
                self.notes.push("the password was refused, and not tried again".to_owned());
                result.into()
            }
            Err(error) => {
                self.notes.push(format!("the password could not be sent: {}", words(&error)));
                Said::Nothing
            }
        }
    }

    /// Answers what the server asks, where it asks for the password.
    async fn by_questions(&mut self, password: &SecretString) -> Said {
        let start = self.session.authenticate_keyboard_interactive_start(self.settings.user.as_str(), None);
        let mut asked = start.await;
        loop {
            let prompts = match asked {
                Ok(Asked::Success) => return Said::Welcome,
                Ok(Asked::Failure { remaining_methods, partial_success }) => {
                    // A server without questions has none to be wrong about: the password is then still good for `password`.
                    if self.tried.password {
                        self.notes.push("the password was refused, and not tried again".to_owned());
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

    fn failure(self) -> HostError {
        Denial {
            user: self.settings.user.clone(),
            notes: self.notes,
            takes: self.takes.unwrap_or_else(MethodSet::empty),
            hung_up: self.session.is_closed(),
            proven: self.proven,
            offered: self.offered,
            told: self.tried.password,
            has_password: self.settings.password.is_some(),
        }
        .into_error()
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
