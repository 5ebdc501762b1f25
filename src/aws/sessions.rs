//! Sessions in other accounts, by `sts:AssumeRole`: one a job that changes something, cached for its
//! later steps and forgotten at its end; the reads of a caller share one an account and region.
//!
//! Promises: one AssumeRole under way a session, however many steps ask; renewed at four fifths of
//! its life; still-valid credentials are used when STS is down or our own credentials are refused; an
//! STS that does not answer is asked by one probe at a time; a role that was refused is not
//! tried again for a moment, whatever the number of jobs that want it; credentials are never
//! logged or stored.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::RequestId;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use moka::future::Cache;
use tokio::sync::Semaphore;

use super::breaker::{Breakers, Circuit, Pass};
use super::clients::Clients;
use super::pacing::Service;
use super::policy::session_policy;
use super::refusal::{Class, Refusal};
use super::sts_refusal::{self, OWN_CREDENTIALS};
use crate::clock::Clock;
use crate::rng::Rng;

const ACTION: &str = "AssumeRole";
/// Of a job that changes something. Role chaining caps a session at an hour.
const CHANGE_SECONDS: i32 = 3_600;
/// Of reads: the shortest that STS gives, so that a right taken from the role soon counts.
const READ_SECONDS: i32 = 900;
/// How long a refusal answers for the role, instead of STS.
const REFUSAL_STANDS: Duration = Duration::from_millis(500);
/// How long a session that nobody uses is kept: longer than a job waits between two looks, shorter
/// than one lives. Most are forgotten when their job ends; what is left are those of jobs whose
/// next step another worker took.
const IDLE: Duration = Duration::from_mins(10);
/// Sessions kept; the least recently used goes first.
const MOST_SESSIONS: u64 = 20_000;

/// Everything that tells one session from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// 12 digits.
    pub account_id: String,
    /// The role to assume.
    pub role_arn: String,
    /// What its trust policy demands.
    pub external_id: String,
    /// Region of the calls.
    pub region: String,
    /// `aws`, `aws-cn` and so on.
    pub partition: &'static str,
    /// The cluster that the session is narrowed to; `*` for all of the region.
    pub cluster: String,
    /// What it may do.
    pub access: super::policy::Access,
    /// Names of roles that it may make and delete besides those that `CloudFormation` names after the
    /// cluster's stacks.
    pub roles: Vec<String>,
    /// Named after the job, or after the caller whose reads share it.
    pub session_name: String,
    /// The caller.
    pub source_identity: String,
}

/// A text as STS takes it for session names and source identities: `[\w+=,.@-]{2,64}`.
#[must_use]
pub fn sts_name(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let mut name: String = text
        .chars()
        .take(64)
        .map(|c| if allowed(c) { c } else { '-' })
        .collect();
    while name.len() < 2 {
        name.push('-');
    }
    name
}

#[derive(Clone)]
struct Session {
    clients: Arc<Clients>,
    renew_at: SystemTime,
    expires_at: SystemTime,
}

#[derive(Default)]
struct Slot {
    session: tokio::sync::Mutex<Option<Session>>,
}

/// The sessions of a process.
pub(super) struct Sessions {
    config: SdkConfig,
    clock: Clock,
    rng: Rng,
    breakers: Arc<Breakers>,
    slots: Cache<SessionKey, Arc<Slot>>,
    roles: Mutex<HashMap<String, Arc<Role>>>,
}

/// What is known of a role: whether it was assumed lately, or refused.
struct Role {
    trusted: AtomicBool,
    /// A role that stops working must not be tried by every running job before that is noticed.
    at_once: Semaphore,
    refused: tokio::sync::Mutex<Option<(Instant, Refusal)>>,
}

impl Default for Role {
    fn default() -> Self {
        const TRIES_AT_ONCE: usize = 4;
        Self {
            trusted: AtomicBool::new(false),
            at_once: Semaphore::new(TRIES_AT_ONCE),
            refused: tokio::sync::Mutex::default(),
        }
    }
}

impl Sessions {
    pub(super) fn new(config: SdkConfig, clock: Clock, rng: Rng, breakers: Arc<Breakers>) -> Self {
        let slots = Cache::builder()
            .max_capacity(MOST_SESSIONS)
            .time_to_idle(IDLE)
            .build();
        Self {
            config,
            clock,
            rng,
            breakers,
            slots,
            roles: Mutex::default(),
        }
    }

    /// The clients of a session, assumed or renewed when needed.
    pub(super) async fn clients(&self, key: &SessionKey) -> Result<Arc<Clients>, Refusal> {
        self.session(key, false).await.map(|(clients, _)| clients)
    }

