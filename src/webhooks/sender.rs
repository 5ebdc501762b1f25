//! Sending: a delivery is claimed under a lease, posted, and what came of it is written under the
//! lease's fence. A worker that dies in between leaves a lease that runs out; then the delivery is
//! sent again, under the same id.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sqlx::PgConnection;
use tokio::sync::{OnceCell, Semaphore};

use super::callback;
use super::client::{Answer, Client, Message, Unsent};
use super::fan_out::{MOST_AT_ONCE, fan_out, fan_out_late};
use super::payload::{self, Rendering};
use super::retry_after;
use super::roots::Roots;
use super::signature::{Secret, signatures};
use super::vault::{Vault, VaultError};
use super::{Rules, Setup};
use crate::clock::Clock;
use crate::database::Share;
use crate::db::webhook_deliveries::{self, Claimed, Room, Settled, UnderWay};
use crate::db::{job_callbacks, webhook_events};
use crate::domain::WebhookFormat;
use crate::rng::Rng;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// When a delivery is sent again: after the first failure, after the second, and so on; then it is
/// given up. Each is made longer or shorter by up to a fifth.
pub const DELAYS: [Duration; 9] = [
    SECOND.saturating_mul(5),
    MINUTE.saturating_mul(5),
    MINUTE.saturating_mul(30),
    HOUR.saturating_mul(2),
    HOUR.saturating_mul(5),
    HOUR.saturating_mul(10),
    HOUR.saturating_mul(14),
    HOUR.saturating_mul(20),
    HOUR.saturating_mul(24),
];

/// The status that says: no more.
const GONE: u16 = 410;
/// Those whose `Retry-After` counts: too many requests, and not available.
const NOT_NOW: [u16; 2] = [429, 503];
/// What a receiver may put a delivery off by: the longest of the delays.
const LONGEST: Duration = HOUR.saturating_mul(24);

/// Sizes and times of the sending.
#[derive(Clone, Debug)]
pub struct SenderOptions {
    /// What the API and the sender must agree on.
    pub setup: Setup,
    /// Authorities to trust beside those of the system.
    pub roots: Roots,
    /// For the whole of one POST.
    pub timeout: Duration,
    /// How long a claimed delivery is nobody else's; longer than the timeout.
    pub lease: Duration,
    /// At most so many POSTs at once to one webhook, of all processes.
    pub a_webhook: u16,
    /// At most so many POSTs at once of this process: half of them for one owner, a quarter for
    /// webhooks whose last delivery failed, of one owner a sixteenth.
    pub in_all: u16,
    /// Between looks.
    pub poll_interval: Duration,
    /// A webhook that has failed for so long is disabled.
    pub disable_after: Duration,
    /// Deliveries are kept for so long.
    pub keep: Duration,
}

impl Default for SenderOptions {
    fn default() -> Self {
        Self {
            setup: Setup::default(),
            roots: Roots::default(),
            timeout: SECOND * 15,
            lease: SECOND * 60,
            a_webhook: 8,
            in_all: 64,
            poll_interval: SECOND,
            disable_after: HOUR * 24 * 5,
            keep: HOUR * 24 * 30,
        }
    }
}

/// Turns events into deliveries, and sends them; cheap to clone.
#[derive(Clone)]
pub struct Sender {
    share: Share,
    clock: Clock,
    rng: Rng,
    client: Client,
    rendering: Rendering,
    options: Arc<SenderOptions>,
    vault: Arc<OnceCell<Vault>>,
    /// Held while a delivery reads or writes, never while it is sent.
    database: Arc<Semaphore>,
}

/// Of the share's connections, the part that deliveries may have at once, and the most of them: the
/// others are for the queue, whatever number of deliveries ends at the same moment.
const PART_OF_THE_SHARE: u32 = 5;
const MOST_CONNECTIONS: u32 = 8;

