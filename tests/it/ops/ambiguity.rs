//! What an operation must not get wrong when it can't know: lost answers, late cancels, broken
//! roles, names that come and go.

use std::time::Duration;

use fargate_fleet::ops::Operations;
use fargate_fleet::queue::cancel::{Canceled, cancel};
use fargate_fleet::queue::worker::Trouble;
use fargate_fleet::queue::{ClaimedJob, Failure, Handler, Lease, Verdict, WorkerOptions};
use fargate_fleet::sim::Fault;
use sqlx::PgPool;
use uuid::Uuid;

use super::support::{ACCOUNT, CLUSTER, Fleet, REGION, SPEED, fault, settings};
use crate::queue::support::options;

fn answer(action: &str, status: u16, code: &str) -> Fault {
    Fault {
        status: Some(status),
        code: Some(code.to_owned()),
        message: Some("As told by the test.".to_owned()),
        ..fault(action)
    }
}

async fn ask_to_cancel(pool: &PgPool, job: Uuid) -> Canceled {
    let mut transaction = pool.begin().await.unwrap();
    let canceled = cancel(&mut transaction, ACCOUNT, job).await.unwrap();
    transaction.commit().await.unwrap();
    canceled
}

/// Cancels the job just after a step was claimed, before it does anything.
struct CancelAfterClaim {
    operations: Operations,
    pool: PgPool,
    step: &'static str,
}

impl Handler for CancelAfterClaim {
    async fn run(&self, job: &ClaimedJob, lease: &Lease) -> Verdict {
        if job.step == self.step && !job.cancel_requested {
            ask_to_cancel(&self.pool, job.job_id).await;
        }
        self.operations.run(job, lease).await
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        self.operations.failure(trouble)
    }
}

/// The answer to the creation is lost, AWS then asks for fewer calls, and someone cancels.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancel_in_a_wait_after_a_lost_answer_does_not_lie() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    let lost = Fault {
        cut: true,
        ..fault("CreateFargateProfile")
    };
    let mut throttled = answer("CreateFargateProfile", 429, "TooManyRequestsException");
    throttled.times = Some(1_000);
    fleet.sim.add_faults(vec![lost, throttled]);
    let create = fleet.create("fp-dev", "dev").await;
    let worker = fleet.worker().await;
    fleet
        .queue
        .until(
            "select count(*) from jobs where waiting_reason = 'throttled'",
            |n| n == 1,
        )
        .await;
    worker.crash().await;
    assert!(fleet.status("fp-dev").is_some(), "AWS has accepted it");
    // Nobody runs the job, so what is found is what the wait left behind.
    for statement in [
        "update job_rows set phase = 'parked', due_at = now()
        where job_id in (select job_id from leases)",
        "delete from leases",
    ] {
        sqlx::query(statement)
            .execute(fleet.queue.pool())
            .await
            .unwrap();
    }
    ask_to_cancel(fleet.queue.pool(), create).await;
    assert_ne!(
        fleet.queue.column(create, "state").await,
        "canceled",
        "{}",
        fleet.queue.column(create, "message").await
    );
}

/// The answer to a change is lost, and the cancel comes when the next try was claimed already.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancel_between_claim_and_note_of_a_second_try_does_not_lie() {
    for create in [true, false] {
        let fleet = Fleet::new().await;
        let (action, step) = if create {
            ("CreateFargateProfile", "create")
        } else {
            fleet.put("fp-dev", "dev", "ACTIVE");
            ("DeleteFargateProfile", "delete")
        };
        let lost = Fault {
            cut: true,
            ..fault(action)
        };
        fleet.sim.add_faults(vec![lost]);
        let job = if create {
            fleet.create("fp-dev", "dev").await
        } else {
            fleet.delete("fp-dev", true).await
        };
        let handler = CancelAfterClaim {
            operations: fleet.operations().await,
            pool: fleet.queue.pool().clone(),
            step,
        };
        let worker = fleet.queue.worker_with(
            handler,
            WorkerOptions {
                time_scale: SPEED,
                ..options()
            },
        );
        fleet.queue.until_idle().await;
        worker.drain(Duration::from_secs(5)).await.unwrap();
        let state = fleet.queue.column(job, "state").await;
        let told = fleet.queue.column(job, "message").await;
        let there = fleet.status("fp-dev");
        assert!(
            state != "canceled" || there.is_some() != create,
            "{step}: '{told}', but at AWS the profile is {there:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_job_past_its_deadline_begins_no_change() {
    let fleet = Fleet::new().await;
    let create = fleet.create("fp-dev", "dev").await;
    // It stood behind others, or its account was parked, for too long.
    sqlx::query("update job_rows set deadline_at = now() - interval '1 hour'")
        .execute(fleet.queue.pool())
        .await
        .unwrap();
    fleet.run().await;
    fleet.assert_failed(create, "deadline_exceeded").await;
    assert_eq!(
        fleet.calls("CreateFargateProfile", Some(200)),
        0,
        "AWS accepted a change that the job calls failed, and that nobody follows"
    );
}

/// A session that a job holds from before says nothing about the role.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cached_session_does_not_close_the_breaker() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    fleet.create("fp-dev", "dev").await;
    let worker = fleet.worker().await;
    fleet
        .queue
        .until("select count(*) from jobs where accepted", |n| n == 1)
        .await;
    let assumed = fleet.calls("AssumeRole", None);
    fleet.sim.set_account(ACCOUNT, settings(true));
    for _ in 0..3 {
        fargate_fleet::db::breaker::role_failed(fleet.queue.pool(), ACCOUNT, "denied", 60.0)
            .await
            .unwrap();
    }
    // The probe is made, and counted; not answered by what the job holds from before.
    let probed = "select count(*) from accounts where role_failures > 3";
    fleet.queue.until(probed, |n| n == 1).await;
    let parked: i64 = sqlx::query_scalar("select count(*) from accounts where state = 'parked'")
        .fetch_one(fleet.queue.pool())
        .await
        .unwrap();
    let asked = fleet.calls("AssumeRole", None) - assumed;
    worker.crash().await;
    assert_eq!(parked, 1, "closed although STS was asked {asked} times");
}

