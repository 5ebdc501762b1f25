//! F6: a worker that stands still past its lease in the middle of a creation, and goes on when
//! another has taken over and ended the job.

use fargate_fleet::sim::{Call, Fault};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::binary::support::{ACCOUNT, BOUND, Caller, Process, Stage, profile, profiles, until};

/// Longer than it takes another worker to take over and to end the job.
const LATE_MS: u64 = 9_000;

fn creations(stage: &Stage, which: impl Fn(&Call) -> bool) -> usize {
    let calls = stage.sim.record().calls;
    let creations = calls
        .iter()
        .filter(|call| call.action == "CreateFargateProfile");
    creations.filter(|call| which(call)).count()
}

/// The stopped worker writes nothing of what it learns when it goes on.
async fn refused(mut sleeper: Process, health: &str, admin: &Caller, job: &Value) {
    sleeper.signal(Signal::SIGCONT);
    // Its own clock says so first, or the fence does.
    let lost = |line: &str| line.contains("leases lost") || line.contains("outcome was refused");
    sleeper.logs(lost).await;
    let caller = Caller::new(health, "");
    until("it has registered anew", || async {
        caller.is_ready().await
    })
    .await;
    let (_, now) = admin
        .get(&format!("/v1/jobs/{}", job["id"].as_str().unwrap()))
        .await;
    assert_eq!(now, *job, "nothing was written");
    sleeper.signal(Signal::SIGTERM);
    assert_eq!(sleeper.ended().await.status.code(), Some(0));
}

async fn overtaken(late: Fault, has_it: impl Fn(&Call) -> bool) {
    let stage = Stage::new().await;
    let (_api, address) = stage.api().await;
    let admin = Caller::new(&address, &stage.token("admin", &[]).await);
    stage.register(&admin).await;
    let (sleeper, health) = stage.worker("5").await;
    stage.sim.add_faults(vec![late]);
    let (status, job) = admin.post(&profiles(ACCOUNT), profile("web")).await;
    assert_eq!(status, 202, "{job}");
    let creation = stage
        .sim
        .wait_for(|call| call.action == "CreateFargateProfile" && has_it(call));
    let called = tokio::time::timeout(BOUND, creation).await;
    assert!(called.is_ok(), "{:#?}", stage.sim.record());
    sleeper.signal(Signal::SIGSTOP);

    let (_other, _) = stage.worker("5").await;
    let job = admin.followed(&job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    until("the late call is answered", || async {
        creations(&stage, |call| call.status.is_none()) == 0
    })
    .await;
    refused(sleeper, &health, &admin, &job).await;
    assert_eq!(creations(&stage, |call| call.changed), 1);
    let there = stage.sim.profile(ACCOUNT, "eu-central-1", "prod-1", "web");
    assert_eq!(there.expect("the profile").status, "ACTIVE");
    stage.end().await;
}

#[tokio::test]
async fn a_worker_stopped_before_aws_has_the_creation_makes_no_second_one() {
    let late = Fault {
        action: "CreateFargateProfile".to_owned(),
        delay_ms: Some(LATE_MS),
        ..Fault::default()
    };
    overtaken(late, |_| true).await;
}

#[tokio::test]
async fn a_worker_stopped_before_it_hears_of_its_creation_writes_nothing() {
    let late = Fault {
        action: "CreateFargateProfile".to_owned(),
        delay_after_ms: Some(LATE_MS),
        ..Fault::default()
    };
    overtaken(late, |call| call.changed).await;
}
