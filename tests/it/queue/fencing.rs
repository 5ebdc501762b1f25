//! No stale writes: a worker that lost its lease writes nothing.

use std::time::Duration;

use fargate_fleet::queue::maintenance;
use fargate_fleet::queue::outcome::{Fenced, Next};
use futures_util::future::join_all;
use serde_json::json;

use super::lanes::{outcome, outcomes};
use super::support::{ACCOUNT, Queue};

#[tokio::test]
async fn a_worker_that_was_taken_for_dead_cannot_write() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let stale = queue.register(Duration::from_mins(1)).await;
    let first = queue.claim(stale, 1).await.remove(0);
    let outcomes = outcomes(&queue);

    assert_eq!(queue.rescue().await, 1);
    let late = outcome(stale, job, first.lease_token, Next::Succeeded);
    assert_eq!(
        outcomes.write(late.clone()).await.unwrap(),
        Err(Fenced),
        "rescued, unclaimed"
    );

    let fresh = queue.register(Duration::ZERO).await;
    let second = queue.claim(fresh, 1).await.remove(0);
    assert!(second.lease_token > first.lease_token);
    assert_eq!(
        outcomes.write(late).await.unwrap(),
        Err(Fenced),
        "claimed by another"
    );
    let mut forged = outcome(stale, job, second.lease_token, Next::Succeeded);
    assert_eq!(
        outcomes.write(forged.clone()).await.unwrap(),
        Err(Fenced),
        "not its lease"
    );
    forged.worker = fresh;
    forged.lease_token = first.lease_token;
    assert_eq!(
        outcomes.write(forged).await.unwrap(),
        Err(Fenced),
        "an old token"
    );

    let right = outcome(fresh, job, second.lease_token, Next::Succeeded);
    assert!(outcomes.write(right.clone()).await.unwrap().is_ok());
    assert_eq!(
        outcomes.write(right).await.unwrap(),
        Err(Fenced),
        "written once"
    );
    queue.database.assert_settled().await;
}

#[tokio::test]
async fn a_late_write_and_one_of_the_next_lease_of_the_same_worker_are_told_apart() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let worker = queue.register(Duration::ZERO).await;
    let first = queue.claim(worker, 1).await.remove(0);
    let released = maintenance::release(&queue.share(), worker, &[]).await;
    assert_eq!(released.unwrap(), 1);
    let second = queue.claim(worker, 1).await.remove(0);

    let outcomes = outcomes(&queue);
    let write = |token| outcomes.write(outcome(worker, job, token, Next::Leased));
    // The first goes alone; those that come meanwhile go together in the next statement.
    let answers = join_all([
        write(0),
        write(first.lease_token),
        write(second.lease_token),
    ])
    .await;
    let accepted: Vec<bool> = answers.into_iter().map(|a| a.unwrap().is_ok()).collect();
    assert_eq!(accepted, [false, false, true]);
}

#[tokio::test]
async fn a_release_counts_what_it_hands_back() {
    let queue = Queue::new().await;
    for _ in 0..3 {
        queue.submit(ACCOUNT, None, json!({})).await;
    }
    let worker = queue.register(Duration::ZERO).await;
    let kept = queue.claim(worker, 3).await.remove(0).job_id;
    let released = maintenance::release(&queue.share(), worker, &[kept]).await;
    assert_eq!(released.unwrap(), 2);
}

#[tokio::test]
async fn rescue_takes_only_from_workers_whose_lease_is_over() {
    let queue = Queue::new().await;
    for _ in 0..3 {
        queue.submit(ACCOUNT, None, json!({})).await;
    }
    let alive = queue.register(Duration::from_secs(9)).await;
    let dead = queue.register(Duration::from_secs(11)).await;
    let gone = queue.clock.uuid();
    for worker in [alive, dead, gone] {
        assert_eq!(queue.claim(worker, 1).await.len(), 1);
    }
    assert_eq!(queue.rescue().await, 2);
    assert_eq!(queue.rescue().await, 0);
    let ready: Vec<(String, String, i32)> =
        sqlx::query_as("select phase, state, rescues from jobs order by seq")
            .fetch_all(queue.pool())
            .await
            .unwrap();
    let row = |phase: &str, state: &str, rescues| (phase.to_owned(), state.to_owned(), rescues);
    assert_eq!(
        ready,
        [
            row("leased", "running", 0),
            row("ready", "waiting", 1),
            row("ready", "waiting", 1)
        ]
    );
}

#[tokio::test]
async fn a_job_that_kills_every_worker_is_given_up() {
    let queue = Queue::new().await;
    let job = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let next = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    for _ in 0..21 {
        let worker = queue.register(Duration::from_mins(1)).await;
        assert_eq!(queue.claim(worker, 1).await[0].job_id, job);
        queue.rescue().await;
    }
    maintenance::repair(&queue.share()).await.unwrap();
    assert_eq!(queue.column(job, "state").await, "failed");
    assert_eq!(queue.column(job, "error->>'code'").await, "internal");
    assert_eq!(
        queue.column(next, "phase").await,
        "ready",
        "the lane goes on"
    );
}

#[tokio::test]
async fn a_lane_that_lost_its_head_is_repaired() {
    let queue = Queue::new().await;
    let head = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let next = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    // As if a crash had come between the finish and the promotion.
    sqlx::query("delete from job_rows where job_id = $1")
        .bind(head)
        .execute(queue.pool())
        .await
        .unwrap();
    let stuck: i64 = sqlx::query_scalar("select count(*) from stuck_jobs")
        .fetch_one(queue.pool())
        .await
        .unwrap();
    assert_eq!(stuck, 1, "the view sees it");
    let repaired = maintenance::repair(&queue.share()).await.unwrap();
    assert_eq!(repaired.promoted, 1);
    assert_eq!(queue.column(next, "phase").await, "ready");
    queue.database.assert_nothing_stuck().await;
}
