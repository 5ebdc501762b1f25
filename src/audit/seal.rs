//! Sealing, in the background of every process; one at a time does it, under an advisory lock.
//!
//! Rows are sealed in the order in which they are seen, which is that of their commits but for those
//! seen together. A number that is not there yet may belong to a transaction that commits late. So
//! the sealer looks again at every number above its *floor*, and raises the floor to a row it has seen
//! only once all are gone who were writing to the trail at that moment: whoever has drawn a smaller
//! number holds a lock on the table from before it was drawn until it is seen.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, PgConnection};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::chain::{Hash, Head, Row, Seal};
use crate::database::Share;
use crate::queue::bounded;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// Numbers looked at in one transaction.
const WINDOW: i64 = 5_000;
/// The advisory lock: `audit` in ASCII.
const LOCK: i64 = 0x61_75_64_69_74;
/// How often the log tells the head, for those who keep it elsewhere.
const TELL: Duration = Duration::from_hours(1);

/// Seals what is committed, until `stop`.
pub async fn seal_in_background(share: Share, stop: CancellationToken) {
    let mut sealer = Sealer::default();
    let mut told: Option<Instant> = None;
    loop {
        let done = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            done = sealer.round(&share) => done,
        };
        match done {
            Ok(Some(head)) if told.is_none_or(|at| at.elapsed() >= TELL) => {
                told = Some(Instant::now());
                tracing::info!(audit.head = %head, "sealed the audit trail");
            }
            Ok(Some(head)) => tracing::debug!(audit.head = %head, "sealed the audit trail"),
            Ok(None) => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "sealing the audit trail; it is tried again");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// What one process knows of how far the trail is sealed. All of it may be forgotten.
#[derive(Debug, Default)]
pub struct Sealer {
    /// When the server started that the rest is about.
    server: Option<DateTime<Utc>>,
    /// Up to here every number is sealed, or will never be seen.
    floor: i64,
    fence: Option<Fence>,
    pass: Option<Pass>,
}

/// A row that was seen, and who was writing then.
#[derive(Debug)]
struct Fence {
    top: i64,
    writers: HashSet<String>,
}

/// A way through the numbers above the floor.
#[derive(Debug, Clone, Copy)]
struct Pass {
    at: i64,
    top: i64,
    /// The floor at its end.
    floor: i64,
}

/// What one window left.
enum Window {
    /// Another process is sealing.
    Busy,
    /// The last seal, if there is a new one.
    Sealed(Option<Head>),
}

impl Sealer {
    /// Seals all that is committed now, unless another process is at it: the new head, if any.
    pub async fn round(&mut self, share: &Share) -> Result<Option<Head>, sqlx::Error> {
        let done = self.try_round(share).await;
        if done.is_err() {
            // The next server may be another, which knows less.
            *self = Self::default();
        }
        done
    }

    async fn try_round(&mut self, share: &Share) -> Result<Option<Head>, sqlx::Error> {
        if self.pass.is_none() {
            self.look(share).await?;
        }
        let mut head = None;
        while let Some(pass) = self.pass {
            if pass.at >= pass.top {
                self.floor = pass.floor;
                self.pass = None;
                break;
            }
            let to = pass.top.min(pass.at + WINDOW);
            match window(share, pass.at, to).await? {
                Window::Busy => break,
                Window::Sealed(new) => head = new.or(head),
            }
            self.pass = Some(Pass { at: to, ..pass });
        }
        Ok(head)
    }

    /// Sets out when there is something above the floor.
    async fn look(&mut self, share: &Share) -> Result<(), sqlx::Error> {
        let seen = look(share).await?;
        if self.server.replace(seen.server) != Some(seen.server) {
            (self.floor, self.fence) = (0, None);
        }
        if seen.top <= self.floor {
            return Ok(());
        }
        let writers: HashSet<String> = seen.writers.into_iter().collect();
        let fence = self.fence.take().unwrap_or_else(|| Fence {
            top: seen.top,
            writers: writers.clone(),
        });
        // What they wrote is seen by this pass, which begins after they were gone.
        let passed = fence.writers.is_disjoint(&writers);
        self.pass = Some(Pass {
            at: self.floor,
            top: seen.top,
            floor: if passed { fence.top } else { self.floor },
        });
        self.fence = (!passed).then_some(fence);
        Ok(())
    }
}

struct Seen {
    server: DateTime<Utc>,
    top: i64,
    writers: Vec<String>,
}

/// The newest row, and then who is writing.
async fn look(share: &Share) -> Result<Seen, sqlx::Error> {
    let mut connection = bounded::connection(share).await?;
    let looking = sqlx::query_as!(
        Seen,
        r#"-- look_at_audit_trail
        select
            pg_postmaster_start_time() as "server!",
            -- of the statement's snapshot, which is older than what pg_locks tells
            coalesce((select max(event_seq) from audit_events), 0) as "top!",
            array(
                select virtualtransaction
                from pg_locks
                where locktype = 'relation'
                  and database = (select oid from pg_database where datname = current_database())
                  and relation = 'audit_events'::regclass
                  and mode = 'RowExclusiveLock'
                  and granted
            ) as "writers!""#
    )
    .fetch_one(&mut *connection);
    let seen = bounded::within(looking).await;
    bounded::given_back(connection, seen)
}

async fn window(share: &Share, after: i64, to: i64) -> Result<Window, sqlx::Error> {
    let mut connection = bounded::connection(share).await?;
    let sealed = bounded::within(window_on(&mut connection, after, to)).await;
    bounded::given_back(connection, sealed)
}

async fn window_on(
    connection: &mut PgConnection,
    after: i64,
    to: i64,
) -> Result<Window, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let turn = sqlx::query!(
        r#"-- take_turn_to_seal
        select pg_try_advisory_xact_lock($1) as "ours!", now() as "at!""#,
        LOCK,
    )
    .fetch_one(&mut *transaction)
    .await?;
    let done = if turn.ours {
        Window::Sealed(seal(&mut transaction, after, to, turn.at).await?)
    } else {
        Window::Busy
    };
    // Always said: a transaction that is only dropped keeps its turn until the pool comes round to it.
    transaction.commit().await?;
    Ok(done)
}

