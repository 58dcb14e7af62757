use std::sync::Arc;

use async_trait::async_trait;

use super::escalate::Escalation;
use super::hops::Hops;
use super::host::SshHost;
use super::keyring::Keyring;
use super::patience::Patience;
use super::session::Session;
use super::settings::Settings;
use super::way::Way;
use crate::host::{Connect, Host, HostError};

/// A host that can be connected to by SSH.
pub struct Dialer {
    way: Way,
}

impl Dialer {
    /// Will connect as `settings` say, with keys from `keyring`, and through jump hosts of its own.
    #[must_use]
    pub fn new(settings: Settings, keyring: Arc<Keyring>) -> Self {
        Self::sharing(settings, keyring, Arc::default())
    }

    /// The same with the jump hosts that others have.
    #[must_use]
    pub fn sharing(settings: Settings, keyring: Arc<Keyring>, hops: Arc<Hops>) -> Self {
        Self { way: Way::new(settings, keyring, hops) }
    }

    async fn log_in(&self, patience: &Patience) -> Result<SshHost, HostError> {
        let settings = self.way.settings();
        let login = self.way.log_in(patience).await?;
        let session = Arc::new(Session::new(login.handle, login.ended));
        let escalation = if settings.root {
            Escalation::probe(&session, settings, patience.left()).await.map_err(|error| match error {
                HostError::Deadline { .. } => patience.out("it let the user in, but ran nothing"),
                other => other,
            })?
        } else {
            Escalation::Unasked(settings.user.clone())
        };
        login.hangup.disarm();
        let (name, environment) = (settings.name.clone(), settings.environment.clone());
        Ok(SshHost { name, session, escalation, environment })
    }
}

#[async_trait]
impl Connect for Dialer {
    fn name(&self) -> &str {
        &self.way.settings().name
    }

    async fn connect(&self) -> Result<Arc<dyn Host>, HostError> {
        let settings = self.way.settings();
        let patience = Patience::of(settings.connect_timeout, settings.endpoint());
        Ok(Arc::new(self.log_in(&patience).await?))
    }
}
