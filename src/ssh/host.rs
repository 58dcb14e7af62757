use std::sync::Arc;

use async_trait::async_trait;

use super::escalate::Escalation;
use super::exec::{self, Job};
use super::session::Session;
use crate::host::{Exit, Host, HostError, Output, Request};

/// A host that is connected by SSH. Dropping the last of it ends the connection.
pub struct SshHost {
    pub(super) name: String,
    pub(super) session: Arc<Session>,
    pub(super) escalation: Escalation,
    /// For everything that runs there.
    pub(super) environment: Vec<(String, String)>,
}

#[async_trait]
impl Host for SshHost {
    fn name(&self) -> &str {
        &self.name
    }

    async fn exec(&self, request: Request, output: &mut dyn Output) -> Result<Exit, HostError> {
        let (job, stop) = self.escalation.jobs(&request.program, request.input.is_some())?;
        let environment = self.environment.iter().cloned().chain(request.environment).collect();
        let job = Job { environment, input: request.input, ..job };
        exec::run(&self.session, job, Some(stop), request.deadline, output).await
    }

    fn is_open(&self) -> bool {
        self.session.is_open()
    }

    async fn settle(&self) {
        self.session.settle().await;
    }

    async fn close(&self) {
        self.session.close().await;
    }
}
