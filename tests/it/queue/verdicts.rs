//! What each verdict does to a job, and what uses up an attempt.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fargate_fleet::queue::outcome::Next;
use fargate_fleet::queue::{Verdict, Wait};
use serde_json::json;
use tokio_util::task::TaskTracker;

use super::support::{ACCOUNT, Queue, Scripted, again, done, failure};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_are_free_and_retries_count_until_the_last() {
    let queue = Queue::new().await;
    let waits = queue.submit(ACCOUNT, None, json!("waits")).await;
    let retries = queue.submit(ACCOUNT, None, json!("retries")).await;
    let looks = Arc::new(AtomicU32::new(0));
    let handler = Scripted::new(move |job| {
        if job.input == json!("retries") {
            return Verdict::Retry(failure("not this time"));
        }
        match looks.fetch_add(1, Ordering::Relaxed) {
            0..10 => again(
                Duration::from_millis(1),
                "start",
                Wait::ClusterBusy("busy".into()),
            ),
            10..20 => again(Duration::from_millis(1), "start", Wait::Poll),
            20..30 => again(Duration::from_millis(1), "start", Wait::Throttled),
            _ => done(),
        }
    });
    let worker = queue.worker(handler);
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    assert_eq!(queue.column(waits, "state").await, "succeeded");
    assert_eq!(queue.column(waits, "attempt").await, "0");
    assert_eq!(queue.column(waits, "poll_count").await, "10");
    assert_eq!(queue.column(retries, "state").await, "failed");
    assert_eq!(queue.column(retries, "attempt").await, "5");
    assert_eq!(queue.column(retries, "message").await, "not this time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_panics_costs_its_job_an_attempt_and_not_the_worker() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, None, json!("panics")).await;
    let handler = Scripted::new(|job| {
        assert!(job.attempt > 0, "the first step panics");
        done()
    });
    let worker = queue.worker(handler);
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    assert_eq!(queue.column(job, "state").await, "succeeded");
    assert_eq!(queue.column(job, "attempt").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_past_its_deadline_gets_one_last_look() {
    let queue = Queue::new().await;
    let fails = queue.submit(ACCOUNT, None, json!("never")).await;
    let succeeds = queue.submit(ACCOUNT, None, json!("just in time")).await;
    sqlx::query("update job_rows set deadline_at = now() - interval '1 second'")
        .execute(queue.pool())
        .await
        .unwrap();
    let handler = Scripted::new(|job| {
        if job.input == json!("never") {
            again(Duration::from_mins(1), "start", Wait::Poll)
        } else {
            done()
        }
    });
    let worker = queue.worker(handler.clone());
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    assert_eq!(handler.steps.borrow().len(), 2, "one look each");
    assert_eq!(queue.column(fails, "state").await, "failed");
    assert_eq!(queue.column(fails, "message").await, "DeadlineExceeded");
    assert_eq!(queue.column(succeeds, "state").await, "succeeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_transition_that_is_news_is_told_once() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, None, json!({})).await;
    let looks = Arc::new(AtomicU32::new(0));
    let handler = Scripted::new(move |_| match looks.fetch_add(1, Ordering::Relaxed) {
        0..3 => again(Duration::from_millis(1), "follow", Wait::Poll),
        3 => again(Duration::from_millis(1), "other", Wait::Poll),
        _ => done(),
    });
    let worker = queue.worker(handler);
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    let events: Vec<(i32, String)> =
        sqlx::query_as("select event_no, message from job_events order by event_no")
            .fetch_all(queue.pool())
            .await
            .unwrap();
    let event = |no, message: &str| (no, message.to_owned());
    assert_eq!(
        events,
        [
            event(3, "Waits before follow."),
            event(4, "Waits before other.")
        ]
    );
    assert_eq!(
        queue.column(job, "event_no").await,
        "5",
        "the fifth is the end itself"
    );
}

/// Until so many statements wait for a lock.
async fn until_waiting(queue: &Queue, statements: usize) {
    let waiting = "select count(*) from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()";
    loop {
        let now: i64 = sqlx::query_scalar(waiting)
            .fetch_one(queue.pool())
            .await
            .unwrap();
        if usize::try_from(now).unwrap() >= statements {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// A step notes how far it came, and ends; both wait for the writer, and go in one batch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_note_and_a_verdict_in_one_batch_the_later_wins_and_both_are_told() {
    let queue = Queue::new().await;
    let worker = queue.clock.uuid();
    let outcomes = super::lanes::outcomes(&queue);
    let mut jobs = Vec::new();
    for lane in ["a", "b", "c"] {
        jobs.push(queue.submit(ACCOUNT, Some(lane), json!({})).await);
    }
    let claimed = queue.claim(worker, 10).await;
    assert_eq!(claimed.len(), 3);
    // The two writers are busy with the other jobs, so what comes now comes together.
    let mut holding = queue.pool().begin().await.unwrap();
    sqlx::query("select from job_rows where job_id = any ($1) for update")
        .bind(&jobs[..2])
        .execute(&mut *holding)
        .await
        .unwrap();
    let of = |at: usize, next| {
        let job = claimed.iter().find(|job| job.job_id == jobs[at]).unwrap();
        let mut outcome = super::lanes::outcome(worker, job.job_id, job.lease_token, next);
        outcome.lane = job.lane.clone();
        outcome
    };
    let write = |outcome| {
        let outcomes = outcomes.clone();
        TaskTracker::new().spawn(async move { outcomes.write(outcome).await.unwrap() })
    };
    let mut busy = Vec::new();
    for at in 0..2 {
        busy.push(write(of(at, Next::Succeeded)));
        until_waiting(&queue, at + 1).await;
    }
    let mut note = of(2, Next::Leased);
    (note.step, note.asked, note.polls) = ("asking".to_owned(), true, 1);
    let mut verdict = of(2, Next::Succeeded);
    verdict.message = "The end.".to_owned();
    let late = of(2, Next::Leased);
    let (noted, ended, late) = (
        outcomes.write(note),
        outcomes.write(verdict),
        outcomes.write(late),
    );
    let freed = async {
        tokio::task::yield_now().await;
        holding.rollback().await.unwrap();
    };
    let (noted, ended, late, ()) = tokio::join!(noted, ended, late, freed);
    assert!(noted.unwrap().is_ok(), "the note was made");
    assert!(ended.unwrap().is_ok(), "and then the end");
    assert!(late.unwrap().is_err(), "the lease is gone by then");
    for busy in busy {
        busy.await.unwrap().unwrap();
    }
    assert_eq!(queue.column(jobs[2], "state").await, "succeeded");
    assert_eq!(queue.column(jobs[2], "message").await, "The end.");
    assert_eq!(queue.column(jobs[2], "asked").await, "true");
    assert_eq!(queue.column(jobs[2], "poll_count").await, "1");
    queue.database.assert_settled().await;
}
