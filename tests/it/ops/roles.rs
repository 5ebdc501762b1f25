//! A broken role parks its account, and nobody else's.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::support::{ACCOUNT, CLUSTER, Fleet, OTHER_ACCOUNT, create_input, settings};

/// Creations on two clusters of the account, `count` in all.
async fn creations(fleet: &Fleet, account: &str, count: usize) -> Vec<Uuid> {
    let mut jobs = Vec::new();
    for n in 0..count {
        let (cluster, name) = (
            if n % 2 == 0 { CLUSTER } else { "dev-1" },
            format!("fp-{}", n % 4),
        );
        let mut input = create_input(Some(&name), &name);
        input["podExecutionRoleArn"] =
            format!("arn:aws:iam::{account}:role/fargate-pod-execution").into();
        let what = (Some(name.as_str()), input);
        let kind = "create_fargate_profile";
        jobs.push(fleet.submit_to(account, cluster, kind, what).await);
    }
    jobs
}

/// When STS refused the account's role.
fn refusals(fleet: &Fleet, account: &str) -> Vec<DateTime<Utc>> {
    let calls = fleet.sim.record().calls;
    calls
        .into_iter()
        .filter(|call| call.action == "AssumeRole" && call.account_id == account)
        .filter(|call| call.status == Some(403))
        .map(|call| call.at)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_denied_role_parks_the_account_after_few_tries_and_all_resume_when_it_is_mended() {
    const JOBS: usize = 40;
    let fleet = Fleet::new().await;
    fleet.sim.set_account(ACCOUNT, settings(true));
    let jobs = creations(&fleet, ACCOUNT, JOBS).await;
    let others = creations(&fleet, OTHER_ACCOUNT, 10).await;

    // Each with sessions and budgets of its own, as two processes.
    let workers = [fleet.worker().await, fleet.worker().await];
    let failures = "select sum(role_failures) from accounts";
    fleet.queue.until(failures, |count| count >= 6).await;
    // Three park it, and the try of another process may be under way then; from there on, each
    // refusal is a probe that was counted.
    let refused = refusals(&fleet, ACCOUNT);
    let tries = refused.len();
    assert!((6..=7).contains(&tries), "{tries} tries for 3 probes");
    // Half a minute between probes, doubled with each that fails, in the fleet's patience.
    let pauses = [0.5, 1.0, 2.0].map(|seconds| Duration::from_secs_f64(seconds * 0.95));
    let probes = &refused[tries - 3..];
    for (pair, pause) in probes.windows(2).zip(&pauses[1..]) {
        let passed = (pair[1] - pair[0]).to_std().unwrap();
        assert!(passed >= *pause, "a probe {passed:?} after another");
    }

    let kept = "select count(*) from jobs where phase <> 'finished' and attempt = 0";
    let kept_jobs = i64::try_from(JOBS).unwrap();
    fleet.queue.until(kept, |count| count == kept_jobs).await;
    for job in others {
        fleet.assert_state(job, "succeeded").await;
    }

    fleet.sim.set_account(ACCOUNT, settings(false));
    fleet.queue.until_idle().await;
    for worker in workers {
        worker.drain(Duration::from_secs(5)).await.unwrap();
    }
    for job in jobs {
        fleet.assert_state(job, "succeeded").await;
        assert_eq!(fleet.queue.column(job, "attempt").await, "0");
    }
    let active = "select count(*) from accounts where state = 'active' and role_failures = 0";
    fleet.queue.until(active, |count| count == 2).await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_cannot_wait_for_a_person_and_fails_at_once() {
    let fleet = Fleet::new().await;
    fleet.sim.set_account(ACCOUNT, settings(true));
    let get = fleet.get("fp-dev").await;
    fleet.run().await;
    fleet.assert_failed(get, "aws_assume_role_failed").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wrong_external_id_is_a_refused_role() {
    let fleet = Fleet::new().await;
    sqlx::query("update accounts set external_id = 'guessed'")
        .execute(fleet.queue.pool())
        .await
        .unwrap();
    let get = fleet.get("fp-dev").await;
    fleet.run().await;
    fleet.assert_failed(get, "aws_assume_role_failed").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_throttled_account_does_not_hold_up_another() {
    let fleet = Fleet::new().await;
    let mut throttled = settings(false);
    throttled.throttle = true;
    fleet.sim.set_account(ACCOUNT, throttled);
    let slow = fleet.create("fp-dev", "dev").await;
    let mut input = create_input(Some("fp-x"), "x");
    input["podExecutionRoleArn"] =
        format!("arn:aws:iam::{OTHER_ACCOUNT}:role/fargate-pod-execution").into();
    let kind = "create_fargate_profile";
    let quick = fleet
        .submit_to(OTHER_ACCOUNT, CLUSTER, kind, (Some("fp-x"), input))
        .await;
    let worker = fleet.worker().await;
    fleet
        .queue
        .until("select count(*) from jobs where phase = 'finished'", |n| {
            n == 1
        })
        .await;
    fleet.assert_state(quick, "succeeded").await;
    let waits = "select count(*) from jobs where waiting_reason = 'throttled'";
    fleet.queue.until(waits, |n| n == 1).await;
    fleet.sim.set_account(ACCOUNT, settings(false));
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_state(slow, "succeeded").await;
    assert_eq!(fleet.queue.column(slow, "attempt").await, "0");
    fleet.end().await;
}
