//! The honest cancel, in each state.

use std::time::Duration;

use fargate_fleet::queue::cancel::{Canceled, cancel};
use fargate_fleet::queue::outcome::{Next, Outcome};
use serde_json::json;
use uuid::Uuid;

use super::lanes::{outcome, outcomes};
use super::support::{ACCOUNT, Queue};

async fn ask(queue: &Queue, job_id: Uuid) -> Canceled {
    let mut transaction = queue.pool().begin().await.unwrap();
    let canceled = cancel(&mut transaction, ACCOUNT, job_id).await.unwrap();
    transaction.commit().await.unwrap();
    canceled
}

#[tokio::test]
async fn a_job_behind_another_ends_at_once_and_leaves_the_lane_in_order() {
    let queue = Queue::new().await;
    let first = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let second = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let third = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    assert_eq!(ask(&queue, second).await, Canceled::Now);
    assert_eq!(queue.column(second, "state").await, "canceled");
    assert_eq!(ask(&queue, first).await, Canceled::Now);
    assert_eq!(
        queue.column(third, "phase").await,
        "ready",
        "the head's place is taken"
    );
    assert_eq!(ask(&queue, third).await, Canceled::Now);
    assert_eq!(ask(&queue, third).await, Canceled::AlreadyFinished);
    assert_eq!(ask(&queue, Uuid::nil()).await, Canceled::Unknown);
    queue.database.assert_settled().await;
}

#[tokio::test]
async fn a_running_job_ends_at_its_next_wait_if_aws_has_accepted_nothing() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let worker = queue.register(Duration::ZERO).await;
    let claimed = queue.claim(worker, 1).await.remove(0);
    assert_eq!(ask(&queue, job).await, Canceled::Requested);
    assert_eq!(queue.column(job, "state").await, "canceling");

    let outcomes = outcomes(&queue);
    let note = outcome(worker, job, claimed.lease_token, Next::Leased);
    let noted = outcomes.write(note).await.unwrap().unwrap();
    assert!(noted.stop, "the step is told to stop before it asks AWS");
    assert_eq!(queue.column(job, "state").await, "canceling");
    let parked = outcome(worker, job, claimed.lease_token, Next::Parked);
    outcomes.write(parked).await.unwrap().unwrap();
    assert_eq!(queue.column(job, "state").await, "canceled");
    queue.database.assert_settled().await;
}

#[tokio::test]
async fn what_aws_accepted_is_followed_to_its_end() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let worker = queue.register(Duration::ZERO).await;
    let claimed = queue.claim(worker, 1).await.remove(0);
    assert_eq!(ask(&queue, job).await, Canceled::Requested);
    let outcomes = outcomes(&queue);
    let accepted = Outcome {
        accepted: true,
        ..outcome(worker, job, claimed.lease_token, Next::Parked)
    };
    outcomes.write(accepted).await.unwrap().unwrap();
    assert_eq!(
        queue.column(job, "state").await,
        "waiting",
        "AWS was faster"
    );

    assert_eq!(ask(&queue, job).await, Canceled::TooLate);
    assert_eq!(ask(&queue, job).await, Canceled::TooLate);
    assert_eq!(
        queue.column(job, "jsonb_array_length(warnings)").await,
        "1",
        "told once"
    );
    assert_eq!(
        queue.column(job, "warnings->0->>'code'").await,
        "cancel_too_late"
    );
    let claimed = queue.claim(worker, 1).await;
    assert!(claimed.is_empty(), "parked until it is due");
    fargate_fleet::queue::due::wake_due(&queue.share())
        .await
        .unwrap();
    let claimed = queue.claim(worker, 1).await.remove(0);
    let end = outcome(worker, job, claimed.lease_token, Next::Succeeded);
    outcomes.write(end).await.unwrap().unwrap();
    assert_eq!(queue.column(job, "state").await, "succeeded");
    queue.database.assert_settled().await;
}

#[tokio::test]
async fn a_job_that_may_have_asked_aws_is_not_called_canceled_blindly() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let dead = queue.register(Duration::from_mins(1)).await;
    let claimed = queue.claim(dead, 1).await.remove(0);
    let asking = Outcome {
        asked: true,
        ..outcome(dead, job, claimed.lease_token, Next::Leased)
    };
    outcomes(&queue).write(asking).await.unwrap().unwrap();
    queue.rescue().await;
    assert_eq!(
        ask(&queue, job).await,
        Canceled::Requested,
        "the next step finds out"
    );
    assert_eq!(queue.column(job, "phase").await, "ready");
    assert_eq!(queue.column(job, "state").await, "canceling");
    let worker = queue.register(Duration::ZERO).await;
    assert!(queue.claim(worker, 1).await[0].cancel_requested);
}
