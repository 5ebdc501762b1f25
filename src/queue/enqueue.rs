//! Submissions: jobs, their audit row and their idempotency record, in one statement.
//!
//! Promises: what is answered `Accepted` has been committed; the jobs of a submission enter their
//! lanes together, in their order; the same key makes jobs once, however many ask at once.

mod columns;
mod packed;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use columns::{Jobs, Units};
use packed::{Packed, Rooms};

use super::group_commit::{Bounds, GroupCommit, GroupCommitError, Statement};
use super::lanes;
use crate::database::Share;

/// A job to be made.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// UUIDv7.
    pub job_id: Uuid,
    /// What to do.
    pub kind: &'static str,
    /// AWS region.
    pub region: String,
    /// EKS cluster, where the job is about one.
    pub cluster_name: Option<String>,
    /// Fargate profile, where the job is about one.
    pub profile_name: Option<String>,
    /// The job this one repeats.
    pub retry_of: Option<Uuid>,
    /// Jobs of one lane run one at a time.
    pub lane: Option<String>,
    /// What the job has to know.
    pub input: Value,
    /// One sentence for people.
    pub message: String,
    /// What the caller should know, as a list.
    pub warnings: Value,
    /// How long from now until the job is given up.
    pub deadline_after: Duration,
}

/// The row that groups the jobs of one request.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// What it does.
    pub action: &'static str,
    /// AWS region.
    pub region: String,
    /// EKS cluster.
    pub cluster_name: String,
}

/// The change as the audit trail tells it.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Who, by the name of the token.
    pub actor: String,
    /// The person that the actor says is behind it.
    pub on_behalf_of: Option<String>,
    /// The API operation.
    pub action: &'static str,
    /// The path of the thing changed.
    pub resource: String,
    /// The request's id.
    pub request_id: String,
    /// What was asked.
    pub detail: Value,
}

/// A caller's promise that two requests are one.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// The caller's key.
    pub key: String,
    /// SHA-256 of the request.
    pub request_sha256: Vec<u8>,
}

/// Who is told when a submission's work has ended, beside those who are told of everything.
#[derive(Debug, Clone)]
pub struct NewCallback {
    /// A webhook of a portal.
    pub webhook_id: Uuid,
    /// The portal's run.
    pub run: String,
}

/// A live read that others may share, for a second: until a change of what it reads begins or ends.
#[derive(Debug, Clone)]
pub struct ReadShare {
    /// SHA-256 of what is read and of the reader's rights.
    pub sha256: Vec<u8>,
    /// The lane of its changes; a region with `/` for those of all its clusters.
    pub lane: String,
}

/// One request: one job, or one operation with its jobs.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The id of the job, or of the operation.
    pub subject_id: Uuid,
    /// AWS account.
    pub account_id: String,
    /// Who asks, by name: the token, or the person it names.
    pub requested_by: String,
    /// Who asks, as the owner of idempotency keys.
    pub caller: String,
    /// Set by the caller to make the request repeatable.
    pub idempotency: Option<IdempotencyKey>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// Present for changes; reads leave no audit row.
    pub audit: Option<Audit>,
    /// Present when the request makes several jobs.
    pub operation: Option<NewOperation>,
    /// Present when a portal waits for the end.
    pub callback: Option<NewCallback>,
    /// Present when the job is a read that others may share.
    pub share: Option<ReadShare>,
    /// In the order in which they shall run.
    pub jobs: Vec<NewJob>,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// Committed.
    Accepted,
    /// The key was used before for the same request, or another read may be shared: here is what
    /// that one made.
    Replayed(String),
    /// The key was used before for another request.
    KeyReused,
    /// The account was deleted in the meantime.
    UnknownAccount,
}

/// Where a single job came to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// When, by the database's clock.
    pub at: DateTime<Utc>,
    /// It can be claimed.
    pub is_head: bool,
    /// Jobs ahead of it in its lane.
    pub ahead: i64,
    /// The lane's job that stands first, when this one does not.
    pub lane_head: Option<Uuid>,
    /// Its account is `active`, `parked` or `disabled`.
    pub account_state: String,
}

/// The writer of submissions; clones share it.
#[derive(Clone)]
pub struct Enqueuer {
    writer: GroupCommit<Insert>,
    rooms: Rooms,
}

