//! Reads are kept for a while, and then they are gone.

use std::time::Duration;

use fargate_fleet::queue::enqueue::NewJob;
use fargate_fleet::queue::maintenance::sweep_reads;
use fargate_fleet::queue::{Submission, Submitted};
use serde_json::json;
use uuid::Uuid;

use super::support::{ACCOUNT, Queue, new_job};

const KEEP: Duration = Duration::from_hours(1);

impl Queue {
    /// Submits a job that was made so long ago, by its id.
    async fn submit_made(&self, ago: Duration, lane: Option<&str>, retry_of: Option<Uuid>) -> Uuid {
        let made = self.clock.now() - ago;
        let millis = u128::try_from(made.timestamp_millis()).unwrap();
        let job_id =
            Uuid::from_u128((millis << 80) | (self.clock.uuid().as_u128() & (u128::MAX >> 48)));
        let job = NewJob {
            retry_of,
            ..new_job(job_id, lane, json!({}))
        };
        let submission = Submission {
            subject_id: job_id,
            jobs: vec![job],
            ..self.one(ACCOUNT, None, json!({}))
        };
        let submitted = self.enqueuer.submit(submission).await.unwrap();
        assert_eq!(submitted, Submitted::Accepted);
        job_id
    }

    async fn left(&self) -> Vec<Uuid> {
        sqlx::query_scalar("select job_id from job_rows order by job_id")
            .fetch_all(self.pool())
            .await
            .unwrap()
    }

    async fn end_all(&self) {
        sqlx::query(
            "update job_rows
            set phase = 'finished', state = 'succeeded', due_at = null, finished_at = now()
            where phase = 'ready'",
        )
        .execute(self.pool())
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn reads_that_are_over_go_when_their_time_has_come_and_changes_stay() {
    let queue = Queue::new().await;
    let old = KEEP + Duration::from_mins(1);
    let change = queue.submit_made(old, Some("a"), None).await;
    let read = queue.submit_made(old, None, None).await;
    let retry = queue.submit_made(old, None, Some(read)).await;
    let old_retry = queue
        .submit_made(Duration::from_hours(25), None, Some(read))
        .await;
    let young = queue.submit_made(KEEP / 2, None, None).await;
    sqlx::query(
        "insert into job_events (account_id, job_id, event_no, state, step, message)
        select account_id, job_id, 3, 'waiting', 'start', 'Waits.' from job_rows",
    )
    .execute(queue.pool())
    .await
    .unwrap();
    queue.end_all().await;
    let unfinished = queue.submit_made(old, None, None).await;
    assert_eq!(sweep_reads(&queue.share(), KEEP).await.unwrap(), 2);
    let mut kept = vec![change, retry, young, unfinished];
    kept.sort_unstable();
    assert_eq!(queue.left().await, kept, "{read} and {old_retry} are gone");
    let events: i64 = sqlx::query_scalar("select count(*) from job_events")
        .fetch_one(queue.pool())
        .await
        .unwrap();
    assert_eq!(events, 3, "and what was told of them");
    let trail: i64 = sqlx::query_scalar("select count(*) from audit_events")
        .fetch_one(queue.pool())
        .await
        .unwrap();
    assert_eq!(trail, 6, "the trail stays");
    assert_eq!(sweep_reads(&queue.share(), KEEP).await.unwrap(), 0);
    queue.end_all().await;
}

#[tokio::test]
async fn thousands_of_reads_go_in_one_round_and_what_is_locked_is_passed_over() {
    let queue = Queue::new().await;
    let first = queue.submit_made(KEEP * 2, None, None).await;
    queue.end_all().await;
    sqlx::query(
        "insert into job_rows (
            account_id, job_id, kind, region, phase, state, input, message, requested_by,
            deadline_at, finished_at
        )
        select
            account_id, (left(job_id::text, 24) || lpad(to_hex(n), 12, '0'))::uuid, kind, region,
            phase, state, input, message, requested_by, deadline_at, finished_at
        from job_rows, generate_series(1, 3500) as n",
    )
    .execute(queue.pool())
    .await
    .unwrap();
    let mut holding = queue.pool().begin().await.unwrap();
    sqlx::query("select from job_rows where job_id = $1 for update")
        .bind(first)
        .execute(&mut *holding)
        .await
        .unwrap();
    assert_eq!(sweep_reads(&queue.share(), KEEP).await.unwrap(), 3_500);
    holding.rollback().await.unwrap();
    assert_eq!(queue.left().await, [first]);
    assert_eq!(sweep_reads(&queue.share(), KEEP).await.unwrap(), 1);
}