    /// The same, and whether STS was asked for it just now; `anew` asks in any case.
    pub(super) async fn session(
        &self,
        key: &SessionKey,
        anew: bool,
    ) -> Result<(Arc<Clients>, bool), Refusal> {
        let slot = self
            .slots
            .get_with(key.clone(), async { Arc::default() })
            .await;
        let mut session = slot.session.lock().await;
        let now = SystemTime::from(self.clock.now());
        if let Some(current) = session
            .as_ref()
            .filter(|current| now < current.renew_at && !anew)
        {
            return Ok((Arc::clone(&current.clients), false));
        }
        match self.assume_once(key).await {
            Ok(assumed) => {
                let clients = Arc::clone(&assumed.clients);
                *session = Some(assumed);
                Ok((clients, true))
            }
            Err(refusal) => match session.as_ref() {
                Some(old) if refusal.class.is_trouble() && now < old.expires_at => {
                    tracing::warn!(%refusal, "renewing a session; the old one still holds");
                    Ok((Arc::clone(&old.clients), false))
                }
                _ => Err(refusal),
            },
        }
    }

    /// Now, by the clock that budgets go by.
    pub(super) fn monotonic(&self) -> Instant {
        self.clock.monotonic()
    }

    /// The time of day, as signatures carry it.
    pub(super) fn time_of_day(&self) -> SystemTime {
        SystemTime::from(self.clock.now())
    }

    /// Forgets a session that AWS no longer takes, or that nobody needs any more.
    pub(super) async fn forget(&self, key: &SessionKey) {
        self.slots.invalidate(key).await;
    }

    /// How many are kept.
    pub(super) async fn kept(&self) -> u64 {
        self.slots.run_pending_tasks().await;
        self.slots.entry_count()
    }

    /// A role that has not been seen to work is tried by one job at a time.
    async fn assume_once(&self, key: &SessionKey) -> Result<Session, Refusal> {
        let role = self.role(key);
        let permit = role.at_once.acquire().await;
        if role.trusted.load(Relaxed) {
            let assumed = self.assume(key).await;
            if is_denied(&assumed) {
                role.trusted.store(false, Relaxed);
            }
            return assumed;
        }
        drop(permit);
        let mut refused = role.refused.lock().await;
        if let Some((at, refusal)) = refused.as_ref()
            && self.clock.monotonic().saturating_duration_since(*at) < REFUSAL_STANDS
        {
            return Err(Refusal {
                class: Class::AssumeRoleFailedLately,
                ..refusal.clone()
            });
        }
        let assumed = self.assume(key).await;
        match &assumed {
            Ok(_) => {
                *refused = None;
                role.trusted.store(true, Relaxed);
            }
            Err(refusal) if refusal.class == Class::AssumeRoleFailed => {
                *refused = Some((self.clock.monotonic(), refusal.clone()));
            }
            Err(_) => {}
        }
        assumed
    }

    fn role(&self, key: &SessionKey) -> Arc<Role> {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("{} {}", key.role_arn, key.external_id);
        Arc::clone(roles.entry(name).or_default())
    }

    /// Asks STS, if the breakers of STS and of our own credentials let it through.
    async fn assume(&self, key: &SessionKey) -> Result<Session, Refusal> {
        let now = self.clock.monotonic();
        let pass = |circuit| {
            let pass = self.breakers.pass(circuit, now);
            pass.map_err(|blocked| blocked.refusal(ACTION))
        };
        let credentials = pass(Circuit::WorkerCredentials)?;
        let sts = pass(Circuit::of(key, Service::Sts))?;
        let assumed = self.ask(key).await;
        let refusal = assumed.as_ref().err();
        judge((credentials, sts), self.clock.monotonic(), refusal);
        assumed
    }

    async fn ask(&self, key: &SessionKey) -> Result<Session, Refusal> {
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .region(Region::new(key.region.clone()))
            .build();
        let place = (key.partition, key.account_id.as_str(), key.region.as_str());
        let answer = aws_sdk_sts::Client::from_conf(config)
            .assume_role()
            .role_arn(&key.role_arn)
            .role_session_name(&key.session_name)
            .source_identity(&key.source_identity)
            .external_id(&key.external_id)
            .duration_seconds(if key.access.is_read() {
                READ_SECONDS
            } else {
                CHANGE_SECONDS
            })
            .policy(session_policy(
                key.access,
                place,
                (&key.cluster, &key.roles),
            ))
            .send()
            .await
            .map_err(|error| refusal(&error, key))?;
        #[expect(deprecated, reason = "not every STS answers its successor yet")]
        let packed = answer.packed_policy_size;
        sts_refusal::log_packed_size(answer.session_token_utilization.max(packed), key);
        let granted = answer.credentials.ok_or_else(no_credentials)?;
        let expires_at = SystemTime::try_from(granted.expiration).map_err(|_| no_credentials())?;
        let now = SystemTime::from(self.clock.now());
        let life = expires_at.duration_since(now).unwrap_or_default();
        let renew_at = now + self.rng.jitter(life.mul_f64(0.8), 0.05);
        let credentials = Credentials::new(
            granted.access_key_id,
            granted.secret_access_key,
            Some(granted.session_token),
            Some(expires_at),
            "AssumeRole",
        );
        Ok(Session {
            clients: Arc::new(Clients::new(&self.config, key, credentials)),
            renew_at,
            expires_at,
        })
    }
}

