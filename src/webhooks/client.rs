//! One request to a checked address.
//!
//! The only resolving is that of [`Rules::addresses`], inside the client: what was checked is what
//! is connected to, so that a name which changes its mind in between gains nothing. A URL that
//! holds an address is checked before it is handed on. Redirects are answers like any other, no
//! proxy is used, and of an answer's body at most a few KiB are read. A receiver's
//! certificate must be of an authority that the system or the operator trusts.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use rustls::CertificateError;
use tokio::sync::OnceCell;

use super::roots::Roots;
use super::target::{Refused, Rules};

/// So much of an answer's body is read: a portal's token, and for receivers that mind being hung up
/// on.
const MOST_READ: usize = 16 * 1024;
/// The longest `Retry-After` that is kept, in bytes: a date is shorter.
const LONGEST_RETRY_AFTER: usize = 64;

/// Sends to where the rules allow; cheap to clone.
#[derive(Clone)]
pub struct Client {
    rules: Rules,
    timeout: Duration,
    roots: Roots,
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

/// An answer, as far as it counts.
#[derive(Clone, Default)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its `Retry-After`, as it came.
    pub retry_after: Option<String>,
    /// The body, or its beginning.
    pub body: Vec<u8>,
}

/// The body may hold a portal's token.
impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Answer")
            .field("status", &self.status)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
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
    /// The receiver may be another than it says.
    #[error("the receiver's certificate is not trusted: {0}")]
    Untrusted(&'static str, #[source] reqwest::Error),
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
            roots: Roots::default(),
            http: Arc::default(),
        }
    }

    /// The same, which trusts these authorities beside those of the system.
    #[must_use]
    pub fn trusting(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Posts a message.
    pub async fn post(&self, url: &str, message: &Message) -> Result<Answer, Unsent> {
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
        self.send(request).await
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
        let retry_after = answer.headers().get(RETRY_AFTER);
        let retry_after = retry_after.filter(|value| value.len() <= LONGEST_RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok().map(str::to_owned));
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= MOST_READ {
                break;
            }
        }
        Ok(Answer {
            status,
            retry_after,
            body,
        })
    }

    fn build(&self) -> Result<reqwest::Client, reqwest::Error> {
        reqwest::Client::builder()
            .tls_certs_merge(self.roots.certificates())
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
        if let Some(doubt) = doubt(inner) {
            return Unsent::Untrusted(doubt, error);
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

/// What is wrong with the receiver's certificate, if that is what the cause tells.
fn doubt(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut held = cause;
    // What an I/O error holds is not among its sources, and may be another one.
    while let Some(error) = held.downcast_ref::<std::io::Error>() {
        held = error.get_ref()?;
    }
    let rustls::Error::InvalidCertificate(error) = held.downcast_ref()? else {
        return None;
    };
    Some(match error {
        CertificateError::UnknownIssuer => "it is of an unknown authority",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another host"
        }
        _ => "it can't be verified",
    })
}