/// A worker whose own credentials are wrong must not park the fleet.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_workers_own_broken_credentials_park_no_account() {
    for code in ["InvalidClientTokenId", "SignatureDoesNotMatch"] {
        let fleet = Fleet::new().await;
        let mut broken = answer("AssumeRole", 403, code);
        broken.times = Some(3);
        fleet.sim.add_faults(vec![broken]);
        let create = fleet.create("fp-dev", "dev").await;
        let worker = fleet.worker().await;
        fleet
            .queue
            .until(
                "select count(*) from jobs where attempt = 3 or phase = 'finished' or exists (
                    select from accounts where state = 'parked'
                )",
                |n| n == 1,
            )
            .await;
        let failures: i64 = sqlx::query_scalar("select sum(role_failures) from accounts")
            .fetch_one(fleet.queue.pool())
            .await
            .unwrap();
        worker.crash().await;
        assert_eq!(failures, 0, "{code} was held against the account");
        let _ = create;
    }
}

/// The profile of that name goes away between the list and the look at it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_creation_whose_name_becomes_free_between_list_and_look_goes_on() {
    let fleet = Fleet::new().await;
    // It is in the list for sure, and the look is the one that finds it gone.
    fleet.sim.freeze();
    fleet.put("fp-dev", "dev", "DELETING");
    let gone = Fault {
        status: Some(404),
        code: Some("ResourceNotFoundException".to_owned()),
        message: Some("No Fargate Profile found with name: fp-dev".to_owned()),
        profile: Some("fp-dev".to_owned()),
        ..fault("DescribeFargateProfile")
    };
    fleet.sim.add_faults(vec![gone]);
    let create = fleet.create("fp-dev", "dev").await;
    let worker = fleet.worker().await;
    fleet.until_called("DescribeFargateProfile", 0).await;
    fleet.sim.thaw();
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_state(create, "succeeded").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_that_is_being_deleted_is_waited_for_half_an_hour() {
    let mut fleet = Fleet::new().await;
    fleet.patience = SPEED;
    fleet.sim.freeze();
    fleet.put("fp-dev", "dev", "DELETING");
    let create = fleet.create("fp-dev", "dev").await;
    let worker = fleet.worker().await;
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_failed(create, "deadline_exceeded").await;
}

/// While we follow ours, someone deletes it and makes another of that name.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_profile_of_the_name_is_not_taken_for_ours() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    let create = fleet.create("fp-dev", "dev").await;
    let worker = fleet.worker().await;
    fleet
        .queue
        .until("select count(*) from jobs where accepted", |n| n == 1)
        .await;
    worker.crash().await;
    fleet.sim.vanish_profile(ACCOUNT, REGION, CLUSTER, "fp-dev");
    fleet.put("fp-dev", "somebody-elses", "ACTIVE");
    fleet.sim.thaw();
    let worker = fleet.worker().await;
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    let state = fleet.queue.column(create, "state").await;
    let result = fleet.queue.column(create, "result").await;
    assert_eq!(state, "failed", "succeeded with {result}");
}

/// The answer to the creation is lost, and then AWS can't be asked for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_may_have_been_made_is_not_given_up_in_an_outage() {
    let fleet = Fleet::new().await;
    let lost = Fault {
        cut: true,
        ..fault("CreateFargateProfile")
    };
    let mut down = answer("CreateFargateProfile", 503, "ServiceUnavailableException");
    down.times = Some(20);
    fleet.sim.add_faults(vec![lost, down]);
    let create = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    let there = fleet.status("fp-dev");
    assert!(there.is_some(), "AWS has made it");
    fleet.assert_state(create, "succeeded").await;
}

/// An API of a newer version has made a job that this worker has never heard of.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_job_of_an_unknown_kind_is_left_to_another_worker() {
    let fleet = Fleet::new().await;
    let job = fleet.get("fp-dev").await;
    sqlx::query("update job_rows set kind = 'paint_fargate_profile'")
        .execute(fleet.queue.pool())
        .await
        .unwrap();
    let worker = fleet.worker().await;
    let waits = "select count(*) from jobs where waiting_reason = 'retry' and attempt = 0";
    fleet.queue.until(waits, |n| n == 1).await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    assert!(
        fleet
            .queue
            .column(job, "message")
            .await
            .contains("paint_fargate_profile")
    );
}