/// What STS's answer, or its silence, says about STS and about our own credentials.
fn judge((credentials, sts): (Pass, Pass), now: Instant, refusal: Option<&Refusal>) {
    match refusal {
        Some(refusal) if refusal.class == Class::Unavailable => sts.failed(now, &refusal.message),
        // Whether STS was reached with them is not known.
        Some(refusal) if refusal.class == Class::WorkerCredentials => {
            credentials.failed(now, &refusal.message);
        }
        _ => {
            sts.answered(now);
            credentials.answered(now);
        }
    }
}

fn is_denied(assumed: &Result<Session, Refusal>) -> bool {
    matches!(assumed, Err(refusal) if refusal.class == Class::AssumeRoleFailed)
}

fn no_credentials() -> Refusal {
    Refusal {
        action: ACTION,
        class: Class::Unavailable,
        code: None,
        message: "STS answered without usable credentials".to_owned(),
        request_id: None,
    }
}

fn refusal(
    error: &SdkError<AssumeRoleError, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
    key: &SessionKey,
) -> Refusal {
    let request_id = error.request_id().map(str::to_owned);
    let SdkError::ServiceError(service) = error else {
        let (class, message) = unasked(error, &key.region);
        return Refusal {
            action: ACTION,
            class,
            code: None,
            message,
            request_id,
        };
    };
    let code = service.err().code().unwrap_or_default();
    let status = service.raw().status().as_u16();
    let class = sts_refusal::class_of(code, status, key);
    let words = service.err().message();
    let words = words.map_or_else(
        || format!("STS answered {status} without a reason"),
        str::to_owned,
    );
    Refusal {
        action: ACTION,
        class,
        code: Some(code.to_owned()),
        message: sts_refusal::message(class, code, &words, key),
        request_id,
    }
}

/// STS gave no answer. Where the chain of credentials gave none, STS was not even asked: that is no
/// fault of the account, nor of STS.
fn unasked(error: &(dyn std::error::Error + 'static), region: &str) -> (Class, String) {
    let mut timed_out = false;
    for cause in std::iter::successors(Some(error), |error| error.source()) {
        if let Some(own) = cause.downcast_ref::<CredentialsError>() {
            let why = why_none(own);
            return (
                Class::WorkerCredentials,
                format!("{OWN_CREDENTIALS}: {why}"),
            );
        }
        let words = cause.to_string();
        timed_out |= words.contains("timed out") || words.contains("timeout");
    }
    let how = if timed_out {
        "did not answer in time"
    } else {
        "could not be reached"
    };
    (Class::Unavailable, format!("STS in {region} {how}"))
}

fn why_none(own: &CredentialsError) -> String {
    const LONGEST: usize = 300;
    match own {
        CredentialsError::CredentialsNotLoaded(_) => {
            "there are none in the environment, the profile, the web identity, the container or the \
             instance"
                .to_owned()
        }
        CredentialsError::ProviderTimedOut(_) => {
            "what provides them did not answer in time".to_owned()
        }
        _ => {
            let causes = std::iter::successors(Some(own as &dyn std::error::Error), |error| {
                error.source()
            });
            let last = causes.last().map(ToString::to_string).unwrap_or_default();
            let line = last.lines().next().unwrap_or_default();
            line.chars().take(LONGEST).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credentials_are_told_in_a_line_of_our_own() {
        let none = CredentialsError::not_loaded("Attempted:\n  Environment: none\n  Profile: none");
        let (class, message) = unasked(&none, "eu-central-1");
        assert_eq!(class, Class::WorkerCredentials);
        assert!(message.contains("own AWS credentials"), "{message}");
        assert!(!message.contains('\n') && !message.contains("Attempted"));
        let broken = std::io::Error::other("connection reset");
        let (class, message) = unasked(&broken, "eu-central-1");
        assert_eq!(class, Class::Unavailable);
        assert_eq!(message, "STS in eu-central-1 could not be reached");
    }

    #[test]
    fn names_are_made_to_fit_sts() {
        assert_eq!(sts_name("ci bot/é"), "ci-bot--");
        assert_eq!(sts_name(""), "--");
        assert_eq!(sts_name(&"x".repeat(100)).len(), 64);
    }
}
