//! One POST to a checked address.
//!
//! The only resolving is that of [`Rules::addresses`], inside the client: what was checked is what
//! is connected to, so that a name which changes its mind in between gains nothing. A URL that
//! holds an address is checked before it is handed on. Redirects are answers like any other, no
//! proxy is used, and of an answer's body at most a few KiB are read and none are kept.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use tokio::sync::OnceCell;

use super::target::{Refused, Rules};

/// So much of an answer's body is read, for receivers that mind being hung up on.
const MOST_READ: usize = 4096;

/// Posts to where the rules allow; cheap to clone.
#[derive(Clone)]
pub struct Client {
    rules: Rules,
    timeout: Duration,
    /// Made at the first use: reading the machine's certificates takes a while.
    http: Arc<OnceCell<reqwest::Client>>,
}

/// What is posted.
#[derive(Clone, Debug)]
pub struct Message {
    /// The same at every attempt.
    pub id: String,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// One or more signatures.
    pub signature: String,
    /// JSON.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// The URL, or an address behind it, is not allowed.
    #[error("not sent: {0}")]
    Refused(#[from] Refused),
    /// No client could be made.
    #[error("not sent: the service could not set up TLS")]
    Setup(#[source] reqwest::Error),
    /// Nobody answered in time.
    #[error("no answer in time")]
    TimedOut(#[source] reqwest::Error),
    /// No connection, or TLS was refused.
    #[error("no connection, or no TLS on it")]
    Unconnected(#[source] reqwest::Error),
    /// All else.
    #[error("the connection broke")]
    Broken(#[source] reqwest::Error),
}

impl Client {
    /// A client for these rules; `timeout` is for the whole of one POST.
    #[must_use]
    pub fn new(rules: Rules, timeout: Duration) -> Self {
        Self {
            rules,
            timeout,
            http: Arc::default(),
        }
    }

    /// Posts a message; the status of the answer.
    pub async fn post(&self, url: &str, message: &Message) -> Result<u16, Unsent> {
        let url = self.rules.parse(url)?;
        let http = self.http.get_or_try_init(|| async { self.build() }).await;
        let http = http.map_err(Unsent::Setup)?;
        let request = http
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", &message.signature)
            .body(message.body.clone());
        let mut answer = request.send().await.map_err(unsent)?;
        let status = answer.status().as_u16();
        let mut read = 0;
        while let Ok(Some(chunk)) = answer.chunk().await {
            read += chunk.len();
            if read >= MOST_READ {
                break;
            }
        }
        Ok(status)
    }

    fn build(&self) -> Result<reqwest::Client, reqwest::Error> {
        reqwest::Client::builder()
            .dns_resolver(Arc::new(Checked(self.rules.clone())))
            .redirect(Policy::none())
            .no_proxy()
            .https_only(!self.rules.allow_http)
            .timeout(self.timeout)
            .pool_max_idle_per_host(0)
            .user_agent(concat!("fargate-fleet/", env!("CARGO_PKG_VERSION")))
            .build()
    }
}

/// Resolves as the rules do.
struct Checked(Rules);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0.clone();
        Box::pin(async move {
            let found = rules.addresses(name.as_str()).await?;
            // The port is the URL's.
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

fn unsent(error: reqwest::Error) -> Unsent {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return Unsent::Refused(refused.clone());
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        Unsent::TimedOut(error)
    } else if error.is_connect() {
        Unsent::Unconnected(error)
    } else {
        Unsent::Broken(error)
    }
}
