use std::sync::Arc;

use async_trait::async_trait;

use crate::host::{Connect, Exit, Host, HostError, Output, Request};

/// Something that is done with a connection and is seen as a command that runs there: it writes output and has a status.
#[async_trait]
pub(super) trait Work: Send + Sync {
    async fn run(&self, host: &dyn Host, output: &mut dyn Output) -> Result<Exit, HostError>;
}

/// A host on which every request is this work, whatever it says.
pub(super) struct ByHand<T> {
    pub(super) host: T,
    pub(super) work: Arc<dyn Work>,
}

#[async_trait]
impl Connect for ByHand<Arc<dyn Connect>> {
    fn name(&self) -> &str {
        self.host.name()
    }

    async fn connect(&self) -> Result<Arc<dyn Host>, HostError> {
        let host = self.host.connect().await?;
        Ok(Arc::new(ByHand { host, work: Arc::clone(&self.work) }))
    }
}

#[async_trait]
impl Host for ByHand<Arc<dyn Host>> {
    fn name(&self) -> &str {
        self.host.name()
    }

    async fn exec(&self, _request: Request, output: &mut dyn Output) -> Result<Exit, HostError> {
        self.work.run(&*self.host, output).await
    }

    async fn close(&self) {
        self.host.close().await;
    }
}
