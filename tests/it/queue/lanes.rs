//! One job at a time in a lane, in order of arrival, and nobody starved.

use std::collections::HashMap;
use std::time::Duration;

use fargate_fleet::database::Share;
use fargate_fleet::queue::claim::Round;
use fargate_fleet::queue::outcome::{Next, Outcome};
use fargate_fleet::queue::{Enqueuer, Verdict, Wait};
use serde_json::json;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::support::{ACCOUNT, Queue, Scripted, again, done};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn jobs_of_a_lane_run_one_at_a_time_in_order_of_arrival() {
    let queue = Queue::new().await;
    let mut arrival: HashMap<String, Vec<Uuid>> = HashMap::new();
    for n in 0..120 {
        let lane = format!("lane-{}", n % 6);
        let id = queue
            .submit(ACCOUNT, Some(&lane), json!({ "lane": lane }))
            .await;
        arrival.entry(lane).or_default().push(id);
    }
    // Each job waits once in the middle, and keeps its lane while it does.
    let handler = Scripted::new(|job| match job.step.as_str() {
        "start" => again(Duration::from_millis(1), "second", Wait::Poll),
        _ => done(),
    });
    let workers = [queue.worker(handler.clone()), queue.worker(handler.clone())];
    queue.until_idle().await;
    for worker in workers {
        worker.drain(Duration::from_secs(5)).await.expect("drained");
    }
    assert_eq!(*handler.overlaps.lock().unwrap(), Vec::<String>::new());
    assert_eq!(handler.finished(), arrival);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_that_enqueue_into_one_lane_agree_on_the_order() {
    let queue = Queue::new().await;
    let tracker = TaskTracker::new();
    let share = Share::of(queue.database.another_pool());
    let other = Enqueuer::start(share, queue.wake.clone(), &tracker);
    let submissions = (0..200).map(|n| {
        let enqueuer = if n % 2 == 0 { &queue.enqueuer } else { &other };
        enqueuer.submit(queue.one(ACCOUNT, Some("shared"), json!({"lane": "shared"})))
    });
    for submitted in futures_util::future::join_all(submissions).await {
        submitted.expect("committed");
    }
    let heads: i64 = sqlx::query_scalar("select count(*) from jobs where phase = 'ready'")
        .fetch_one(queue.pool())
        .await
        .expect("a count");
    assert_eq!(heads, 1, "a lane has one head");
    let order: Vec<Uuid> = sqlx::query_scalar("select job_id from jobs order by seq")
        .fetch_all(queue.pool())
        .await
        .expect("the jobs");
    let handler = Scripted::new(|_| done());
    let worker = queue.worker(handler.clone());
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    assert_eq!(handler.finished()["shared"], order);
    assert!(handler.overlaps.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_parked_job_keeps_its_lane_and_frees_its_worker() {
    let queue = Queue::new().await;
    let first = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let second = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let other = queue.submit(ACCOUNT, Some("b"), json!({})).await;
    let worker = queue.register(Duration::ZERO).await;
    let claimed = queue.claim(worker, 10).await;
    assert_eq!(
        claimed.iter().map(|job| job.job_id).collect::<Vec<_>>(),
        [first, other]
    );

    let outcomes = outcomes(&queue);
    for job in &claimed {
        let parked = Outcome {
            after: Duration::from_hours(1),
            waiting_reason: Some("poll"),
            ..outcome(worker, job.job_id, job.lease_token, Next::Parked)
        };
        outcomes
            .write(parked)
            .await
            .expect("written")
            .expect("held");
    }
    assert!(
        queue.claim(worker, 10).await.is_empty(),
        "the second is behind the parked first"
    );
    assert_eq!(queue.column(second, "phase").await, "blocked");
    assert_eq!(queue.column(first, "waiting_reason").await, "poll");
    assert_eq!(queue.column(first, "lease_worker").await, "");
    queue.database.assert_nothing_stuck().await;
}

#[tokio::test]
async fn a_second_head_of_a_lane_is_refused_by_the_database_itself() {
    let queue = Queue::new().await;
    queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let second = queue.submit(ACCOUNT, Some("a"), json!({})).await;
    let forced = sqlx::query(
        "update job_rows set phase = 'ready', ready_seq = 1, due_at = now() where job_id = $1",
    )
    .bind(second)
    .execute(queue.pool())
    .await;
    let error = forced.expect_err("the index guards the lane");
    let constraint = error
        .as_database_error()
        .and_then(|error| error.constraint());
    assert_eq!(constraint, Some("jobs_one_head_a_lane"));
}

#[tokio::test]
async fn a_claim_goes_round_the_accounts() {
    let queue = Queue::new().await;
    let accounts = ["111111111111", "222222222222", "333333333333"];
    queue.add_account(accounts[1]).await;
    queue.add_account(accounts[2]).await;
    for _ in 0..100 {
        queue.submit(accounts[0], None, json!({})).await;
    }
    for account in &accounts[1..] {
        for _ in 0..5 {
            queue.submit(account, None, json!({})).await;
        }
    }
    let worker = queue.register(Duration::ZERO).await;
    let mut taken: HashMap<String, usize> = HashMap::new();
    for job in queue.claim(worker, 9).await {
        *taken.entry(job.account_id).or_default() += 1;
    }
    assert_eq!(
        taken,
        accounts
            .iter()
            .map(|account| ((*account).to_owned(), 3))
            .collect()
    );
    let rest = queue.claim(worker, 50).await;
    assert_eq!(
        rest.iter()
            .filter(|job| job.account_id != accounts[0])
            .count(),
        4
    );
}

#[tokio::test]
async fn with_fewer_slots_than_accounts_the_next_claim_goes_on_behind_the_last() {
    let queue = Queue::new().await;
    queue.add_account("222222222222").await;
    queue.add_account("333333333333").await;
    for account in [ACCOUNT, "222222222222", "333333333333"] {
        for _ in 0..2 {
            queue.submit(account, None, json!({})).await;
        }
    }
    let worker = queue.register(Duration::ZERO).await;
    let mut round = Round::default();
    let mut order = Vec::new();
    for _ in 0..6 {
        let mut claimed = queue.claim_in(&mut round, worker, 1).await;
        assert_eq!(claimed.len(), 1);
        order.push(claimed.remove(0).account_id);
    }
    let once = [ACCOUNT, "222222222222", "333333333333"];
    assert_eq!(order, [once, once].concat());
}

#[tokio::test]
async fn parked_accounts_keep_their_jobs_and_probe_with_one() {
    let queue = Queue::new().await;
    queue.add_account("222222222222").await;
    for _ in 0..5 {
        queue.submit(ACCOUNT, None, json!({})).await;
        queue.submit("222222222222", None, json!({})).await;
    }
    park(&queue, "now() + interval '1 hour'").await;
    let worker = queue.register(Duration::ZERO).await;
    let claimed = queue.claim(worker, 20).await;
    assert!(claimed.iter().all(|job| job.account_id == "222222222222"));
    assert_eq!(claimed.len(), 5);

    park(&queue, "now()").await;
    assert_eq!(queue.claim(worker, 20).await.len(), 1, "one probe");
    assert!(
        queue.claim(worker, 20).await.is_empty(),
        "and no other while it is out"
    );
    fargate_fleet::db::breaker::role_worked(queue.pool(), ACCOUNT)
        .await
        .expect("mended");
    assert_eq!(queue.claim(worker, 20).await.len(), 4, "then all resume");
}

async fn park(queue: &Queue, probe_at: &str) {
    let sql = format!(
        "update accounts set state = 'parked', probe_at = {probe_at} where account_id = '{ACCOUNT}'"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .execute(queue.pool())
        .await
        .expect("parked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failing_job_lets_the_next_of_its_lane_go_on() {
    let queue = Queue::new().await;
    let bad = queue
        .submit(ACCOUNT, Some("a"), json!({"lane": "a", "bad": true}))
        .await;
    let good = queue.submit(ACCOUNT, Some("a"), json!({"lane": "a"})).await;
    let handler = Scripted::new(|job| {
        if job.input.get("bad").is_some() {
            Verdict::Fail(super::support::failure("no"))
        } else {
            done()
        }
    });
    let worker = queue.worker(handler);
    queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.expect("drained");
    assert_eq!(queue.column(bad, "state").await, "failed");
    assert_eq!(queue.column(good, "state").await, "succeeded");
}

/// A writer of outcomes, as a worker has one.
pub fn outcomes(queue: &Queue) -> fargate_fleet::queue::outcome::Outcomes {
    fargate_fleet::queue::outcome::Outcomes::start(
        queue.share(),
        queue.wake.clone(),
        queue.wake.clone(),
        &TaskTracker::new(),
    )
}

/// An outcome that says nothing but where the job goes.
pub fn outcome(worker: Uuid, job_id: Uuid, lease_token: i64, next: Next) -> Outcome {
    Outcome {
        worker,
        account_id: ACCOUNT.to_owned(),
        job_id,
        lane: None,
        lease_token,
        next,
        step: "start".to_owned(),
        step_data: json!({}),
        after: Duration::ZERO,
        waiting_reason: None,
        blocked_by: None,
        message: "Written by a test.".to_owned(),
        attempts: 0,
        troubles: 0,
        polls: 0,
        asked: false,
        accepted: false,
        profile_name: None,
        result: None,
        warnings: Vec::new(),
        error: None,
        take_next: false,
    }
}
