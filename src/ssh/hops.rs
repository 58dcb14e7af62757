use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::time::Instant;

use super::hop::Hop;
use super::keyring::Keyring;
use super::patience::Patience;
use super::settings::{Settings, Via};
use super::way::Way;
use crate::host::HostError;

/// The jump hosts of a run, each dialled when the first host behind it is, and once for all of them.
#[derive(Default)]
pub struct Hops {
    dialled: Mutex<HashMap<String, Shared<BoxFuture<'static, Dialled>>>>,
}

/// What became of dialling a jump host.
#[derive(Clone)]
struct Dialled {
    hop: Result<Arc<Hop>, HostError>,
    at: Instant,
}

/// For how long a jump host that could not be reached is not dialled again: what waits for it in the meantime is told the same.
const FAILURE_HOLDS: Duration = Duration::from_secs(30);

impl Hops {
    /// The last of `jumps`, reached through those before it.
    ///
    /// # Errors
    /// [`HostError::Jump`] with the first of them that could not be reached, verified or logged in to.
    pub async fn last_of(
        self: &Arc<Self>,
        jumps: &[Settings],
        keyring: &Arc<Keyring>,
        patience: &Patience,
    ) -> Result<Arc<Hop>, HostError> {
        self.dialling(jumps, keyring, patience.left()).await.hop
    }

    fn dialling(
        self: &Arc<Self>,
        jumps: &[Settings],
        keyring: &Arc<Keyring>,
        allowed: Duration,
    ) -> Shared<BoxFuture<'static, Dialled>> {
        let mut all = self.dialled.lock().unwrap_or_else(PoisonError::into_inner);
        let key = jumps.iter().map(identity).collect();
        if let Some(dialled) = all.get(&key).filter(|dialled| dialled.peek().is_none_or(Dialled::holds)) {
            return dialled.clone();
        }
        let way = to_last(jumps).map(|settings| Way::new(settings, Arc::clone(keyring), Arc::clone(self)));
        // A task of its own: others wait for it too, when whoever came first is gone.
        let dialling = tokio::spawn(async move {
            let Some(way) = way else { return Err(lost("there is none")) };
            dial(&way, allowed).await
        });
        let dialled = dialling.map(|ended| {
            let hop = ended.unwrap_or_else(|error| Err(lost(&error.to_string())));
            Dialled { hop, at: Instant::now() }
        });
        let dialled = dialled.boxed().shared();
        all.insert(key, dialled.clone());
        dialled
    }
}

impl Dialled {
    fn holds(&self) -> bool {
        match &self.hop {
            Ok(hop) => !hop.is_closed(),
            Err(_) => self.at.elapsed() < FAILURE_HOLDS,
        }
    }
}

async fn dial(way: &Way, allowed: Duration) -> Result<Arc<Hop>, HostError> {
    let settings = way.settings();
    let patience = Patience::of(settings.connect_timeout.min(allowed), settings.endpoint());
    match way.log_in(&patience).await {
        Ok(login) => {
            login.hangup.disarm();
            Ok(Arc::new(Hop::new(settings.name.clone(), login.handle, login.ended)))
        }
        Err(error @ HostError::Jump { .. }) => Err(error),
        Err(error) => Err(HostError::Jump { jump: settings.name.clone(), error: Box::new(error) }),
    }
}

/// The settings of the last jump host, with the way through those before it.
fn to_last(jumps: &[Settings]) -> Option<Settings> {
    let (last, before) = jumps.split_last()?;
    let via = if before.is_empty() { last.via.clone() } else { Via::Jumps(before.to_vec()) };
    Some(Settings { via, ..last.clone() })
}

/// What makes one jump host another: where it is, who logs in, with which keys, and how its own key is verified.
fn identity(jump: &Settings) -> String {
    let Settings { address, port, user, via, identities, certificates, known_hosts, host_key_alias, .. } = jump;
    let command = match via {
        Via::Command(command) => Some(command),
        Via::Direct | Via::Jumps(_) => None,
    };
    let keys = (identities, certificates, jump.identities_only, &jump.agent, &jump.methods);
    let host_key = (known_hosts, host_key_alias, jump.unknown_host_key);
    format!("{:?}", (address, port, user, command, keys, host_key))
}

fn lost(reason: &str) -> HostError {
    HostError::Lost { reason: format!("a bug in kfleet: dialling a jump host ended: {reason}") }
}
