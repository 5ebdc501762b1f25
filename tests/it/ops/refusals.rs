//! Every class of refusal ends, waits or is retried as it should.

use std::time::Duration;

use fargate_fleet::sim::{Fault, HealthIssue, RoleSpec, SimOptions};

use super::support::{ACCOUNT, CLUSTER, Fleet, REGION, SPEED, create_input, fault};

fn answer(action: &str, status: u16, code: &str, message: &str) -> Fault {
    Fault {
        status: Some(status),
        code: Some(code.to_owned()),
        message: Some(message.to_owned()),
        ..fault(action)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refusals_for_good_fail_with_their_code_and_awss_words() {
    let cases = [
        (
            400,
            "InvalidParameterException",
            "Subnet subnet-1 provided in Fargate Profile is not a private subnet",
            "not_private_subnet",
        ),
        (
            400,
            "InvalidParameterException",
            "Fargate Profile creation for the Availability Zone use1-az3 for Subnet s is not supported",
            "unsupported_zone",
        ),
        (
            400,
            "InvalidParameterException",
            "The parameter is wrong.",
            "invalid_parameter",
        ),
        (
            400,
            "ResourceLimitExceededException",
            "You reached the limit.",
            "limit_exceeded",
        ),
        (
            403,
            "AccessDeniedException",
            "User is not authorized.",
            "aws_access_denied",
        ),
    ];
    for (status, code, words, expected) in cases {
        let fleet = Fleet::new().await;
        fleet
            .sim
            .add_faults(vec![answer("CreateFargateProfile", status, code, words)]);
        let create = fleet.create("fp-dev", "dev").await;
        fleet.run().await;
        fleet.assert_failed(create, expected).await;
        let told = fleet.queue.column(create, "message").await;
        if expected == "aws_access_denied" {
            let remedy = "User is not authorized. The missing permission is CreateFargateProfile: ";
            assert!(told.starts_with(remedy), "{told}");
        } else {
            assert_eq!(told, words);
        }
        assert_ne!(
            fleet.queue.column(create, "error->>'awsRequestId'").await,
            ""
        );
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn throttling_and_server_errors_are_free() {
    for action in [
        "CreateFargateProfile",
        "DescribeCluster",
        "ListFargateProfiles",
    ] {
        let fleet = Fleet::new().await;
        let mut throttled = answer(action, 429, "TooManyRequestsException", "Too Many Requests");
        throttled.times = Some(5);
        let mut broken = answer(action, 500, "ServerException", "Internal");
        broken.times = Some(2);
        fleet.sim.add_faults(vec![throttled, broken]);
        let create = fleet.create("fp-dev", "dev").await;
        fleet.run().await;
        fleet.assert_state(create, "succeeded").await;
        let attempts = fleet.queue.column(create, "attempt").await;
        assert_eq!(attempts, "0", "{action}");
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_outage_before_anything_was_asked_costs_a_change_nothing() {
    let fleet = Fleet::new().await;
    let mut broken = answer(
        "DescribeCluster",
        503,
        "ServiceUnavailableException",
        "Down",
    );
    broken.times = Some(20);
    fleet.sim.add_faults(vec![broken]);
    let create = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    fleet.assert_state(create, "succeeded").await;
    assert_eq!(fleet.queue.column(create, "attempt").await, "0");
    fleet.end().await;
}

/// The deadline has passed: this look is the last.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_outage_that_outlasts_the_deadline_is_named_as_the_cause() {
    let fleet = Fleet::new().await;
    let broken = Fault {
        service: Some("eks".to_owned()),
        status: Some(503),
        times: Some(100),
        ..fault("*")
    };
    fleet.sim.add_faults(vec![broken]);
    let create = fleet.create("fp-dev", "dev").await;
    let get = fleet.get("fp-dev").await;
    sqlx::query("update job_rows set deadline_at = now()")
        .execute(fleet.queue.pool())
        .await
        .unwrap();
    fleet.run().await;
    fleet.assert_failed(create, "deadline_exceeded").await;
    let message = fleet.queue.column(create, "message").await;
    assert!(message.contains("EKS in eu-central-1"), "{message}");
    fleet.assert_failed(get, "aws_unavailable").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_outage_while_a_deletion_is_followed_costs_nothing() {
    let fleet = Fleet::new().await;
    fleet.put("fp-dev", "dev", "ACTIVE");
    let mut broken = answer(
        "DescribeFargateProfile",
        503,
        "ServiceUnavailableException",
        "Down",
    );
    broken.skip = Some(2);
    broken.times = Some(20);
    fleet.sim.add_faults(vec![broken]);
    let delete = fleet.delete("fp-dev", true).await;
    fleet.run().await;
    fleet.assert_state(delete, "succeeded").await;
    assert_eq!(fleet.queue.column(delete, "attempt").await, "0");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failed_creations_and_deletions_surface_their_health_issues() {
    let issue = HealthIssue {
        code: "AccessDenied".to_owned(),
        message: "The role may not.".to_owned(),
        resource_ids: vec!["subnet-1".to_owned()],
    };
    let fleet = Fleet::new().await;
    fleet
        .sim
        .fail_next_create(ACCOUNT, REGION, CLUSTER, None, vec![issue.clone()]);
    let create = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    fleet.assert_failed(create, "not_stabilized").await;
    let first = "error->'healthIssues'->0->>'code'";
    assert_eq!(fleet.queue.column(create, first).await, "AccessDenied");

    fleet.put("fp-old", "old", "ACTIVE");
    fleet
        .sim
        .fail_next_delete(ACCOUNT, REGION, CLUSTER, None, vec![issue]);
    let delete = fleet.delete("fp-old", true).await;
    fleet.run().await;
    fleet.assert_failed(delete, "not_stabilized").await;
    assert_eq!(fleet.queue.column(delete, first).await, "AccessDenied");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_role_that_iam_is_still_spreading_is_waited_for_and_a_wrong_one_is_not() {
    for (role, expected) in [("fresh", "succeeded"), ("of-nodes", "failed")] {
        let slow = |options: &mut SimOptions| options.iam_propagation = Duration::from_mins(1);
        let mut fleet = Fleet::with(slow).await;
        fleet.patience = SPEED;
        let trusted = ["eks-fargate-pods.amazonaws.com", "ec2.amazonaws.com"];
        let services = [trusted[usize::from(expected == "failed")].to_owned()];
        let spec = RoleSpec {
            services: services.into(),
            fresh: true,
            ..RoleSpec::default()
        };
        fleet.sim.put_role(ACCOUNT, role, spec);
        let mut input = create_input(Some("fp-dev"), "dev");
        input["podExecutionRoleArn"] = format!("arn:aws:iam::{ACCOUNT}:role/{role}").into();
        let create = fleet
            .submit("create_fargate_profile", Some("fp-dev"), input)
            .await;
        fleet.run().await;
        fleet.assert_state(create, expected).await;
        assert_eq!(
            fleet.queue.column(create, "attempt").await,
            if expected == "failed" { "1" } else { "0" }
        );
        if expected == "failed" {
            fleet.assert_failed(create, "role_not_usable").await;
            let tries = fleet.calls("CreateFargateProfile", Some(400));
            assert!(tries > 1, "{tries} tries in two minutes of AWS's time");
        }
        fleet.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn states_and_answers_we_do_not_know_break_nothing() {
    let fleet = Fleet::new().await;
    let mut unknown = fault("DescribeFargateProfile");
    unknown.set_status = Some("RECONSIDERING".to_owned());
    unknown.times = Some(3);
    let mut cut_short = fault("DescribeFargateProfile");
    cut_short.truncate = true;
    cut_short.times = Some(2);
    fleet.sim.add_faults(vec![unknown, cut_short]);
    let create = fleet.create("fp-dev", "dev").await;
    fleet.run().await;
    fleet.assert_state(create, "succeeded").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_expired_session_is_renewed() {
    let fleet = Fleet::new().await;
    let expired = answer(
        "DescribeFargateProfile",
        403,
        "ExpiredTokenException",
        "expired",
    );
    fleet.sim.add_faults(vec![expired]);
    fleet.put("fp-dev", "dev", "ACTIVE");
    let get = fleet.get("fp-dev").await;
    fleet.run().await;
    fleet.assert_state(get, "succeeded").await;
    assert_eq!(fleet.calls("AssumeRole", Some(200)), 2);
    fleet.end().await;
}
