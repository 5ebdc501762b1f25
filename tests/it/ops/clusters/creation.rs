//! A cluster comes up, step by step, and once.

use fargate_fleet::sim::Fault;
use serde_json::{Value, json};

use super::support::{NEW, fargate, full, guide, spec};
use crate::ops::support::{ACCOUNT, Fleet, REGION, fault};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_for_fargate_becomes_ready_in_the_order_of_eksctl() {
    let fleet = Fleet::new().await;
    let job = fleet.create_cluster(&fargate(NEW)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(
        fleet.begun(),
        [
            "CreateStack eksctl-new-1-cluster",
            "CreateAddon vpc-cni",
            "CreateAddon kube-proxy",
            "CreateFargateProfile fp-default",
            "CreateAddon coredns",
            "CreateAddon metrics-server",
        ]
    );
    let profile = fleet.sim.profile(ACCOUNT, REGION, NEW, "fp-default");
    assert_eq!(profile.unwrap().status, "ACTIVE");
    assert_eq!(fleet.queue.column(job, "warnings").await, "[]");
    assert_eq!(fleet.queue.column(job, "attempt").await, "0");
    let cluster = fleet.queue.column(job, "result->'cluster'").await;
    let cluster: Value = serde_json::from_str(&cluster).unwrap();
    assert_eq!(cluster["name"], NEW);
    assert_eq!(cluster["status"], "ACTIVE");
    assert!(cluster["endpoint"].is_string(), "{cluster}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_cluster_of_the_guide_has_its_nodegroup_after_its_profiles() {
    let fleet = Fleet::new().await;
    let job = fleet.create_cluster(&guide()).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(
        fleet.begun(),
        [
            "CreateStack eksctl-fargate-cluster-cluster",
            "CreateAddon vpc-cni",
            "CreateAddon kube-proxy",
            "CreateFargateProfile fp-default",
            "CreateFargateProfile fp-dev",
            "CreateAddon coredns",
            "CreateStack eksctl-fargate-cluster-nodegroup-ng-1",
            "CreateAddon metrics-server",
        ]
    );
    assert_eq!(fleet.queue.column(job, "warnings").await, "[]");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_person_can_follow_each_step_of_a_creation() {
    let fleet = Fleet::new().await;
    let job = fleet.create_cluster(&full(NEW)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let told: Vec<(String, String)> =
        sqlx::query_as("select step, message from job_events where job_id = $1 order by event_no")
            .bind(job)
            .fetch_all(fleet.queue.pool())
            .await
            .unwrap();
    let mut steps: Vec<&str> = told.iter().map(|(step, _)| step.as_str()).collect();
    steps.dedup();
    assert_eq!(
        steps,
        [
            "cluster_stack",
            "access_entries",
            "add_ons",
            "control_plane_ready",
            "oidc",
            "vpc_cni_role",
            "fargate_profiles",
            "coredns",
            "nodegroups",
            "metrics_server",
        ]
    );
    let messages: Vec<&str> = told.iter().map(|(_, message)| message.as_str()).collect();
    for message in [
        "CloudFormation is making stack eksctl-new-1-cluster.",
        "Stack eksctl-new-1-cluster is complete.",
        "The control plane of cluster new-1 is ready.",
        "IAM trusts the cluster's OIDC issuer.",
        "Fargate profile fp-a is ACTIVE.",
        "All nodegroups are there.",
    ] {
        assert!(messages.contains(&message), "{message}: {messages:#?}");
    }
    let message = fleet.queue.column(job, "message").await;
    assert_eq!(message, "Cluster new-1 is ready.");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_creations_of_one_name_at_once_end_with_one_cluster() {
    let fleet = Fleet::new().await;
    let first = fleet.create_cluster(&full(NEW)).await;
    let same = fleet.create_cluster(&full(NEW)).await;
    let other = fleet.create_cluster(&fargate(NEW)).await;
    fleet.run().await;
    fleet.assert_state(first, "succeeded").await;
    let begun = fleet.begun();
    fleet.assert_state(same, "succeeded").await;
    fleet.assert_failed(other, "already_exists").await;
    let made: std::collections::BTreeSet<&String> = begun.iter().collect();
    assert_eq!(made.len(), begun.len(), "nothing was made twice: {begun:?}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_name_of_a_cluster_that_others_made_is_taken() {
    let fleet = Fleet::new().await;
    fleet.sim.add_cluster(ACCOUNT, REGION, NEW);
    let job = fleet.create_cluster(&fargate(NEW)).await;
    fleet.run().await;
    fleet.assert_failed(job, "already_exists").await;
    assert!(fleet.begun().is_empty());
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_creation_can_be_canceled_until_aws_was_asked() {
    let fleet = Fleet::new().await;
    let early = fleet.create_cluster(&fargate(NEW)).await;
    fleet.cancel(early).await;
    fleet.run().await;
    fleet.assert_state(early, "canceled").await;
    assert!(fleet.begun().is_empty());

    fleet.sim.freeze();
    let late = fleet.create_cluster(&fargate(NEW)).await;
    let worker = fleet.worker().await;
    let accepted = "select count(*) from jobs where accepted";
    fleet.queue.until(accepted, |n| n == 1).await;
    fleet.cancel(late).await;
    fleet.sim.thaw();
    fleet.queue.until_idle().await;
    worker
        .drain(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    fleet.assert_state(late, "succeeded").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn add_ons_that_find_no_place_to_run_are_warnings_and_the_cluster_is_there() {
    let mut fleet = Fleet::new().await;
    fleet.patience *= 10.0;
    let config = json!({
        "metadata": {"name": NEW, "region": REGION},
        "fargateProfiles": [{"name": "fp-a", "selectors": [{"namespace": "a"}]}],
    });
    let job = fleet.create_cluster(&spec(&config, false)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let warnings = fleet.queue.column(job, "warnings").await;
    let warnings: Value = serde_json::from_str(&warnings).unwrap();
    let codes: Vec<&str> = warnings
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|warning| warning["code"].as_str())
        .collect();
    assert_eq!(codes, ["addon_not_active", "addon_not_active"]);
    let why = warnings[0]["message"].as_str().unwrap();
    assert!(why.starts_with("add-on coredns is DEGRADED"), "{why}");
    assert!(why.contains("desired number of replicas"), "{why}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_comes_up_in_subnets_that_exist_and_leaves_them() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    let config = |private: &str| {
        json!({
            "metadata": {"name": NEW, "region": REGION},
            "vpc": {"subnets": {"private": {
                "eu-central-1a": {"id": "subnet-0bbbbbbbbbbbbbb01"},
                "eu-central-1b": {"id": private},
            }}},
        })
    };
    let wrong = fleet
        .create_cluster(&spec(&config("subnet-0123456789abcdef0"), true))
        .await;
    fleet.run().await;
    fleet.assert_failed(wrong, "invalid_parameter").await;
    assert!(fleet.begun().is_empty());

    fleet
        .have_cluster(&spec(&config("subnet-0bbbbbbbbbbbbbb02"), true))
        .await;
    let profile = fleet.sim.profile(ACCOUNT, REGION, NEW, "fp-default");
    assert_eq!(profile.unwrap().status, "ACTIVE");
    let delete = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(delete, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancel_between_two_changes_of_a_resumed_creation_comes_too_late() {
    let fleet = Fleet::new().await;
    fleet.sim.add_faults(vec![Fault {
        resource: Some("kube-proxy".to_owned()),
        status: Some(400),
        code: Some("InvalidParameterException".to_owned()),
        message: Some("not today".to_owned()),
        ..fault("CreateAddon")
    }]);
    // What was asked for fails the job.
    let config = json!({
        "metadata": {"name": NEW, "region": REGION}, "addons": [{"name": "kube-proxy"}],
    });
    let asked_for = spec(&config, true);
    let first = fleet.create_cluster(&asked_for).await;
    fleet.run().await;
    fleet.assert_failed(first, "invalid_parameter").await;
    // The stack is adopted; kube-proxy is the first change, and hangs while a cancel comes.
    fleet.sim.add_faults(vec![Fault {
        resource: Some("kube-proxy".to_owned()),
        delay_after_ms: Some(500),
        ..fault("CreateAddon")
    }]);
    let asked = u32::try_from(fleet.calls("CreateAddon", None)).unwrap();
    let second = fleet.create_cluster(&asked_for).await;
    let worker = fleet.worker().await;
    fleet.until_called("CreateAddon", asked).await;
    fleet.cancel(second).await;
    fleet.queue.until_idle().await;
    worker
        .drain(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    fleet.assert_state(second, "succeeded").await;
    let begun = fleet.begun();
    let last = begun.last().map(String::as_str);
    assert_eq!(last, Some("CreateAddon metrics-server"), "{begun:?}");
    fleet.end().await;
}
