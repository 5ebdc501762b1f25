//! The API and the worker as two processes that meet only in Postgres.

use fargate_fleet::sim::Fault;
use serde_json::Value;

use super::support::{ACCOUNT, Caller, Process, SPEED, Stage, profile, profiles, until};

/// An API, an administrator of it, and the accounts.
async fn opened(stage: &Stage) -> (Process, Caller) {
    let (api, address) = stage.api().await;
    let admin = Caller::new(&address, &stage.token("admin", &[]).await);
    stage.register(&admin).await;
    (api, admin)
}

async fn job_in_state(caller: &Caller, job: &Value, state: &str) {
    let path = format!("/v1/jobs/{}", job["id"].as_str().unwrap());
    until(&format!("the job is {state}"), || async {
        caller.get(&path).await.1["state"] == state
    })
    .await;
}

fn creations(stage: &Stage, status: Option<u16>) -> usize {
    let calls = stage.sim.record().calls;
    calls
        .iter()
        .filter(|call| call.action == "CreateFargateProfile" && call.status == status)
        .count()
}

fn assert_active(stage: &Stage, name: &str) {
    let there = stage.sim.profile(ACCOUNT, "eu-central-1", "prod-1", name);
    assert_eq!(there.expect("the profile").status, "ACTIVE");
}

#[tokio::test]
async fn a_worker_does_what_the_api_took_and_another_goes_on_when_it_is_killed() {
    let stage = Stage::new().await;
    let (_api, admin) = opened(&stage).await;
    let (first, _) = stage.worker("5").await;

    // Nothing at AWS gets any further: the job waits.
    stage.sim.freeze();
    let (status, job) = admin.post(&profiles(ACCOUNT), profile("web")).await;
    assert_eq!(status, 202, "{job}");
    stage.called("CreateFargateProfile", Some(200)).await;
    job_in_state(&admin, &job, "waiting").await;
    first.die().await;

    let (_second, _) = stage.worker("5").await;
    stage.sim.thaw();
    let job = admin.followed(&job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    assert_eq!(job["profile"]["status"], "ACTIVE", "{job}");
    assert_eq!(job["attempts"], 0, "{job}");
    assert_active(&stage, "web");
    assert_eq!(creations(&stage, Some(200)), 1);
    assert_eq!(creations(&stage, None), 0);
    stage.end().await;
}

#[tokio::test]
async fn a_worker_that_is_killed_while_aws_answers_makes_nothing_twice() {
    let stage = Stage::new().await;
    let (_api, admin) = opened(&stage).await;
    let (first, _) = stage.worker("5").await;

    // AWS has made the profile, and its answer never comes.
    stage.sim.add_faults(vec![Fault {
        action: "CreateFargateProfile".to_owned(),
        delay_after_ms: Some(60_000),
        ..Fault::default()
    }]);
    let (status, job) = admin.post(&profiles(ACCOUNT), profile("web")).await;
    assert_eq!(status, 202, "{job}");
    until("AWS has made the profile", || async {
        let made = stage.sim.profile(ACCOUNT, "eu-central-1", "prod-1", "web");
        made.is_some()
    })
    .await;
    let arn = stage.sim.profile(ACCOUNT, "eu-central-1", "prod-1", "web");
    let arn = arn.expect("the profile").fargate_profile_arn;
    first.die().await;
    assert_eq!(stage.leased().await, 1, "the lease of the dead");

    let (_second, _) = stage.worker("5").await;
    let job = admin.followed(&job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    assert_eq!(job["profile"]["arn"], arn.as_str(), "{job}");
    assert_active(&stage, "web");
    stage.end().await;
}

/// One database, many processes: whatever worker takes a step, a cluster sees one change at a time.
#[tokio::test]
async fn two_workers_share_the_jobs_of_two_apis() {
    const JOBS: usize = 6;
    let stage = Stage::new().await;
    let (_first, admin) = opened(&stage).await;
    let (_second, address) = stage.api().await;
    let other = Caller::new(&address, &stage.token("operator", &[]).await);
    let (_one, _) = stage.worker("5").await;
    let (_two, _) = stage.worker("5").await;

    let mut jobs = Vec::new();
    for n in 0..JOBS {
        let caller = if n % 2 == 0 { &admin } else { &other };
        let (status, job) = caller
            .post(&profiles(ACCOUNT), profile(&format!("web-{n}")))
            .await;
        assert_eq!(status, 202, "{job}");
        jobs.push(job);
    }
    for job in &jobs {
        let job = other.followed(job).await;
        assert_eq!(
            job["state"], "succeeded",
            "at {SPEED} times AWS's speed: {job}"
        );
    }
    assert_eq!(creations(&stage, Some(200)), JOBS);
    stage.end().await;
}