impl Enqueuer {
    /// Starts the writer. `wake` is told of ready jobs, for a worker in the same process.
    #[must_use]
    pub fn start(share: Share, wake: Arc<Notify>, tracker: &TaskTracker) -> Self {
        // While Postgres works on one, the requests of the other are read and answered.
        const BOUNDS: Bounds = Bounds {
            room: 4_096,
            room_bytes: 16 * 1024 * 1024,
            rows: 500,
            // About what 500 usual submissions are.
            bytes: 256 * 1024,
            statements: 2,
        };
        let insert = Insert { share, wake };
        Self {
            writer: GroupCommit::start(insert, BOUNDS, tracker),
            // So nobody's large submissions keep the small ones of others out.
            rooms: Rooms::new(BOUNDS.room_bytes / 2),
        }
    }

    /// Commits a submission, together with whatever else is waiting.
    pub async fn submit(&self, submission: Submission) -> Result<Submitted, GroupCommitError> {
        Ok(self.place(submission).await?.0)
    }

    /// The same; tells of an accepted single job where it stands.
    pub async fn place(
        &self,
        submission: Submission,
    ) -> Result<(Submitted, Option<Placed>), GroupCommitError> {
        let packed = Packed::of(submission);
        let _room = self
            .rooms
            .take(&packed.submission.caller, packed.bytes)
            .ok_or(GroupCommitError::Full)?;
        self.writer.commit(packed).await
    }
}

struct Insert {
    share: Share,
    wake: Arc<Notify>,
}

impl Statement for Insert {
    type Item = Packed;
    type Reply = (Submitted, Option<Placed>);

    fn weight(item: &Packed) -> usize {
        item.submission.jobs.len().max(1)
    }

    fn bytes(item: &Packed) -> usize {
        item.bytes
    }

    fn written(item: &Packed) -> usize {
        item.written
    }

    fn owner(item: &Packed) -> &str {
        &item.submission.caller
    }

    fn share(&self) -> &Share {
        &self.share
    }

    /// A lane whose count is wrong gives a new job a place that is taken.
    async fn mend(
        &self,
        connection: &mut PgConnection,
        item: &Packed,
    ) -> Result<bool, sqlx::Error> {
        let submission = &item.submission;
        let lanes = submission.jobs.iter().filter_map(|job| job.lane.as_deref());
        lanes::mend_some(connection, &submission.account_id, lanes.collect()).await
    }

    async fn run(
        &self,
        connection: &mut PgConnection,
        items: &[Packed],
    ) -> Result<Vec<Self::Reply>, sqlx::Error> {
        let written = insert(connection, items).await?;
        if written.iter().any(|row| row.woken > 0) {
            self.wake.notify_one();
        }
        let mut known: HashMap<(&str, &str), (Vec<u8>, String)> = HashMap::new();
        let mut shared = HashMap::new();
        if written.iter().any(|row| row.known && !row.accepted) {
            known = used_keys(&mut *connection, items).await?;
            shared = shared_reads(connection, items).await?;
        }
        Ok(items
            .iter()
            .zip(written)
            .map(|(item, row)| match (row.known, row.accepted) {
                (false, _) => (Submitted::UnknownAccount, None),
                (true, true) => (Submitted::Accepted, row.placed()),
                (true, false) => (replay(&item.submission, &known, &shared), None),
            })
            .collect())
    }
}

fn replay(
    item: &Submission,
    known: &HashMap<(&str, &str), (Vec<u8>, String)>,
    shared: &HashMap<Vec<u8>, Uuid>,
) -> Submitted {
    let share = item.share.as_ref();
    if let Some(job_id) = share.and_then(|share| shared.get(&share.sha256)) {
        return Submitted::Replayed(job_id.to_string());
    }
    let Some(key) = &item.idempotency else {
        return Submitted::KeyReused;
    };
    match known.get(&(item.caller.as_str(), key.key.as_str())) {
        Some((sha256, subject)) if *sha256 == key.request_sha256 => {
            Submitted::Replayed(subject.clone())
        }
        _ => Submitted::KeyReused,
    }
}

/// What became of one submission.
struct Written {
    unit_no: i32,
    known: bool,
    accepted: bool,
    is_head: Option<bool>,
    ahead: Option<i64>,
    lane_head: Option<Uuid>,
    account_state: Option<String>,
    at: DateTime<Utc>,
    woken: i64,
}

