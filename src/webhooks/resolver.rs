//! From names to addresses: the machine's resolver, or a test's.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How long a name may take.
const PATIENCE: Duration = Duration::from_secs(4);

type Answer = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves names; cheap to clone.
#[derive(Clone)]
pub struct Resolver(Arc<dyn Fn(String) -> Answer + Send + Sync>);

impl Resolver {
    /// One that answers what `answer` says.
    pub fn new(answer: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |host| {
            let found = answer(&host);
            Box::pin(std::future::ready(Ok(found)))
        }))
    }

    /// All addresses of a name.
    pub async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        tokio::time::timeout(PATIENCE, (self.0)(host.to_owned()))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Default for Resolver {
    /// The machine's own.
    fn default() -> Self {
        Self(Arc::new(|host| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((host, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        }))
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}
