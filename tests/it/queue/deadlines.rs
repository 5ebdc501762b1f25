//! Deadlines where no worker takes a last look: in accounts that are parked or disabled.

use std::time::Duration;

use fargate_fleet::database::Share;
use fargate_fleet::queue::Wait;
use fargate_fleet::queue::enqueue::NewOperation;
use fargate_fleet::queue::maintenance::{self, Repaired};
use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::support::{ACCOUNT, Queue, Scripted, again, done, new_job};

const OTHER: &str = "222222222222";

impl Queue {
    /// Runs a statement.
    async fn sql(&self, statement: &str) {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(self.pool())
            .await
            .expect("a statement");
    }

    /// What the breaker or a person does to [`ACCOUNT`].
    async fn account_is(&self, state: &str) {
        let probe = if state == "parked" {
            "now() + interval '1 hour'"
        } else {
            "null"
        };
        let sql = format!(
            "update accounts set state = '{state}', probe_at = {probe} where account_id = '{ACCOUNT}'"
        );
        self.sql(&sql).await;
    }

    /// The job's deadline has passed.
    async fn is_late(&self, job: Uuid) {
        let sql = format!(
            "update job_rows set deadline_at = now() - interval '1 minute' where job_id = '{job}'"
        );
        self.sql(&sql).await;
    }

    async fn is_parked_for_an_hour(&self, job: Uuid, more: &str) {
        let sql = format!(
            "update job_rows
            set phase = 'parked', state = 'waiting', waiting_reason = 'account_parked',
                due_at = now() + interval '1 hour', started_at = now(), event_no = 3 {more}
            where job_id = '{job}'"
        );
        self.sql(&sql).await;
    }

    async fn repair(&self) -> Repaired {
        let repaired = maintenance::repair(&self.share()).await.expect("a repair");
        self.database.assert_nothing_stuck().await;
        repaired
    }

    async fn stands(&self, job: Uuid) -> (String, String) {
        let phase = self.column(job, "phase").await;
        (phase, self.column(job, "error->>'code'").await)
    }

    async fn assert_expired(&self, job: Uuid, state: &str) {
        let ended = ("finished".to_owned(), "deadline_exceeded".to_owned());
        assert_eq!(self.stands(job).await, ended, "{}", self.dump().await);
        assert_eq!(self.column(job, "state").await, "failed");
        assert_eq!(self.column(job, "attempt").await, "0");
        let message = self.column(job, "message").await;
        assert!(message.contains(state), "{message}");
        let in_time = self.column(job, "finished_at >= deadline_at").await;
        assert_eq!(in_time, "true");
        assert_eq!(self.column(job, "error->>'retryable'").await, "true");
    }

    async fn pending(&self, lane: &str) -> i32 {
        sqlx::query_scalar("select pending from lanes where lane = $1")
            .bind(lane)
            .fetch_one(self.pool())
            .await
            .expect("the lane")
    }
}

/// Every phase in which a job waits, in each state of an account that nobody claims from.
#[tokio::test]
async fn a_job_ends_at_its_deadline_whatever_it_waits_for_in_an_account_that_is_not_active() {
    for state in ["parked", "disabled"] {
        let queue = Queue::new().await;
        let read = queue.submit(ACCOUNT, None, json!({})).await;
        let head = queue.submit(ACCOUNT, Some("a"), json!({})).await;
        let behind = queue.submit(ACCOUNT, Some("a"), json!({})).await;
        let waits = queue.submit(ACCOUNT, Some("b"), json!({})).await;
        queue.is_parked_for_an_hour(waits, "").await;
        let behind_wait = queue.submit(ACCOUNT, Some("b"), json!({})).await;
        let all = [read, head, behind, waits, behind_wait];
        queue.account_is(state).await;
        assert_eq!(queue.repair().await.expired, 0, "none is late");
        for job in all {
            queue.is_late(job).await;
        }
        assert_eq!(queue.repair().await.expired, 5);
        for job in all {
            queue.assert_expired(job, state).await;
        }
        assert_eq!(queue.repair().await, Repaired::default());
        queue.database.assert_settled().await;
    }
}