async fn seal(
    connection: &mut PgConnection,
    after: i64,
    to: i64,
    at: DateTime<Utc>,
) -> Result<Option<Head>, sqlx::Error> {
    let rows = unsealed(connection, after, to).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let head = head(connection).await?;
    insert(connection, head, &rows, at).await.map(Some)
}

async fn unsealed(
    connection: &mut PgConnection,
    after: i64,
    to: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"-- unsealed_audit_events
        select
            e.event_seq, e.occurred_at, e.actor, e.on_behalf_of, e.action, e.account_id, e.resource,
            e.subject_id, e.request_id, e.detail::text as "detail!"
        from audit_events e
        where e.event_seq > $1
          and e.event_seq <= $2
          and not exists (
              select
              from audit_seals s
              where s.event_seq = e.event_seq
          )
        order by e.event_seq"#,
        after,
        to,
    )
    .fetch_all(connection)
    .await
}

/// The last seal.
async fn head(connection: &mut PgConnection) -> Result<Head, sqlx::Error> {
    let last = sqlx::query!(
        "-- last_audit_seal
        select seal_no, seal_sha256
        from audit_seals
        order by seal_no desc
        limit 1"
    )
    .fetch_optional(connection)
    .await?;
    Ok(last.map_or(Head::START, |last| Head {
        seal_no: last.seal_no,
        sha256: hash(&last.seal_sha256),
    }))
}

/// A hash as it is stored; the table holds none of another length.
pub(super) fn hash(stored: &[u8]) -> Hash {
    Hash::try_from(stored).unwrap_or_default()
}

async fn insert(
    connection: &mut PgConnection,
    mut head: Head,
    rows: &[Row],
    at: DateTime<Utc>,
) -> Result<Head, sqlx::Error> {
    let (mut numbers, mut events) = (Vec::new(), Vec::new());
    let (mut row_hashes, mut seal_hashes) = (Vec::new(), Vec::new());
    for row in rows {
        let seal = Seal {
            number: head.seal_no + 1,
            event_seq: row.event_seq,
            sealed_at: at,
            row_sha256: row.sha256(),
        };
        head = Head {
            seal_no: seal.number,
            sha256: seal.sha256(&head.sha256),
        };
        numbers.push(seal.number);
        events.push(seal.event_seq);
        row_hashes.push(seal.row_sha256.to_vec());
        seal_hashes.push(head.sha256.to_vec());
    }
    sqlx::query!(
        "-- insert_audit_seals
        insert into audit_seals (seal_no, event_seq, row_sha256, seal_sha256, sealed_at)
        select seal_no, event_seq, row_sha256, seal_sha256, $5
        from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])
            as s (seal_no, event_seq, row_sha256, seal_sha256)",
        &numbers,
        &events,
        &row_hashes,
        &seal_hashes,
        at,
    )
    .execute(connection)
    .await?;
    Ok(head)
}
