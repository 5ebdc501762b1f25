//! One job under lock, for those who change it without a lease: cancel and maintenance.
//!
//! Locks are taken in the order of everyone: the lane, the job, then a look at the lease. The look
//! is a statement of its own: while the job's lock is held nobody can lease it, but one that waited
//! for the lock would still see the leases as they were before.

use serde_json::Value;
use uuid::Uuid;

use super::maintenance::promote_head;

/// A job that stays as it is until the transaction ends.
pub(super) struct Locked {
    account_id: String,
    job_id: Uuid,
    lane: Option<String>,
    pub phase: String,
    pub asked: bool,
    pub accepted: bool,
    /// A worker runs a step of it.
    pub leased: bool,
}

/// How a job ends.
pub(super) struct End<'a> {
    pub state: &'static str,
    pub message: &'a str,
    pub error: Option<Value>,
}

impl Locked {
    /// Locks a job; none when there is no such job.
    pub async fn lock(
        transaction: &mut sqlx::PgTransaction<'_>,
        account_id: &str,
        job_id: Uuid,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query!(
            "-- lock_lane_of_job
            select l.lane
            from lanes l
            where (l.account_id, l.lane) in (
                select account_id, lane from job_rows where account_id = $1 and job_id = $2
            )
            for update",
            account_id,
            job_id,
        )
        .fetch_optional(&mut **transaction)
        .await?;
        let Some(job) = sqlx::query!(
            "-- lock_job
            select phase, asked, accepted, lane
            from job_rows
            where account_id = $1
              and job_id = $2
            for update",
            account_id,
            job_id,
        )
        .fetch_optional(&mut **transaction)
        .await?
        else {
            return Ok(None);
        };
        let leased = sqlx::query_scalar!(
            r#"-- is_leased
            select exists (
                select
                from leases
                where account_id = $1
                  and job_id = $2
            ) as "leased!""#,
            account_id,
            job_id,
        )
        .fetch_one(&mut **transaction)
        .await?;
        Ok(Some(Self {
            account_id: account_id.to_owned(),
            job_id,
            lane: job.lane,
            phase: job.phase,
            asked: job.asked,
            accepted: job.accepted,
            leased,
        }))
    }

    /// Ends the job, which must not be leased; its lane goes on.
    pub async fn end(
        self,
        transaction: &mut sqlx::PgTransaction<'_>,
        end: End<'_>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "-- end_locked
            with ended as (
                update job_rows
                set phase = 'finished',
                    state = $3,
                    cancel_requested = cancel_requested or $3 = 'canceled',
                    ready_seq = null,
                    due_at = null,
                    waiting_reason = null,
                    blocked_by = null,
                    message = $4,
                    error = $5,
                    event_no = event_no + 1,
                    version = version + 2,
                    updated_at = now(),
                    finished_at = now()
                where account_id = $1
                  and job_id = $2
                returning account_id, job_id, operation_id, lane, state
            ),
            lane_left as (
                update lanes l
                set pending = greatest(l.pending - 1, 0),
                    touched_at = now()
                from ended
                where l.account_id = ended.account_id
                  and l.lane = ended.lane
            ),
            announced as (
                insert into webhook_events (account_id, job_id, operation_id, state)
                select account_id, job_id, operation_id, state
                from ended
                where lane is not null
                  and exists (select from webhooks where enabled)
            )
            select pg_notify('fleet_jobs', job_id::text)
            from ended",
            self.account_id,
            self.job_id,
            end.state,
            end.message,
            end.error,
        )
        .fetch_all(&mut **transaction)
        .await?;
        // The lane's lock is held since the beginning, so this sees all that it guards.
        if let Some(lane) = self.lane.filter(|_| self.phase != "blocked") {
            promote_head(&mut **transaction, &self.account_id, &lane).await?;
        }
        Ok(())
    }
}
