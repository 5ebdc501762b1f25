//! One request to a checked address.
//!
//! The only resolving is that of [`Rules::addresses`], inside the client: what was checked is what
//! is connected to, so that a name which changes its mind in between gains nothing. A URL that
//! holds an address is checked before it is handed on. Redirects are answers like any other, no
//! proxy is used, and of an answer's body at most a few KiB are read.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use tokio::sync::OnceCell;

use super::target::{Refused, Rules};

/// So much of an answer's body is read: a portal's token, and for receivers that mind being hung up
/// on.
const MOST_READ: usize = 16 * 1024;

/// Sends to where the rules allow; cheap to clone.
#[derive(Clone)]
pub struct Client {
    rules: Rules,
    timeout: Duration,
    /// Made at the first use: reading the machine's certificates takes a while.
    http: Arc<OnceCell<reqwest::Client>>,
}

/// What is sent.
#[derive(Clone)]
pub struct Request<'a> {
    /// `POST` or `PATCH`.
    pub method: Method,
    /// Where.
    pub url: &'a str,
    /// Beside those that every request has.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, or its beginning.
    pub body: Vec<u8>,
}

/// What is posted by Standard Webhooks.
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
    /// A client for these rules; `timeout` is for the whole of one request.
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
        let request = Request {
            method: Method::POST,
            url,
            headers: vec![
                ("webhook-id", message.id.clone()),
                ("webhook-timestamp", message.timestamp.to_string()),
                ("webhook-signature", message.signature.clone()),
            ],
            body: message.body.clone(),
        };
        Ok(self.send(request).await?.status)
    }

    /// Sends a request, and reads the answer.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, Unsent> {
        let url = self.rules.parse(request.url)?;
        let http = self.http.get_or_try_init(|| async { self.build() }).await;
        let http = http.map_err(Unsent::Setup)?;
        let mut sending = http
            .request(request.method, url)
            .header("content-type", "application/json")
            .body(request.body);
        for (name, value) in request.headers {
            sending = sending.header(name, value);
        }
        let mut answer = sending.send().await.map_err(unsent)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= MOST_READ {
                break;
            }
        }
        Ok(Answer { status, body })
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
