use std::collections::VecDeque;

use russh::MethodSet;
use russh::client::Handle;
use russh::keys::load_openssh_certificate;
use secrecy::SecretString;

use super::agent::Agent;
use super::attempt::Said;
use super::client::Client;
use super::denial::Denial;
use super::keyring::Keyring;
use super::methods::Method;
use super::offer::{Choice, Offer};
use super::patience::Patience;
use super::settings::Settings;
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
    let (mut agent, mut offers) = (None, Vec::new());
    if settings.methods.contains(&Method::PublicKey) {
        agent = the_agent(session, settings, patience, &mut notes).await?;
        offers = all_offers(settings, keyring, agent.as_ref(), &mut notes);
    }
    let mut password = settings.password.as_ref();
    if password.is_some() && keyring.has_refused(settings) {
        notes.push("the password was refused before, and not tried again".to_owned());
        password = None;
    }
    let login = Login {
        session,
        settings,
        keyring,
        password,
        agent,
        offers: offers.into(),
        takes: None,
        proven: Vec::new(),
        offered: false,
        notes,
        tried: Tried::default(),
    };
    patience.wait_for("the login did not end", login.run()).await?
}

async fn the_agent(
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

fn all_offers(settings: &Settings, keyring: &Keyring, agent: Option<&Agent>, notes: &mut Vec<String>) -> Vec<Offer> {
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

/// What is tried, for people.
const KEY: &str = "the key";
const PASSWORD: &str = "the password";
const NOTHING: &str = "nothing";

/// One attempt to log in, and what has become of it.
pub struct Login<'a> {
    pub(super) session: &'a mut Handle<Client>,
    pub(super) settings: &'a Settings,
    pub(super) keyring: &'a Keyring,
    /// One that is not known to be wrong.
    pub(super) password: Option<&'a SecretString>,
    pub(super) agent: Option<Agent>,
    pub(super) offers: VecDeque<Offer>,
    /// What the server takes next, once it has said so.
    pub(super) takes: Option<MethodSet>,
    /// What was right, but not enough.
    pub(super) proven: Vec<&'static str>,
    /// Whether the server was shown anything.
    pub(super) offered: bool,
    /// What was offered or could not be.
    pub(super) notes: Vec<String>,
    pub(super) tried: Tried,
}

/// What the server is shown next.
enum Proof<'a> {
    Key(Offer),
    Answers(&'a SecretString),
    Password(&'a SecretString),
    Nothing,
}

/// What is not to be tried a second time. Each wrong password brings an account nearer to being locked.
#[derive(Default)]
pub struct Tried {
    pub(super) password: bool,
    pub(super) keyboard: bool,
    pub(super) nothing: bool,
}

impl<'a> Login<'a> {
    /// One proof after the other; what the server takes decides which is next.
    async fn run(mut self) -> Result<(), HostError> {
        loop {
            let (method, said) = match self.next() {
                Some(Proof::Key(offer)) => (KEY, self.by_key(offer).await),
                Some(Proof::Nothing) => {
                    self.tried.nothing = true;
                    (NOTHING, self.by_nothing().await)
                }
                Some(Proof::Answers(password)) => {
                    self.tried.keyboard = true;
                    (PASSWORD, self.by_questions(password).await)
                }
                Some(Proof::Password(password)) => {
                    self.tried.password = true;
                    (PASSWORD, self.by_password(password).await)
                }
                None => return Err(self.failure()),
            };
            match said {
                Said::Welcome => return Ok(()),
                Said::No(takes, partial) => {
                    self.takes = Some(takes);
                    self.offered |= method != NOTHING;
                    if partial {
                        self.proven.push(method);
                        self.notes.pop();
                        self.tried.keyboard = false;
                        // One that was right may be asked for again.
                        self.tried.password &= method != PASSWORD;
                    } else if method == PASSWORD && self.tried.password {
                        self.keyring.refuse(self.settings);
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

    /// What is tried next: of the ways that may be, the first that the server takes, as far as that is known.
    fn next(&mut self) -> Option<Proof<'a>> {
        let unasked = self.takes.is_none() && !self.tried.nothing;
        let is_taken = |method: &&Method| self.takes.as_ref().is_none_or(|takes| takes.contains(&method.kind()));
        for method in self.settings.methods.iter().filter(is_taken) {
            let password = self.password.filter(|_| !self.tried.password);
            let proof = match method {
                Method::PublicKey => self.offers.pop_front().map(Proof::Key),
                Method::KeyboardInteractive => password.filter(|_| !self.tried.keyboard).map(Proof::Answers),
                Method::Password => password.map(Proof::Password),
            };
            match proof {
                // The server says what it takes before it is told a password; this does not count towards MaxAuthTries.
                Some(Proof::Answers(_) | Proof::Password(_)) if unasked => return Some(Proof::Nothing),
                None => {}
                proof => return proof,
            }
        }
        unasked.then_some(Proof::Nothing)
    }

    fn failure(self) -> HostError {
        Denial {
            user: self.settings.user.clone(),
            notes: self.notes,
            methods: &self.settings.methods,
            takes: self.takes.unwrap_or_else(MethodSet::empty),
            hung_up: self.session.is_closed(),
            proven: self.proven,
            offered: self.offered,
            told: self.tried.password || (self.password.is_none() && self.settings.password.is_some()),
            has_password: self.settings.password.is_some(),
        }
        .into_error()
    }
}
