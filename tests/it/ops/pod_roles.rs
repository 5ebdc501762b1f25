//! The pod execution role of profiles that name none: found, made, and deleted with the last of them.

use std::time::Duration;

use fargate_fleet::domain::Warning;
use fargate_fleet::queue::cancel::cancel;
use fargate_fleet::sim::{self, Fault, SimOptions};
use uuid::Uuid;

use super::support::{ACCOUNT, CLUSTER, Fleet, REGION, ROLE, ROLE_STACK, fault, roleless_input};

const BOUNDARY: &str = "arn:aws:iam::111111111111:policy/pods";

impl Fleet {
    async fn create_roleless(&self, name: &str) -> Uuid {
        let input = roleless_input(name, name);
        self.submit("create_fargate_profile", Some(name), input)
            .await
    }

    /// Creates a profile without a role to its end; the role that it got.
    async fn got_role(&self, name: &str) -> String {
        let job = self.create_roleless(name).await;
        self.run().await;
        self.assert_state(job, "succeeded").await;
        let profile = self.profile_of(job).await;
        profile.pod_execution_role_arn.unwrap()
    }

    /// Deletes a profile to its end.
    async fn deleted(&self, name: &str, wait: bool) -> Uuid {
        let job = self.delete(name, wait).await;
        self.run().await;
        self.assert_state(job, "succeeded").await;
        job
    }

    /// Puts an ACTIVE profile with a role in place.
    pub fn put_with_role(&self, name: &str, role: &str) {
        let spec = sim::ProfileSpec {
            name: name.to_owned(),
            pod_execution_role_arn: role.to_owned(),
            ..sim::ProfileSpec::default()
        };
        self.sim
            .put_profile(ACCOUNT, REGION, CLUSTER, spec, "ACTIVE");
    }

    /// The role's stack, and its roles, as far as they are there by now.
    fn of_role(&self) -> Vec<String> {
        self.sim.advance(Duration::from_mins(10));
        let all = self.sim.inventory().into_iter();
        all.filter(|line| line.contains("/stack/") || line.contains("/role/"))
            .collect()
    }

    async fn message(&self, job: Uuid) -> String {
        self.queue.column(job, "message").await
    }
}

