//! What each verdict does to a job, and what uses up an attempt.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fargate_fleet::queue::{Verdict, Wait};
use serde_json::json;

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
