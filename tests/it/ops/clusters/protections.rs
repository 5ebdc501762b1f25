//! Protections are found before the first change: a refusal destroys nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use fargate_fleet::aws::Access;
use fargate_fleet::aws::cloudformation::NewStack;
use fargate_fleet::domain::ErrorCode;
use fargate_fleet::domain::cluster::ClusterDeletionPlan;
use fargate_fleet::domain::job_input::DeleteClusterInput;
use fargate_fleet::sim::{ClusterSettings, Fault};
use serde_json::json;

use super::support::{NEW, broken, fargate, full};
use crate::ops::support::{ACCOUNT, CLUSTER, Fleet, REGION, ROLE_STACK, fault, roleless_input};

const LIFT: DeleteClusterInput = DeleteClusterInput {
    unowned: false,
    lift_protection: true,
};
const ASKED: DeleteClusterInput = DeleteClusterInput {
    unowned: false,
    lift_protection: false,
};
const UNOWNED: DeleteClusterInput = DeleteClusterInput {
    unowned: true,
    lift_protection: false,
};

impl Fleet {
    fn protect(&self, cluster: &str) {
        let settings = ClusterSettings {
            deletion_protection: Some(true),
            ..ClusterSettings::default()
        };
        self.sim.set_cluster(ACCOUNT, REGION, cluster, settings);
    }

    /// Deletes a cluster and asserts that this is refused with a code, before the first change; the
    /// message.
    async fn refused(&self, name: &str, input: DeleteClusterInput, code: &str) -> String {
        let (before, changes) = (self.sim.inventory(), self.begun().len());
        let job = self.delete_cluster_as(name, input).await;
        self.run().await;
        self.assert_failed(job, code).await;
        assert_eq!(self.begun().len(), changes, "{:?}", self.begun());
        assert_eq!(self.sim.inventory(), before);
        self.queue.column(job, "message").await
    }
}

