//! AWS: sessions in other accounts, the calls of EKS, CloudFormation, EC2 and IAM that jobs make,
//! and what refusals mean. The only importer of the AWS SDK.
//!
//! Promises: every change is made in a session named after its job, every read in one named after
//! its caller; both carry the caller as SourceIdentity and a policy narrowed to their kind; no call hangs beyond its timeouts; one account's throttling
//! or broken role slows no other account; every refusal comes back classified.

pub mod access_entries;
mod breaker;
pub mod caller;
pub mod capabilities;
pub mod cloudformation;
pub mod clusters;
pub mod denied;
pub mod ec2;
pub mod eks;
pub mod elb;
pub mod iam;
pub mod identity_providers;
pub mod instances;
pub mod logs;
pub mod network;
pub mod pacing;
pub mod pod_identities;
pub mod policy;
pub mod refusal;
pub mod sessions;

mod classify;
mod clients;
mod convert;
mod credentials;
mod endpoints;
pub mod offers;
mod query;
mod signing;
mod sts_refusal;

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_eks::config::timeout::TimeoutConfig;
use aws_sdk_eks::config::{IdentityCache, SharedHttpClient};
use aws_smithy_http_client::tls;
use aws_types::sdk_config::RetryConfig;

use crate::clock::Clock;
use crate::rng::Rng;

pub use access_entries::AccessEntries;
pub use caller::Caller;
pub use capabilities::Capabilities;
pub use cloudformation::CloudFormation;
pub use clusters::Clusters;
pub use ec2::Ec2;
pub use eks::{Eks, NewProfile};
pub use elb::Elb;
pub use iam::Iam;
pub use logs::Logs;
pub use policy::Access;
pub use refusal::{Class, Refusal};
pub use sessions::SessionKey;

/// Where AWS is, and how fast it is asked.
#[derive(Debug, Clone)]
pub struct AwsOptions {
    /// One address for every service: simulators and tests only.
    pub endpoint_url: Option<String>,
    /// Fixed credentials of the worker: simulators and tests only. Otherwise AWS's usual chain.
    pub static_credentials: Option<(String, String)>,
    /// Multiplies the rates of calls: simulators only, whose clock runs faster.
    pub time_scale: f64,
    /// How long one call may take before it counts as unanswered.
    pub call_timeout: Duration,
    /// Carries the calls instead of a client of its own: tests only.
    pub http_client: Option<SharedHttpClient>,
}

impl Default for AwsOptions {
    fn default() -> Self {
        Self {
            endpoint_url: None,
            static_credentials: None,
            time_scale: 1.0,
            call_timeout: Duration::from_secs(10),
            http_client: None,
        }
    }
}

/// AWS as a worker sees it; clones share the HTTP client, the sessions and the budgets.
#[derive(Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

struct Inner {
    sessions: sessions::Sessions,
    pacing: pacing::Pacing,
    breakers: Arc<breaker::Breakers>,
    simulated: bool,
}

impl Aws {
    /// Loads the worker's own credentials chain. Makes no call.
    pub async fn new(options: AwsOptions, clock: Clock, rng: Rng) -> Self {
        let pacing = pacing::Pacing::new(options.time_scale);
        let breakers = breaker::Breakers::new(options.time_scale);
        let simulated = options.endpoint_url.is_some();
        let config = base_config(options).await;
        let sessions = sessions::Sessions::new(config, clock, rng, Arc::clone(&breakers));
        Self {
            inner: Arc::new(Inner {
                sessions,
                pacing,
                breakers,
                simulated,
            }),
        }
    }

    /// A cluster in the session's account and region.
    #[must_use]
    pub fn eks(&self, session: SessionKey, cluster: String) -> Eks {
        Eks::new(self.caller(session), cluster)
    }

    /// Every service in the session's account and region, for one step of a job.
    #[must_use]
    pub fn caller(&self, session: SessionKey) -> Caller {
        Caller::new(self.clone(), session)
    }

    /// Whether AWS is a simulator, or a test: then addresses may be plain HTTP.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.inner.simulated
    }

    /// Why the worker's own credentials can't be used, if that was seen in the last ten minutes.
    #[must_use]
    pub fn credentials_trouble(&self) -> Option<String> {
        let now = self.inner.sessions.monotonic();
        self.inner.breakers.credentials_trouble(now)
    }

    /// How many sessions are kept for later steps.
    pub async fn sessions_kept(&self) -> u64 {
        self.inner.sessions.kept().await
    }
}

/// One HTTP client for all accounts: a client of its own for each would mean a connection pool and
/// a TLS context of its own for each.
async fn base_config(options: AwsOptions) -> SdkConfig {
    let http = options.http_client.unwrap_or_else(|| {
        aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(
                tls::rustls_provider::CryptoMode::AwsLc,
            ))
            .build_https()
    });
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(options.call_timeout)
        .operation_timeout(options.call_timeout * 3)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        // Real backoff belongs to the queue: a worker never sleeps.
        .retry_config(RetryConfig::standard().with_max_attempts(1))
        .identity_cache(IdentityCache::no_cache());
    if let Some(url) = options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some((id, secret)) = options.static_credentials {
        let fixed = aws_credential_types::Credentials::new(id, secret, None, None, "fixed");
        loader = loader
            .credentials_provider(fixed)
            .region(Region::new("us-east-1"));
    }
    loader.load().await
}
