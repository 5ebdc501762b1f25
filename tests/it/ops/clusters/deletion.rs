//! A deletion leaves nothing of what was made for the cluster, and touches nothing else.

use fargate_fleet::sim::{ClusterSettings, Fault};

use super::support::{NEW, fargate, full};
use crate::ops::support::{ACCOUNT, CLUSTER, Fleet, REGION, fault};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_is_taken_down_in_order_and_leaves_aws_as_it_was() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    fleet.have_cluster(&full(NEW)).await;
    assert_ne!(fleet.sim.inventory(), before);
    let made = fleet.begun().len();
    let job = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    let mut begun = fleet.begun().split_off(made);
    // Nodegroups go at once.
    begun[2..6].sort_unstable();
    assert_eq!(
        begun
            .iter()
            .map(|call| call.split(" arn:").next().unwrap())
            .collect::<Vec<_>>(),
        [
            "DeleteFargateProfile fp-a",
            "DeleteFargateProfile fp-b",
            "DeleteStack eksctl-new-1-nodegroup-ng-1",
            "DeleteStack eksctl-new-1-nodegroup-ng-2",
            "UpdateTerminationProtection eksctl-new-1-nodegroup-ng-1",
            "UpdateTerminationProtection eksctl-new-1-nodegroup-ng-2",
            "UpdateTerminationProtection eksctl-new-1-addon-vpc-cni",
            "DeleteStack eksctl-new-1-addon-vpc-cni",
            "DeleteOpenIDConnectProvider",
            "UpdateTerminationProtection eksctl-new-1-cluster",
            "DeleteStack eksctl-new-1-cluster",
        ]
    );
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_waits_in_the_lane_of_a_creation() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    let create = fleet.create_cluster(&fargate(NEW)).await;
    let delete = fleet.delete_cluster(NEW, false).await;
    let again = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    for job in [create, delete, again] {
        fleet.assert_state(job, "succeeded").await;
    }
    assert_eq!(fleet.sim.inventory(), before);
    let begun = fleet.begun();
    let created = begun.iter().rposition(|call| call.starts_with("Create"));
    let deleted = begun.iter().position(|call| call.starts_with("Delete"));
    assert!(created < deleted, "{begun:?}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_left_of_a_failed_creation_is_deleted() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    fleet
        .sim
        .add_faults(vec![super::support::broken("ControlPlane", "no")]);
    let create = fleet.create_cluster(&fargate(NEW)).await;
    fleet.run().await;
    fleet.assert_state(create, "failed").await;
    assert_ne!(fleet.sim.inventory(), before);
    let delete = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(delete, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_that_others_made_is_deleted_only_when_that_was_asked_for() {
    let fleet = Fleet::new().await;
    let settings = ClusterSettings {
        nodegroups: Some(vec!["theirs".to_owned()]),
        ..ClusterSettings::default()
    };
    fleet.sim.set_cluster(ACCOUNT, REGION, CLUSTER, settings);
    fleet.put("fp-there", "there", "ACTIVE");
    let before = fleet.sim.inventory();

    let refused = fleet.delete_cluster(CLUSTER, false).await;
    fleet.run().await;
    fleet.assert_failed(refused, "conflict").await;
    let message = fleet.queue.column(refused, "message").await;
    assert!(message.contains("unowned=true"), "{message}");
    assert!(fleet.begun().is_empty());
    assert_eq!(fleet.sim.inventory(), before);

    let asked = fleet.delete_cluster(CLUSTER, true).await;
    fleet.run().await;
    fleet.assert_state(asked, "succeeded").await;
    assert_eq!(
        fleet.begun(),
        [
            "DeleteFargateProfile fp-there",
            "DeleteNodegroup theirs",
            "DeleteCluster",
        ]
    );
    let place = format!("{ACCOUNT}/{REGION}/cluster/{CLUSTER}");
    let left: Vec<String> = before
        .into_iter()
        .filter(|line| line != &place && !line.starts_with(&format!("{place}/")))
        .collect();
    let there = fleet.sim.inventory();
    assert!(there.iter().all(|line| left.contains(line)), "{there:#?}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_that_never_was_is_not_found() {
    let fleet = Fleet::new().await;
    let job = fleet.delete_cluster("nobody", true).await;
    fleet.run().await;
    fleet.assert_failed(job, "not_found").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_resource_that_can_not_be_deleted_is_named_and_a_retry_goes_on() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    fleet.have_cluster(&full(NEW)).await;
    fleet.sim.add_faults(vec![Fault {
        resource: Some("VPC".to_owned()),
        message: Some("The vpc has dependencies and cannot be deleted.".to_owned()),
        ..fault("DeleteResource")
    }]);
    let first = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_failed(first, "not_stabilized").await;
    let message = fleet.queue.column(first, "message").await;
    for part in [
        "stack eksctl-new-1-cluster",
        "VPC (AWS::EC2::VPC)",
        "has dependencies",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let second = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(second, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_whose_name_goes_on_keeps_its_stacks() {
    let fleet = Fleet::new().await;
    fleet.have_cluster(&full("new-1-nodegroup-x")).await;
    let before = fleet.sim.inventory();
    fleet.have_cluster(&full(NEW)).await;
    let job = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}