fn names(plan: &ClusterDeletionPlan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_that_eks_protects_is_refused_before_anything_is_deleted() {
    let fleet = Fleet::new().await;
    fleet.have_cluster(&full(NEW)).await;
    fleet.protect(NEW);
    let message = fleet.refused(NEW, ASKED, "protected").await;
    for part in [NEW, "liftProtection=true", "--no-deletion-protection"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let plan = fleet.deletion_plan(NEW, ASKED).await;
    assert!(plan.protected && plan.owned);
    assert_eq!(plan.obstacles[0].code, ErrorCode::Protected);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_protection_is_lifted_first_where_that_was_asked_for() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    fleet.have_cluster(&full(NEW)).await;
    fleet.protect(NEW);
    let plan = fleet.deletion_plan(NEW, LIFT).await;
    assert_eq!(plan.obstacles, []);
    assert_eq!(plan.steps[0].name, "deletion_protection");
    let made = fleet.begun().len();
    let job = fleet.delete_cluster_as(NEW, LIFT).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    let begun = fleet.begun().split_off(made);
    assert_eq!(
        begun[..2],
        ["UpdateClusterConfig", "DeleteFargateProfile fp-a"]
    );
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_plan_of_a_deletion_names_everything_and_changes_nothing() {
    let fleet = Fleet::new().await;
    fleet.have_cluster(&full(NEW)).await;
    let (before, changes) = (fleet.sim.inventory(), fleet.begun().len());
    let plan = fleet.deletion_plan(NEW, ASKED).await;
    assert_eq!(
        (plan.cluster_name.as_str(), plan.region.as_str()),
        (NEW, REGION)
    );
    assert!(plan.owned && !plan.protected);
    assert_eq!(
        names(&plan),
        [
            "fargate_profiles",
            "nodegroup_stacks",
            "role_stacks",
            "oidc",
            "cluster"
        ]
    );
    let all: Vec<String> = plan
        .steps
        .iter()
        .flat_map(|step| &step.resources)
        .map(ToString::to_string)
        .collect();
    for part in [
        "fargate profile fp-a",
        "fargate profile fp-b",
        "stack eksctl-new-1-nodegroup-ng-1",
        "stack eksctl-new-1-nodegroup-ng-2",
        "stack eksctl-new-1-cluster",
        "cluster new-1",
    ] {
        assert!(all.iter().any(|one| one == part), "{part}: {all:?}");
    }
    let stacks = plan.steps.iter().flat_map(|step| &step.resources);
    let mut stacks = stacks.filter(|one| one.kind == "stack");
    assert!(stacks.all(|stack| stack.protected == Some(true)));
    assert_eq!(plan.obstacles, []);
    assert_eq!(fleet.begun().len(), changes);
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

/// Whatever can be asked without a change is asked before the first one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_missing_right_is_found_before_anything_is_deleted() {
    let fleet = Fleet::new().await;
    fleet.have_cluster(&full(NEW)).await;
    for action in [
        "DescribeCluster",
        "DescribeStacks",
        "ListStacks",
        "ListFargateProfiles",
        "ListNodegroups",
        "GetOpenIDConnectProvider",
        "DescribeStackResources",
        "ListImports",
        "DescribeLoadBalancers",
        "DescribeSecurityGroups",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "UpdateTerminationProtection",
    ] {
        fleet.sim.add_faults(vec![Fault {
            times: Some(20),
            ..denied(action)
        }]);
        let message = fleet.refused(NEW, ASKED, "aws_access_denied").await;
        assert!(message.contains("not authorized"), "{action}: {message}");
        fleet.sim.clear_faults();
    }
    fleet.end().await;
}

fn denied(action: &str) -> Fault {
    Fault {
        status: Some(403),
        code: Some("AccessDeniedException".to_owned()),
        message: Some("User: fleet is not authorized to perform this".to_owned()),
        ..fault(action)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stacks_that_use_what_the_clusters_stack_exports_are_named_before_anything_is_deleted() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    fleet.have_cluster(&fargate(NEW)).await;
    let stacks = fleet.caller(Access::CreateCluster, NEW).await;
    let stacks = stacks.cloudformation();
    // Named like one of the cluster's, but not tagged as such.
    let new = NewStack {
        name: "eksctl-new-1-theirs".to_owned(),
        template: json!({"Resources": {"Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {
                "GroupDescription": "theirs",
                "VpcId": {"Fn::ImportValue": "eksctl-new-1-cluster::VPC"},
            },
        }}})
        .to_string(),
        tags: BTreeMap::new(),
        makes_roles: false,
        client_request_token: "theirs".to_owned(),
    };
    let theirs = stacks.create_stack(new).await.unwrap();
    fleet.sim.advance(Duration::from_mins(10));
    let message = fleet.refused(NEW, ASKED, "conflict").await;
    let part = "stack eksctl-new-1-theirs (imports eksctl-new-1-cluster::VPC)";
    assert!(message.contains(part), "{message}");

    stacks.protect_stack(&theirs, false).await.unwrap();
    stacks.delete_stack(&theirs, "gone").await.unwrap();
    fleet.sim.advance(Duration::from_mins(10));
    let job = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stack_that_is_protected_again_and_again_is_named() {
    let fleet = Fleet::new().await;
    fleet.have_cluster(&fargate(NEW)).await;
    fleet.sim.add_faults(vec![Fault {
        status: Some(400),
        code: Some("ValidationError".to_owned()),
        message: Some(
            "Stack [eksctl-new-1-cluster] cannot be deleted while TerminationProtection is enabled"
                .to_owned(),
        ),
        times: Some(20),
        ..fault("DeleteStack")
    }]);
    let job = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_failed(job, "protected").await;
    let message = fleet.queue.column(job, "message").await;
    assert!(message.contains("stack eksctl-new-1-cluster"), "{message}");
    fleet.sim.clear_faults();
    let again = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(again, "succeeded").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stack_that_is_being_updated_is_waited_for_before_anything_is_deleted() {
    let fleet = Fleet::new().await;
    fleet.have_cluster(&fargate(NEW)).await;
    let updating = || Fault {
        set_status: Some("UPDATE_IN_PROGRESS".to_owned()),
        times: Some(2),
        ..fault("DescribeStacks")
    };
    fleet.sim.add_faults(vec![updating()]);
    let plan = fleet.deletion_plan(NEW, ASKED).await;
    assert_eq!(plan.warnings[0].code, "stack_busy");
    fleet.sim.clear_faults();
    fleet.sim.add_faults(vec![updating()]);
    let job = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_left_of_a_failed_creation_is_protected_and_cleared() {
    let fleet = Fleet::new().await;
    fleet.sim.add_faults(vec![broken("ControlPlane", "no")]);
    let first = fleet.create_cluster(&fargate(NEW)).await;
    fleet.run().await;
    fleet.assert_state(first, "failed").await;
    fleet.have_cluster(&fargate(NEW)).await;
    let begun = fleet.begun();
    let lifted = "UpdateTerminationProtection eksctl-new-1-cluster";
    assert!(begun.iter().any(|call| call == lifted), "{begun:?}");
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_role_stack_of_an_unowned_cluster_goes_with_it() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    let input = roleless_input("fp-new", "new");
    let kind = "create_fargate_profile";
    let create = fleet.submit(kind, Some("fp-new"), input).await;
    fleet.run().await;
    fleet.assert_state(create, "succeeded").await;
    let plan = fleet.deletion_plan(CLUSTER, UNOWNED).await;
    assert_eq!(
        names(&plan),
        ["fargate_profiles", "fargate_role", "cluster"]
    );
    assert_eq!(plan.steps[1].resources[0].id, ROLE_STACK);
    let job = fleet.delete_cluster(CLUSTER, true).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let place = format!("{ACCOUNT}/{REGION}/cluster/{CLUSTER}");
    let left: Vec<String> = before.into_iter().filter(|line| line != &place).collect();
    assert_eq!(fleet.sim.inventory(), left);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_unowned_cluster_that_eks_protects_is_refused_too() {
    let fleet = Fleet::new().await;
    fleet.put("fp-there", "there", "ACTIVE");
    fleet.protect(CLUSTER);
    fleet.refused(CLUSTER, UNOWNED, "protected").await;
    // All that is wrong is said at once.
    let message = fleet.refused(CLUSTER, ASKED, "conflict").await;
    assert!(message.contains("unowned=true"), "{message}");
    assert!(message.contains("liftProtection=true"), "{message}");
    let input = DeleteClusterInput {
        unowned: true,
        lift_protection: true,
    };
    let job = fleet.delete_cluster_as(CLUSTER, input).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    fleet.end().await;
}