#[tokio::test]
async fn jobs_of_an_active_account_are_left_to_their_last_look() {
    let queue = Queue::new().await;
    queue.add_account(OTHER).await;
    let head = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let behind = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let other = queue.submit(OTHER, Some("a"), json!({})).await;
    for job in [head, behind, other] {
        queue.is_late(job).await;
    }
    queue
        .sql("update accounts set state = 'disabled' where account_id = '222222222222'")
        .await;
    assert_eq!(queue.repair().await.expired, 1, "the other account's");
    queue.assert_expired(other, "disabled").await;
    let late = |phase: &str| (phase.to_owned(), String::new());
    assert_eq!(queue.stands(head).await, late("ready"));
    assert_eq!(queue.stands(behind).await, late("blocked"));
    let handler = Scripted::new(|job| {
        assert!(job.last_look);
        again(Duration::from_mins(1), "start", Wait::Poll)
    });
    let worker = queue.worker(handler.clone());
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    assert_eq!(handler.steps.borrow().len(), 2, "one look each");
    assert_eq!(queue.column(behind, "message").await, "DeadlineExceeded");
}

/// The lane goes on with the first that is still in time.
#[tokio::test]
async fn the_lanes_next_job_is_promoted_when_those_before_it_end_at_their_deadline() {
    let queue = Queue::new().await;
    let mut late = Vec::new();
    for lane in ["ready", "parked"] {
        let head = queue.submit(ACCOUNT, Some(lane), json!({})).await;
        if lane == "parked" {
            queue.is_parked_for_an_hour(head, "").await;
        }
        late.push(head);
        late.push(queue.submit(ACCOUNT, Some(lane), json!({})).await);
    }
    let mut in_time = Vec::new();
    for lane in ["ready", "parked"] {
        in_time.push(queue.submit(ACCOUNT, Some(lane), json!({})).await);
        queue.submit(ACCOUNT, Some(lane), json!({})).await;
    }
    for job in &late {
        queue.is_late(*job).await;
    }
    queue.account_is("parked").await;
    assert_eq!(queue.repair().await.expired, 4);
    for job in in_time {
        assert_eq!(queue.column(job, "phase").await, "ready");
    }
    assert_eq!(queue.pending("ready").await, 2);
    assert_eq!(queue.pending("parked").await, 2);
    // The account is mended: what is in time runs, in order.
    queue.account_is("active").await;
    let worker = queue.worker(Scripted::new(|_| done()));
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
}

/// A blocked job that is late ends; the head that is in time stays, and is not doubled.
#[tokio::test]
async fn a_late_job_behind_a_head_that_is_in_time_ends_alone() {
    let queue = Queue::new().await;
    let head = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let late = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let last = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    queue.is_late(late).await;
    queue.account_is("parked").await;
    assert_eq!(queue.repair().await.expired, 1);
    queue.assert_expired(late, "parked").await;
    assert_eq!(queue.column(head, "phase").await, "ready");
    assert_eq!(queue.column(last, "phase").await, "blocked");
    assert_eq!(queue.pending("a").await, 2);
    queue.account_is("active").await;
    let worker = queue.worker(Scripted::new(|_| done()));
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
}

/// Whoever reads the error knows whether AWS goes on with something.
#[tokio::test]
async fn the_error_says_what_aws_was_asked() {
    let queue = Queue::new().await;
    let mut jobs = Vec::new();
    for (lane, more) in [
        ("none", ""),
        ("asked", ", asked = true"),
        ("accepted", ", asked = true, accepted = true"),
    ] {
        let job = queue.submit(ACCOUNT, Some(lane), json!({})).await;
        queue.is_parked_for_an_hour(job, more).await;
        queue.is_late(job).await;
        jobs.push(job);
    }
    queue.account_is("parked").await;
    assert_eq!(queue.repair().await.expired, 3);
    for (job, words) in jobs.into_iter().zip([
        "AWS was not asked to change anything",
        "AWS may have accepted a change",
        "AWS has accepted a change and goes on with it",
    ]) {
        for column in ["message", "error->>'message'"] {
            let text = queue.column(job, column).await;
            assert!(text.contains(words), "{text}");
        }
    }
}