/// What IAM answers about a role.
async fn described(fleet: &Fleet, role: &str) -> String {
    let name = role.rsplit('/').next().unwrap();
    let credential = "test/20260101/us-east-1/iam/aws4_request";
    let answer = reqwest::Client::new()
        .post(fleet.endpoint())
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"),
        )
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("Action=GetRole&Version=2010-05-08&RoleName={name}"))
        .send()
        .await
        .unwrap();
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_role_is_made_on_demand_shared_and_deleted_with_the_last_profile() {
    for wait in [true, false] {
        let fleet = Fleet::new().await;
        let role = fleet.got_role("fp-a").await;
        assert!(
            role.starts_with("arn:aws:iam::111111111111:role/eksctl-prod-1-fargate-"),
            "{role}"
        );
        assert_eq!(fleet.got_role("fp-b").await, role, "the same one");
        assert_eq!(fleet.calls("CreateStack", None), 1);
        let there = fleet.of_role();
        let stack = format!("{ACCOUNT}/{REGION}/stack/{ROLE_STACK}");
        assert!(there.contains(&stack) && there.len() == 2, "{there:?}");

        fleet.deleted("fp-a", wait).await;
        assert_eq!(fleet.calls("DeleteStack", None), 0, "still used");
        let last = fleet.deleted("fp-b", wait).await;
        assert_eq!(fleet.calls("DeleteStack", Some(200)), 1);
        let message = fleet.message(last).await;
        assert!(message.contains(ROLE_STACK), "{message}");
        assert_eq!(fleet.of_role(), Vec::<String>::new(), "wait: {wait}");
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_made_role_trusts_the_clusters_profiles_alone_and_has_its_boundary() {
    let fleet = Fleet::new().await;
    let mut input = roleless_input("fp-a", "a");
    input["rolePermissionsBoundary"] = BOUNDARY.into();
    let kind = "create_fargate_profile";
    let job = fleet.submit(kind, Some("fp-a"), input).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let role = fleet.profile_of(job).await.pod_execution_role_arn.unwrap();
    let answer = described(&fleet, &role).await;
    assert!(answer.contains(BOUNDARY), "{answer}");
    let answer = percent_encoding::percent_decode_str(&answer).decode_utf8_lossy();
    let source = "arn:aws:eks:eu-central-1:111111111111:fargateprofile/prod-1/*";
    assert!(answer.contains(source), "{answer}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_role_of_the_clusters_stack_comes_first_and_is_never_deleted() {
    let fleet = Fleet::new().await;
    let role = fleet.put_role_stack("eksctl-prod-1-cluster").await;
    let other = fleet.put_role_stack(ROLE_STACK).await;
    assert_ne!(role, other);
    let made = fleet.calls("CreateStack", None);
    assert_eq!(fleet.got_role("fp-a").await, role);
    fleet.deleted("fp-a", true).await;
    assert_eq!(fleet.calls("CreateStack", None), made);
    assert_eq!(fleet.calls("DeleteStack", None), 0);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_role_that_someone_uses_on_a_later_page_is_kept() {
    let fleet = Fleet::new().await;
    let role = fleet.got_role("fp-a").await;
    for n in 0..100 {
        fleet.put_with_role(&format!("fp-{n:03}"), ROLE);
    }
    fleet.put_with_role("fp-z", &role);
    fleet.deleted("fp-a", true).await;
    assert_eq!(fleet.calls("DeleteStack", None), 0);
    assert!(fleet.calls("ListFargateProfiles", None) >= 2, "two pages");
    fleet.sim.vanish_profile(ACCOUNT, REGION, CLUSTER, "fp-z");
    fleet.put_with_role("fp-last", &role);
    fleet.deleted("fp-last", true).await;
    assert_eq!(fleet.calls("DeleteStack", Some(200)), 1);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn roles_of_others_are_never_deleted() {
    for (name, looks) in [("fargate-pod-execution", 0), ("eksctl-other-fargate-1", 1)] {
        let fleet = Fleet::new().await;
        fleet.put_role_stack(ROLE_STACK).await;
        let before = fleet.calls("DescribeStacks", None);
        fleet.put_with_role("fp-a", &format!("arn:aws:iam::{ACCOUNT}:role/{name}"));
        fleet.deleted("fp-a", true).await;
        assert_eq!(fleet.calls("DeleteStack", None), 0, "{name}");
        let looked = fleet.calls("DescribeStacks", None) - before;
        assert_eq!(looked, looks, "{name}");
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stack_that_fails_says_why_and_is_made_anew_by_the_next_job() {
    let fleet = Fleet::new().await;
    let broken = Fault {
        message: Some("no luck with this role".to_owned()),
        ..fault("CreateResource")
    };
    fleet.sim.add_faults(vec![broken]);
    let failed = fleet.create_roleless("fp-a").await;
    fleet.run().await;
    fleet.assert_failed(failed, "not_stabilized").await;
    let message = fleet.message(failed).await;
    for words in [
        ROLE_STACK,
        "FargatePodExecutionRole (AWS::IAM::Role): no luck with this role",
        "ROLLBACK_COMPLETE",
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(fleet.calls("CreateFargateProfile", None), 0);

    fleet.got_role("fp-a").await;
    assert_eq!(fleet.calls("DeleteStack", Some(200)), 1, "what was left");
    assert_eq!(fleet.calls("CreateStack", Some(200)), 2);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_role_that_iam_still_spreads_is_asked_for_again() {
    let slow = |options: &mut SimOptions| options.iam_propagation = Duration::from_mins(10);
    let fleet = Fleet::with(slow).await;
    fleet.got_role("fp-a").await;
    assert!(fleet.calls("CreateFargateProfile", Some(400)) >= 1);
    assert_eq!(fleet.calls("CreateFargateProfile", Some(200)), 1);
    assert_eq!(fleet.calls("CreateStack", None), 1);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_names_no_role_takes_the_profile_that_is_there_with_any() {
    let fleet = Fleet::new().await;
    fleet.put("fp-a", "fp-a", "ACTIVE");
    assert_eq!(fleet.got_role("fp-a").await, ROLE);
    assert_eq!(fleet.calls("DescribeStacks", None), 0);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancel_once_the_role_is_being_made_comes_too_late() {
    let fleet = Fleet::new().await;
    fleet.sim.freeze();
    let job = fleet.create_roleless("fp-a").await;
    let worker = fleet.worker().await;
    let waits = "select count(*) from jobs where accepted and phase = 'parked'";
    fleet.queue.until(waits, |count| count == 1).await;
    let mut transaction = fleet.queue.pool().begin().await.unwrap();
    cancel(&mut transaction, ACCOUNT, job).await.unwrap();
    transaction.commit().await.unwrap();
    fleet.sim.thaw();
    fleet.queue.until_idle().await;
    worker.drain(Duration::from_secs(5)).await.unwrap();
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.status("fp-a").as_deref(), Some("ACTIVE"));
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_role_that_can_not_be_deleted_is_a_warning() {
    let denied = Fault {
        status: Some(403),
        code: Some("AccessDenied".to_owned()),
        message: Some("User: x is not authorized".to_owned()),
        ..fault("DescribeStacks")
    };
    let stuck = Fault {
        message: Some("no luck with this role".to_owned()),
        ..fault("DeleteResource")
    };
    for (fault, because) in [
        (
            denied,
            "AWS refused DescribeStacks: User: x is not authorized",
        ),
        (
            stuck,
            "FargatePodExecutionRole (AWS::IAM::Role): no luck with this role",
        ),
    ] {
        let fleet = Fleet::new().await;
        fleet.got_role("fp-a").await;
        fleet.sim.add_faults(vec![fault]);
        let job = fleet.deleted("fp-a", true).await;
        assert_eq!(fleet.status("fp-a"), None);
        let warnings = fleet.queue.column(job, "warnings").await;
        let warnings: Vec<Warning> = serde_json::from_str(&warnings).unwrap();
        let [Warning { code, message }] = warnings.as_slice() else {
            panic!("{warnings:?}");
        };
        assert_eq!(code, "role_not_deleted");
        assert!(message.contains(because), "{message}");
        let by_hand = "aws cloudformation delete-stack --region eu-central-1 --stack-name";
        assert!(message.contains(by_hand), "{message}");
        fleet.end().await;
    }
}