impl Written {
    fn placed(self) -> Option<Placed> {
        Some(Placed {
            at: self.at,
            is_head: self.is_head?,
            ahead: self.ahead?,
            lane_head: self.lane_head,
            account_state: self.account_state?,
        })
    }
}

async fn insert(
    connection: &mut PgConnection,
    items: &[Packed],
) -> Result<Vec<Written>, sqlx::Error> {
    let mut units = Units::default();
    let mut jobs = Jobs::default();
    for (no, item) in (0_i32..).zip(items) {
        units.push(no, item);
        for (job, texts) in item.submission.jobs.iter().zip(&item.jobs) {
            jobs.push(no, job, texts);
        }
    }
    let mut rows = sqlx::query_file_as!(
        Written,
        "src/queue/enqueue.sql",
        &units.no,
        &units.subject_id,
        &units.account_id,
        &units.requested_by,
        &units.caller,
        &units.key as &[Option<String>],
        &units.sha256 as &[Option<Vec<u8>>],
        &units.traceparent as &[Option<String>],
        &units.audit_action as &[Option<String>],
        &units.audit_resource as &[Option<String>],
        &units.request_id as &[Option<String>],
        &units.detail as &[Option<&str>],
        &units.operation_action as &[Option<String>],
        &units.operation_region as &[Option<String>],
        &units.operation_cluster as &[Option<String>],
        &units.job_count,
        &jobs.unit_no,
        &jobs.job_id,
        &jobs.kind,
        &jobs.region,
        &jobs.cluster_name as &[Option<String>],
        &jobs.profile_name as &[Option<String>],
        &jobs.retry_of as &[Option<Uuid>],
        &jobs.lane as &[Option<String>],
        &jobs.input as &[&str],
        &jobs.message,
        &jobs.warnings as &[&str],
        &jobs.deadline_ms,
        &units.actor as &[Option<String>],
        &units.on_behalf_of as &[Option<String>],
        &units.callback_webhook_id as &[Option<Uuid>],
        &units.callback_run as &[Option<String>],
        &units.share as &[Option<Vec<u8>>],
        &units.share_lane as &[Option<String>],
    )
    .fetch_all(connection)
    .await?;
    rows.sort_unstable_by_key(|row| row.unit_no);
    Ok(rows)
}

/// The jobs of the reads that these submissions may share.
async fn shared_reads(
    connection: &mut PgConnection,
    items: &[Packed],
) -> Result<HashMap<Vec<u8>, Uuid>, sqlx::Error> {
    let shares = items
        .iter()
        .filter_map(|item| item.submission.share.as_ref());
    let shares: Vec<Vec<u8>> = shares.map(|share| share.sha256.clone()).collect();
    if shares.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        "-- find_shared_reads
        select share, job_id
        from shared_reads
        where share = any ($1)",
        &shares,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.share, row.job_id))
        .collect())
}

/// What the keys of these submissions were used for before.
async fn used_keys<'a>(
    connection: &mut PgConnection,
    items: &'a [Packed],
) -> Result<HashMap<(&'a str, &'a str), (Vec<u8>, String)>, sqlx::Error> {
    let keyed: Vec<(&str, &str)> = items
        .iter()
        .filter_map(|item| {
            let submission = &item.submission;
            let key = submission.idempotency.as_ref()?;
            Some((submission.caller.as_str(), key.key.as_str()))
        })
        .collect();
    let (callers, keys): (Vec<String>, Vec<String>) = keyed
        .iter()
        .map(|(caller, key)| ((*caller).to_owned(), (*key).to_owned()))
        .unzip();
    let rows = sqlx::query!(
        "-- used_idempotency_keys
        select
            used.caller,
            used.key,
            used.request_sha256,
            used.subject
        from unnest($1::text[], $2::text[]) as asked (caller, key)
        join idempotency_keys used using (caller, key)",
        &callers,
        &keys,
    )
    .fetch_all(connection)
    .await?;
    let mut used: HashMap<(String, String), (Vec<u8>, String)> = rows
        .into_iter()
        .map(|row| ((row.caller, row.key), (row.request_sha256, row.subject)))
        .collect();
    Ok(keyed
        .into_iter()
        .filter_map(|(caller, key)| {
            let found = used.get_mut(&(caller.to_owned(), key.to_owned()))?;
            Some(((caller, key), found.clone()))
        })
        .collect())
}
