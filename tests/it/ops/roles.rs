//! A broken role parks its account, and nobody else's.

use std::time::Duration;

use super::support::{ACCOUNT, CLUSTER, Fleet, OTHER_ACCOUNT, create_input, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_denied_role_parks_the_account_after_few_tries_and_all_resume_when_it_is_mended() {
    let fleet = Fleet::new().await;
    fleet.sim.set_account(ACCOUNT, settings(true));
    let mut jobs = Vec::new();
    for n in 0..40 {
        let (cluster, name) = (
            if n % 2 == 0 { CLUSTER } else { "dev-1" },
            format!("fp-{}", n % 4),
        );
        let input = create_input(Some(&name), &name);
        let kind = "create_fargate_profile";
        jobs.push(
            fleet
                .submit_to(ACCOUNT, cluster, kind, (Some(&name), input))
                .await,
        );
    }
    let mut input = create_input(Some("fp-x"), "x");
    input["podExecutionRoleArn"] =
        format!("arn:aws:iam::{OTHER_ACCOUNT}:role/fargate-pod-execution").into();
    let kind = "create_fargate_profile";
    let other = fleet
        .submit_to(OTHER_ACCOUNT, CLUSTER, kind, (Some("fp-x"), input))
        .await;

    let worker = fleet.worker().await;
    let parked = "select count(*) from accounts where state = 'parked'";
    fleet.queue.until(parked, |count| count == 1).await;
    let tries = fleet.calls("AssumeRole", Some(403));
    assert!(
        (3..=4).contains(&tries),
        "{tries} tries before the account was parked"
    );
    fleet
        .queue
        .until("select count(*) from jobs where phase = 'finished'", |n| {
            n == 1
        })
        .await;
    fleet.assert_state(other, "succeeded").await;

    fleet.sim.set_account(ACCOUNT, settings(false));
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    for job in jobs {
        fleet.assert_state(job, "succeeded").await;
        assert_eq!(fleet.queue.column(job, "attempt").await, "0");
    }
    let state: String = sqlx::query_scalar("select state from accounts where account_id = $1")
        .bind(ACCOUNT)
        .fetch_one(fleet.queue.pool())
        .await
        .unwrap();
    assert_eq!(state, "active");
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
