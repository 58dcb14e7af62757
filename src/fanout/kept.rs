use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::host::{Connect, Exit, Host, HostError, Output, Request};

/// A host whose connection stays open from one work to the next. One that was lost is dialled again by the next that needs it.
pub struct Kept {
    host: Arc<dyn Connect>,
    open: Mutex<Option<Arc<dyn Host>>>,
}

impl Kept {
    /// Will connect to `host` when it is first needed.
    #[must_use]
    pub fn new(host: Arc<dyn Connect>) -> Self {
        Self { host, open: Mutex::default() }
    }

    /// Whether there was a connection, and it was lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lock().as_ref().is_some_and(|open| !open.is_open())
    }

    /// Leaves the connection to itself, with all that may still run there; it ends with the last who holds it.
    pub fn forget(&self) {
        self.lock().take();
    }

    /// Ends the connection in good order.
    pub async fn close(&self) {
        let open = self.lock().take();
        if let Some(open) = open {
            open.close().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<dyn Host>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Connect for Kept {
    fn name(&self) -> &str {
        self.host.name()
    }

    async fn connect(&self) -> Result<Arc<dyn Host>, HostError> {
        let open = self.lock().clone().filter(|open| open.is_open());
        let open = match open {
            Some(open) => open,
            None => {
                let dialled = self.host.connect().await?;
                *self.lock() = Some(Arc::clone(&dialled));
                dialled
            }
        };
        Ok(Arc::new(Borrowed(open)))
    }
}

/// A connection that is not closed by who works on it.
struct Borrowed(Arc<dyn Host>);

#[async_trait]
impl Host for Borrowed {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn exec(&self, request: Request, output: &mut dyn Output) -> Result<Exit, HostError> {
        self.0.exec(request, output).await
    }

    fn is_open(&self) -> bool {
        self.0.is_open()
    }

    async fn settle(&self) {
        self.0.settle().await;
    }

    async fn close(&self) {
        self.0.settle().await;
    }
}
