//! The honest cancel: before AWS accepted anything the job ends `canceled`; after that it is
//! followed to its end, because what AWS has begun can't be taken back.

use uuid::Uuid;

use super::locked::{End, Locked};

/// What became of a request to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canceled {
    /// The job has ended `canceled`.
    Now,
    /// A worker runs a step: the job ends at its next chance, unless AWS accepts first.
    Requested,
    /// AWS has accepted a change: the job goes on.
    TooLate,
    /// The job has ended before.
    AlreadyFinished,
    /// There is no such job.
    Unknown,
}

/// Cancels a job. The audit row is the caller's, in the same transaction.
pub async fn cancel(
    transaction: &mut sqlx::PgTransaction<'_>,
    account_id: &str,
    job_id: Uuid,
) -> Result<Canceled, sqlx::Error> {
    let Some(job) = Locked::lock(transaction, account_id, job_id).await? else {
        return Ok(Canceled::Unknown);
    };
    if job.phase == "finished" {
        return Ok(Canceled::AlreadyFinished);
    }
    if job.accepted {
        warn_too_late(transaction, account_id, job_id).await?;
        return Ok(Canceled::TooLate);
    }
    // A worker asks AWS right now, or died while it did: the next step finds out.
    if job.leased || job.asked {
        request(transaction, account_id, job_id).await?;
        return Ok(Canceled::Requested);
    }
    let end = End {
        state: "canceled",
        message: "Canceled before AWS was asked to change anything.",
        error: None,
    };
    job.end(transaction, end).await?;
    Ok(Canceled::Now)
}

async fn warn_too_late(
    transaction: &mut sqlx::PgTransaction<'_>,
    account_id: &str,
    job_id: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"-- cancel_too_late
        update job_rows
        set cancel_requested = true,
            warnings = warnings || jsonb_build_array(jsonb_build_object(
                'code', 'cancel_too_late',
                'message', 'AWS has already accepted the change, which can''t be taken back: the job is followed to its end.'
            )),
            version = version + 2,
            updated_at = now()
        where account_id = $1
          and job_id = $2
          and not warnings @> '[{"code": "cancel_too_late"}]'"#,
        account_id,
        job_id,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn request(
    transaction: &mut sqlx::PgTransaction<'_>,
    account_id: &str,
    job_id: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "-- cancel_requested
        with requested as (
            update job_rows
            set cancel_requested = true,
                state = 'canceling',
                -- a parked one looks at once
                phase = case when phase = 'parked' then 'ready' else phase end,
                ready_seq = case when phase = 'parked' then nextval('jobs_ready_seq') else ready_seq end,
                waiting_reason = case when phase = 'parked' then null else waiting_reason end,
                message = 'Canceling: stops before AWS is asked to change anything, if that is still possible.',
                -- 2 is the first start, also of a job whose first step still runs
                event_no = greatest(event_no, 2) + case when state = 'canceling' then 0 else 1 end,
                version = version + 2,
                updated_at = now()
            where account_id = $1
              and job_id = $2
            returning account_id, job_id, event_no, state, step, message
        ),
        told as (
            insert into job_events (account_id, job_id, event_no, state, step, message)
            select account_id, job_id, event_no, state, step, message
            from requested
            on conflict (account_id, job_id, event_no) do nothing
        )
        select pg_notify('fleet_jobs', job_id::text), pg_notify('fleet_ready', '')
        from requested",
        account_id,
        job_id,
    )
    .fetch_all(&mut **transaction)
    .await?;
    Ok(())
}