/// A step runs when the deadline passes: its worker decides, and what waits after it ends.
#[tokio::test]
async fn a_job_that_a_worker_holds_is_not_ended() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let worker = queue.register(Duration::ZERO).await;
    assert_eq!(queue.claim(worker, 1).await.len(), 1);
    queue.is_late(job).await;
    queue.account_is("parked").await;
    assert_eq!(queue.repair().await.expired, 0);
    assert_eq!(queue.column(job, "phase").await, "leased");
    // The worker dies: the job is rescued, and ends in the same round.
    queue
        .sql("update workers set heartbeat_at = now() - interval '1 hour'")
        .await;
    let repaired = queue.repair().await;
    assert_eq!((repaired.rescued, repaired.expired), (1, 1));
    queue.assert_expired(job, "parked").await;
}

/// A claim is under way while repairs look: they pass the job over.
#[tokio::test]
async fn a_job_that_is_being_claimed_is_passed_over() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    queue.is_late(job).await;
    let worker = queue.register(Duration::ZERO).await;
    queue.account_is("parked").await;
    let mut claiming = queue.pool().begin().await.expect("a transaction");
    sqlx::query("select from job_rows for update")
        .execute(&mut *claiming)
        .await
        .expect("the lock of a claim");
    sqlx::query(
        "insert into leases (account_id, job_id, lane, worker_id, lease_token)
        values ($1, $2, 'a', $3, nextval('lease_tokens'))",
    )
    .bind(ACCOUNT)
    .bind(job)
    .bind(worker)
    .execute(&mut *claiming)
    .await
    .expect("its lease");
    let repaired = maintenance::repair(&queue.share()).await.expect("a repair");
    assert_eq!(repaired.expired, 0);
    claiming.commit().await.expect("the claim");
    assert_eq!(queue.repair().await.expired, 0);
    assert_eq!(queue.column(job, "phase").await, "leased");
    queue.sql("delete from workers").await;
    assert_eq!(queue.repair().await.expired, 1);
    queue.database.assert_settled().await;
}

/// The role does not work, and each probe finds that again: the wait ends with the deadline.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_parked_account_again_and_again_ends_at_the_deadline() {
    let queue = Queue::new().await;
    let mut jobs = Vec::new();
    for lane in ["a", "a", "b"] {
        jobs.push(queue.submit(ACCOUNT, Some(lane), json!({})).await);
    }
    queue
        .sql("update job_rows set deadline_at = now() + interval '1 second'")
        .await;
    queue.account_is("parked").await;
    // A probe every few milliseconds.
    queue.sql("update accounts set probe_at = now()").await;
    let pool = queue.pool().clone();
    let handler = Scripted::new(move |_| {
        let pool = pool.clone();
        TaskTracker::new().spawn(async move {
            sqlx::query("update accounts set probe_at = now(), probing = false")
                .execute(&pool)
                .await
        });
        again(Duration::from_hours(1), "start", Wait::AccountParked)
    });
    let worker = queue.worker(handler.clone());
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    assert!(!handler.steps.borrow().is_empty(), "there were probes");
    for job in jobs {
        assert_eq!(queue.column(job, "state").await, "failed");
        let late = queue.column(job, "finished_at - deadline_at").await;
        let soon = queue
            .column(job, "finished_at < deadline_at + interval '10 seconds'")
            .await;
        assert_eq!(soon, "true", "ended {late} after its deadline");
    }
}

/// An account of many jobs is parked for a day: all end in one round of repairs, and no two
/// processes count one twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousands_end_in_one_round_and_each_once() {
    let queue = Queue::new().await;
    for _ in 0..12 {
        let mut submission = queue.one(ACCOUNT, Some("a"), json!({}));
        for n in 0..200 {
            let lane = format!("lane-{}", n % 7);
            let job = new_job(queue.clock.uuid(), Some(&lane), json!({}));
            submission.jobs.push(job);
        }
        submission.operation = Some(NewOperation {
            action: "test",
            region: "eu-central-1".to_owned(),
            cluster_name: "prod".to_owned(),
        });
        queue.enqueuer.submit(submission).await.expect("committed");
    }
    queue
        .sql("update job_rows set deadline_at = now() - interval '1 minute'")
        .await;
    queue.account_is("parked").await;
    let rounds = [0; 3].map(|_| {
        let share = Share::of(queue.database.another_pool());
        TaskTracker::new().spawn(async move { maintenance::repair(&share).await })
    });
    let mut ended = 0;
    for round in rounds {
        ended += round.await.expect("it ends").expect("a repair").expired;
    }
    ended += queue.repair().await.expired;
    assert_eq!(ended, 12 * 201);
    queue.database.assert_settled().await;
}