/// Why there was nothing to send, or no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The body can't be read.
    #[error("reading what is to be told")]
    Database(#[from] sqlx::Error),
    /// The secret can't be read.
    #[error("reading the webhook's secret")]
    Secret(#[from] VaultError),
    /// What it tells of is no longer there.
    #[error("what is to be told is gone")]
    NothingToTell,
    /// The portal does not take the credentials, or not now; its answer, without the body.
    #[error("the portal gave no token for the credentials: answered {}", .0.status)]
    NoToken(Answer),
    /// The run can't be one of this portal's.
    #[error("the run is not one of this portal")]
    ForeignRun,
    /// The POST failed.
    #[error(transparent)]
    Unsent(#[from] Unsent),
}

impl Sender {
    /// A sender; it asks for nothing yet.
    #[must_use]
    pub fn new(
        share: Share,
        (clock, rng): (Clock, Rng),
        rendering: Rendering,
        options: SenderOptions,
    ) -> Self {
        let connections = share.size() / PART_OF_THE_SHARE;
        let connections = connections.clamp(1, MOST_CONNECTIONS);
        Self {
            database: Arc::new(Semaphore::new(connections as usize)),
            client: Client::new(options.setup.rules.clone(), options.timeout)
                .trusting(options.roots.clone()),
            share,
            clock,
            rng,
            rendering,
            options: Arc::new(options),
            vault: Arc::default(),
        }
    }

    /// The rules it sends by.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.options.setup.rules
    }

    pub(super) fn options(&self) -> &SenderOptions {
        &self.options
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether there may be anything to do.
    pub async fn anything(&self) -> Result<bool, sqlx::Error> {
        webhook_events::anything(&mut *self.share.connection().await?).await
    }

    /// Turns all events that are there into deliveries.
    pub async fn fan_out(&self) -> Result<(), sqlx::Error> {
        let full = usize::try_from(MOST_AT_ONCE).unwrap_or(usize::MAX);
        while fan_out(&self.share, &self.clock).await? >= full {}
        Ok(())
    }

    /// Leases deliveries that are due, at most `most`, by a process that has none under way.
    pub async fn claim(&self, most: usize) -> Result<Vec<Claimed>, sqlx::Error> {
        self.claim_beside(most, HashMap::new()).await
    }

    /// Leases deliveries that are due, at most `most`, beside those that are under way here.
    pub async fn claim_beside(
        &self,
        most: usize,
        under_way: HashMap<String, UnderWay>,
    ) -> Result<Vec<Claimed>, sqlx::Error> {
        let slots = i64::from(self.options.in_all);
        let room = Room {
            in_all: i64::try_from(most).unwrap_or(i64::MAX),
            a_webhook: self.options.a_webhook.into(),
            an_owner: (slots / 2).max(1),
            an_owner_failing: (slots / 16).max(1),
            failing: (slots / 4).max(1),
            under_way,
            lease: self.options.lease,
        };
        webhook_deliveries::claim(&mut *self.share.connection().await?, &room).await
    }

    /// Sends a delivery.
    pub async fn send(&self, claimed: &Claimed) -> Result<Answer, SendError> {
        let (secrets, data) = self.read(claimed).await?;
        if is_portal(claimed) {
            return callback::tell(&self.client, claimed, &secrets, data).await;
        }
        let body = payload::body(claimed, data);
        let (id, timestamp) = (message_id(claimed), self.clock.now().timestamp());
        let message = Message {
            signature: signatures(&secrets, &id, timestamp, &body),
            id,
            timestamp,
            body,
        };
        Ok(self.client.post(&claimed.url, &message).await?)
    }

    /// What a delivery is signed with, and what it tells.
    async fn read(&self, claimed: &Claimed) -> Result<(Vec<Secret>, Value), SendError> {
        let _turn = self.database.acquire().await;
        let mut connection = self.share.connection().await?;
        let secrets = self.secrets(&mut connection, claimed).await?;
        let data = payload::data(&mut connection, self.rendering, claimed).await?;
        Ok((secrets, data.ok_or(SendError::NothingToTell)?))
    }

    /// Writes what came of it; `false` when somebody else has the delivery by now.
    pub async fn settle(
        &self,
        claimed: &Claimed,
        sent: &Result<Answer, SendError>,
    ) -> Result<bool, sqlx::Error> {
        let settled = self.judge(claimed, sent);
        let _turn = self.database.acquire().await;
        webhook_deliveries::settle(&mut *self.share.connection().await?, claimed, &settled).await
    }

    /// Everything that is to be done now, once; how many were sent. The pump does the same without
    /// waiting for the slowest.
    pub async fn round(&self) -> Result<usize, sqlx::Error> {
        self.fan_out().await?;
        let claimed = self.claim(self.options.in_all.into()).await?;
        for delivery in &claimed {
            let sent = self.send(delivery).await;
            self.settle(delivery, &sent).await?;
        }
        Ok(claimed.len())
    }

    /// Removes old deliveries, and tells the runs that were not told in time.
    pub async fn sweep(&self) -> Result<u64, sqlx::Error> {
        fan_out_late(&self.share, &self.clock).await?;
        let mut connection = self.share.connection().await?;
        job_callbacks::sweep(&mut *connection, self.options.keep).await?;
        webhook_deliveries::sweep(&mut *connection, self.options.keep).await
    }

    fn judge(&self, claimed: &Claimed, sent: &Result<Answer, SendError>) -> Settled {
        let answer = match sent {
            Ok(answer) | Err(SendError::NoToken(answer)) => Some(answer),
            Err(_) => None,
        };
        let status = answer.map(|answer| answer.status);
        let succeeded = sent.is_ok() && status.is_some_and(|status| (200..300).contains(&status));
        // Of a portal it is said of the run, not of all that may come.
        let run_is_over = is_portal(claimed) && callback::is_over(sent);
        let gone = status == Some(GONE) && !is_portal(claimed);
        let nothing = matches!(sent, Err(SendError::NothingToTell));
        let hopeless = gone || run_is_over || nothing;
        let place = usize::try_from(claimed.retry_no).unwrap_or(usize::MAX);
        let delay = DELAYS.get(place).filter(|_| !hopeless);
        let error = match sent.as_ref().map(|answer| answer.status) {
            Ok(_) if succeeded => None,
            Ok(300..400) => Some("a redirect, which is not followed".to_owned()),
            Ok(status) if run_is_over => Some(format!("answered {status}: {}", callback::OVER)),
            Ok(status) => Some(format!("answered {status}")),
            Err(error) => Some(told(error)),
        };
        // Never sooner than without it: a receiver that is always a second from being well would
        // have all attempts at once.
        let asked = answer.map_or(Duration::ZERO, |it| self.put_off(it));
        Settled {
            state: match (succeeded, delay) {
                (true, _) => "succeeded",
                (false, Some(_)) => "pending",
                (false, None) => "failed",
            },
            after: delay.map_or(Duration::ZERO, |delay| {
                self.rng.jitter(*delay, 0.2).max(asked)
            }),
            status: status.map(i32::from),
            error,
            gone,
            disable_after: (!run_is_over && !nothing).then_some(self.options.disable_after),
        }
    }

    /// How long the receiver wants to be left alone.
    fn put_off(&self, answer: &Answer) -> Duration {
        let text = answer.retry_after.as_deref();
        let text = text.filter(|_| NOT_NOW.contains(&answer.status));
        let asked = text.and_then(|text| retry_after::parse(text, self.clock.now()));
        asked.unwrap_or_default().min(LONGEST)
    }

    async fn secrets(
        &self,
        connection: &mut PgConnection,
        claimed: &Claimed,
    ) -> Result<Vec<Secret>, VaultError> {
        let key = self.options.setup.secrets_key.as_deref();
        let opening = self
            .vault
            .get_or_try_init(|| Vault::open(connection, key, &self.rng));
        let vault = opening.await?;
        let sealed = std::iter::once(&claimed.secret).chain(&claimed.old_secret);
        sealed
            .map(|sealed| vault.unseal(claimed.webhook_id, sealed))
            .collect()
    }
}

fn is_portal(claimed: &Claimed) -> bool {
    claimed.format != WebhookFormat::Standard.as_str()
}

/// What the receiver tells repetitions by.
fn message_id(claimed: &Claimed) -> String {
    format!("msg_{}", claimed.delivery_id.simple())
}

/// For the webhook's owner; the cause of our own troubles is in the log.
fn told(error: &SendError) -> String {
    if !matches!(error, SendError::Unsent(_)) {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "sending a delivery"
        );
    }
    error.to_string()
}
