//! What fails on the way says why and what is left, and a retry goes on from there.

use std::time::Duration;

use super::support::{NEW, broken, fargate, full, spec};
use crate::ops::support::{Fleet, REGION, fault};
use fargate_fleet::aws::Access;
use fargate_fleet::aws::cloudformation::NewStack;
use fargate_fleet::domain::ClusterName;
use fargate_fleet::domain::cluster::template;
use fargate_fleet::sim::{Fault, HealthIssue};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_resource_that_fails_is_named_with_its_reason_and_a_retry_makes_the_stack_anew() {
    let fleet = Fleet::new().await;
    let why = "The maximum number of addresses has been reached.";
    fleet.sim.add_faults(vec![broken("NATIP", why)]);
    let first = fleet.create_cluster(&fargate(NEW)).await;
    fleet.run().await;
    fleet.assert_failed(first, "not_stabilized").await;
    let message = fleet.queue.column(first, "error->>'message'").await;
    for part in [
        "stack eksctl-new-1-cluster",
        "NATIP (AWS::EC2::EIP)",
        why.trim_end_matches('.'),
        "ROLLBACK_COMPLETE",
        "retry the job",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }

    // Another try deletes what is left, also when it asks for something else.
    let second = fleet.create_cluster(&full(NEW)).await;
    fleet.run().await;
    fleet.assert_state(second, "succeeded").await;
    let begun = fleet.begun();
    assert_eq!(
        begun.iter().take(4).collect::<Vec<_>>(),
        [
            "CreateStack eksctl-new-1-cluster",
            "UpdateTerminationProtection eksctl-new-1-cluster",
            "DeleteStack eksctl-new-1-cluster",
            "CreateStack eksctl-new-1-cluster",
        ]
    );
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failed_creation_goes_on_where_it_ended_and_makes_nothing_twice() {
    let fleet = Fleet::new().await;
    let faults = vec![
        Fault {
            profile: Some("fp-b".to_owned()),
            status: Some(400),
            code: Some("InvalidParameterException".to_owned()),
            message: Some(
                "Subnet subnet-1 provided in Fargate Profile is not a private subnet".to_owned(),
            ),
            ..fault("CreateFargateProfile")
        },
        broken(
            "NodeGroup",
            "You have requested more vCPU capacity than your limit.",
        ),
    ];
    fleet.sim.add_faults(faults);
    let mut failed = Vec::new();
    for _ in 0..2 {
        let job = fleet.create_cluster(&full(NEW)).await;
        fleet.run().await;
        fleet.assert_state(job, "failed").await;
        failed.push(fleet.queue.column(job, "message").await);
    }
    assert!(failed[0].contains("is not a private subnet"), "{failed:?}");
    let left = "left behind: stack eksctl-new-1-cluster with the control plane, Fargate profiles \
                fp-a, stack eksctl-new-1-addon-vpc-cni;";
    assert!(failed[0].contains(left), "{failed:?}");
    assert!(failed[1].contains("more vCPU capacity"), "{failed:?}");
    assert!(
        failed[1].contains("Fargate profiles fp-a, fp-b,"),
        "{failed:?}"
    );

    let last = fleet.create_cluster(&full(NEW)).await;
    fleet.run().await;
    fleet.assert_state(last, "succeeded").await;
    let mut begun = fleet.begun();
    begun.sort_unstable();
    // The one nodegroup's stack that failed is the only thing that was made anew.
    let twice: Vec<&str> = begun
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0].as_str())
        .collect();
    assert_eq!(twice.len(), 1, "{begun:?}");
    assert!(
        twice[0].starts_with("CreateStack eksctl-new-1-nodegroup-"),
        "{twice:?}"
    );
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stack_of_that_name_that_others_made_is_left_alone() {
    let fleet = Fleet::new().await;
    fleet.have_cluster(&fargate(NEW)).await;
    let before = fleet.sim.inventory();
    // The same name, asked for in another way.
    let config = json!({
        "metadata": {"name": NEW, "region": REGION, "version": "1.33"},
    });
    let job = fleet.create_cluster(&spec(&config, true)).await;
    fleet.run().await;
    fleet.assert_failed(job, "already_exists").await;
    let message = fleet.queue.column(job, "message").await;
    let told = "stack eksctl-new-1-cluster is there in status CREATE_COMPLETE, and this service made it for \
                a cluster with other settings";
    assert!(message.contains(told), "{message}");
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

/// Whose it is, its state and the way out; and when it goes, its name is free.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stack_that_somebody_else_made_is_told_and_one_that_goes_is_waited_for() {
    const STACK: &str = "eksctl-new-1-cluster";
    let fleet = Fleet::new().await;
    let cluster = ClusterName::parse(NEW).unwrap();
    let stacks = fleet.caller(Access::CreateCluster, NEW).await;
    let stacks = stacks.cloudformation();
    let new = NewStack {
        name: STACK.to_owned(),
        template: template::fargate_role(&cluster, None).to_string(),
        tags: [("alpha.eksctl.io/cluster-name".to_owned(), NEW.to_owned())].into(),
        makes_roles: true,
        client_request_token: "by-hand".to_owned(),
    };
    stacks.create_stack(new).await.unwrap();
    fleet.sim.advance(Duration::from_mins(10));
    let refused = fleet.create_cluster(&fargate(NEW)).await;
    fleet.run().await;
    fleet.assert_failed(refused, "already_exists").await;
    let message = fleet.queue.column(refused, "message").await;
    let told =
        format!("stack {STACK} is there in status CREATE_COMPLETE, and eksctl made it; choose");
    assert!(message.contains(&told), "{message}");

    fleet.sim.freeze();
    stacks.protect_stack(STACK, false).await.unwrap();
    stacks.delete_stack(STACK, "by-hand").await.unwrap();
    let made = fleet.create_cluster(&fargate(NEW)).await;
    let worker = fleet.worker().await;
    let waits =
        "select count(*) from jobs where message like 'Waits until CloudFormation has deleted%'";
    fleet.queue.until(waits, |count| count == 1).await;
    worker.crash().await;
    let message = fleet.queue.column(made, "message").await;
    assert!(
        message.contains("asked for by somebody outside this service"),
        "{message}"
    );
    fleet.sim.thaw();
    fleet.run().await;
    fleet.assert_state(made, "succeeded").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_profile_that_aws_gives_up_fails_the_creation_with_its_health() {
    let fleet = Fleet::new().await;
    fleet.sim.add_faults(vec![Fault {
        health: vec![HealthIssue {
            code: "AccessDenied".to_owned(),
            message: "no way".to_owned(),
            resource_ids: Vec::new(),
        }],
        ..fault("CreateFargateProfile")
    }]);
    let job = fleet.create_cluster(&fargate(NEW)).await;
    fleet.run().await;
    fleet.assert_failed(job, "not_stabilized").await;
    let message = fleet.queue.column(job, "message").await;
    assert!(message.contains("no way"), "{message}");
    assert!(
        message.contains("left behind: stack eksctl-new-1-cluster"),
        "{message}"
    );
    fleet.end().await;
}
