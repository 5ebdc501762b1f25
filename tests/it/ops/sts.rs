//! Whose fault it is that a role can't be assumed: only what STS says of the role parks its account.

use std::time::Duration;

use fargate_fleet::domain::job_input::ReadInput;
use fargate_fleet::sim::Fault;
use serde_json::json;

use super::support::{ACCOUNT, CLUSTER, Fleet, REGION, fault};

fn refused(code: &str, status: u16, message: &str) -> Fault {
    Fault {
        account_id: Some(ACCOUNT.to_owned()),
        region: Some(REGION.to_owned()),
        status: Some(status),
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        times: Some(100),
        ..fault("AssumeRole")
    }
}

/// Code, status and words of STS; the job's code, and a part of what it says.
const NOT_THE_ROLE: [(&str, u16, &str, &str, &str); 4] = [
    (
        "RegionDisabledException",
        403,
        "STS is not activated in this region for account:111111111111.",
        "aws_assume_role_failed",
        "region eu-central-1 is not enabled in account 111111111111: enable it there",
    ),
    (
        "PackedPolicyTooLarge",
        400,
        "Packed policy consumes 105% of allotted space, please use smaller policy.",
        "internal",
        "report it. STS says: PackedPolicyTooLarge: Packed policy consumes 105%",
    ),
    (
        "MalformedPolicyDocument",
        400,
        "Syntax errors in policy.",
        "internal",
        "not for the account; report it",
    ),
    (
        "ValidationError",
        400,
        "1 validation error detected",
        "internal",
        "not for the account; report it",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_not_the_roles_fault_ends_the_job_and_parks_nobody() {
    let fleet = Fleet::new().await;
    for (code, status, words, job_code, told) in NOT_THE_ROLE {
        fleet.sim.add_faults(vec![refused(code, status, words)]);
        // More than it takes to park an account.
        let mut jobs = Vec::new();
        for n in 0..5 {
            jobs.push(fleet.create(&format!("fp-{n}"), "x").await);
        }
        jobs.push(fleet.get("fp-0").await);
        fleet.run().await;
        for job in jobs {
            fleet.assert_failed(job, job_code).await;
            let message = fleet.queue.column(job, "error->>'message'").await;
            assert!(message.contains(told), "{code}: {message}");
        }
        fleet.sim.clear_faults();
    }
    let active = "select count(*) from accounts where state = 'active' and role_failures = 0";
    fleet.queue.until(active, |count| count == 2).await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disabled_region_holds_up_no_other_region_of_the_account() {
    let fleet = Fleet::new().await;
    let (code, status, words, ..) = NOT_THE_ROLE[0];
    fleet.sim.add_faults(vec![refused(code, status, words)]);
    let disabled = fleet.list().await;
    let elsewhere = fleet
        .submit_to(
            ACCOUNT,
            CLUSTER,
            "list_fargate_profiles",
            (None, json!(ReadInput {})),
        )
        .await;
    sqlx::query("update job_rows set region = 'us-east-1' where job_id = $1")
        .bind(elsewhere)
        .execute(fleet.queue.pool())
        .await
        .unwrap();
    let worker = fleet.worker().await;
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet
        .assert_failed(disabled, "aws_assume_role_failed")
        .await;
    fleet.assert_state(elsewhere, "succeeded").await;
    fleet.end().await;
}
