//! EKS capabilities, how long logs are kept, and nodes in local zones: made as eksctl makes them.

use fargate_fleet::domain::cluster::ClusterSpec;
use fargate_fleet::domain::job_input::DeleteClusterInput;
use fargate_fleet::sim::{Fault, RoleSpec};
use serde_json::{Value, json};

use super::support::{NEW, broken, spec};
use crate::ops::support::{ACCOUNT, Fleet, REGION, fault};

const ADMIN: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";

/// A capability of each type, with roles that are made, and logs that are kept for a month.
pub fn with_capabilities(name: &str) -> ClusterSpec {
    spec(&config(name), false)
}

fn config(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "region": REGION, "tags": {"team": "blue"}},
        "addonsConfig": {"disableDefaultAddons": true},
        "cloudWatch": {"clusterLogging": {"enableTypes": ["audit"], "logRetentionInDays": 30}},
        "capabilities": [
            {
                "name": "ack",
                "type": "ACK",
                "attachPolicyARNs": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
                "accessPolicies": [{"policyARN": ADMIN, "accessScope": {"type": "cluster"}}],
                "tags": {"part": "ack"},
            },
            {"name": "kro", "type": "KRO"},
            {"name": "argo", "type": "ARGOCD", "configuration": {"argocd": {
                "awsIdc": {"idcInstanceArn": "arn:aws:sso:::instance/ssoins-1234567890abcdef"},
                "rbacRoleMappings": [
                    {"role": "ADMIN", "identities": [{"id": "38414300-1041", "type": "SSO_USER"}]}
                ],
            }}},
        ],
    })
}

/// The names of stacks of capabilities, without what stands before.
fn hashed(stack: &str) -> Option<&str> {
    let (_, rest) = stack.split_once(" eksctl-new-1-capability-")?;
    Some(rest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn capabilities_come_up_with_their_roles_and_go_before_the_cluster() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    let job = fleet.create_cluster(&with_capabilities(NEW)).await;
    fleet.run().await;
    fleet.assert_state(job, "succeeded").await;
    let begun = fleet.begun();
    let stacks: Vec<&str> = begun.iter().filter_map(|call| hashed(call)).collect();
    let (roles, own) = stacks.split_at(3);
    for (role, own) in roles.iter().zip(own) {
        assert_eq!(*role, format!("role-{own}"), "{begun:?}");
    }
    assert_eq!(begun.len(), 1 + 6 + 1, "{begun:?}");
    assert_eq!(begun[7].split(' ').next(), Some("AssociateAccessPolicy"));

    let logs = format!("{ACCOUNT}/{REGION}/log-group/aws/eks/{NEW}/cluster 30 days");
    check_what_is_there(&fleet, &logs);
    check_plan_of_deletion(&fleet).await;
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
    let mut gone = fleet.begun().split_off(begun.len());
    gone.retain(|call| call.starts_with("DeleteStack"));
    let gone: Vec<&str> = gone.iter().filter_map(|call| hashed(call)).collect();
    let roles = gone.iter().map(|stack| stack.starts_with("role-"));
    let in_order = [false, false, false, true, true, true];
    assert!(roles.eq(in_order), "{gone:?}");
    let mut left = fleet.sim.inventory();
    // CloudWatch keeps the logs.
    left.retain(|line| *line != logs);
    assert_eq!(left, before);
    fleet.end().await;
}

fn check_what_is_there(fleet: &Fleet, logs: &String) {
    let parts = fleet.sim.inventory();
    for name in ["ack", "kro", "argo"] {
        let part = format!("{ACCOUNT}/{REGION}/capability/{NEW}/{name}");
        assert!(parts.contains(&part), "{parts:#?}");
    }
    assert!(parts.contains(logs), "{parts:#?}");
    let ack = fleet.capability("ack");
    assert_eq!(
        (&ack["status"], &ack["type"]),
        (&json!("ACTIVE"), &json!("ACK"))
    );
    assert_eq!(
        (&ack["tags"]["part"], &ack["tags"]["team"]),
        (&json!("ack"), &json!("blue"))
    );
    let role = ack["roleArn"].as_str().unwrap();
    let policies = fleet.sim.access_policies(ACCOUNT, REGION, NEW, role);
    assert_eq!(
        policies,
        ["AmazonEKSACKPolicy", "AmazonEKSClusterAdminPolicy"]
    );
    let argo = fleet.capability("argo");
    assert_eq!(
        argo["configuration"]["argoCd"]["rbacRoleMappings"][0]["role"],
        "ADMIN"
    );
}

async fn check_plan_of_deletion(fleet: &Fleet) {
    let plan = fleet
        .deletion_plan(NEW, DeleteClusterInput::default())
        .await;
    let of = |name: &str| {
        let step = plan.steps.iter().find(|step| step.name == name);
        step.map_or(0, |step| step.resources.len())
    };
    assert_eq!(
        (
            of("capability_stacks"),
            of("capabilities"),
            of("role_stacks")
        ),
        (3, 0, 3)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_capability_that_no_stack_holds_goes_too() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    let config = json!({
        "metadata": {"name": NEW, "region": REGION},
        "addonsConfig": {"disableDefaultAddons": true},
    });
    fleet.have_cluster(&spec(&config, false)).await;
    let made = fleet.begun().len();
    fleet.sim.put_capability(ACCOUNT, REGION, NEW, "by-hand");
    let plan = fleet
        .deletion_plan(NEW, DeleteClusterInput::default())
        .await;
    assert_eq!(plan.steps[0].name, "capabilities");
    assert_eq!(plan.steps[0].resources[0].id, "by-hand");
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
    assert_eq!(fleet.begun()[made], "DeleteCapability by-hand");
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_given_role_is_used_and_one_that_does_not_trust_capabilities_fails_the_job() {
    let fleet = Fleet::new().await;
    let role = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let given = RoleSpec {
        services: vec!["capabilities.eks.amazonaws.com".to_owned()],
        ..RoleSpec::default()
    };
    fleet.sim.put_role(ACCOUNT, "kro", given);
    let with = |name: &str| {
        spec(
            &json!({
                "metadata": {"name": NEW, "region": REGION},
                "addonsConfig": {"disableDefaultAddons": true},
                "capabilities": [{"name": "kro", "type": "KRO", "roleArn": role(name)}],
            }),
            false,
        )
    };
    let job = fleet.create_cluster(&with("fargate-pod-execution")).await;
    fleet.run().await;
    fleet.assert_failed(job, "not_stabilized").await;
    let message = fleet.queue.column(job, "error->>'message'").await;
    for words in ["could not be assumed", "retry the job to go on from there"] {
        assert!(message.contains(words), "{message}");
    }
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
    fleet.have_cluster(&with("kro")).await;
    assert_eq!(fleet.capability("kro")["roleArn"], role("kro"));
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_capability_that_fails_is_told_and_a_retry_goes_on() {
    let fleet = Fleet::new().await;
    fleet
        .sim
        .add_faults(vec![broken("Capability", "no more capabilities")]);
    let job = fleet.create_cluster(&with_capabilities(NEW)).await;
    fleet.run().await;
    fleet.assert_failed(job, "not_stabilized").await;
    let message = fleet.queue.column(job, "error->>'message'").await;
    let stack = format!("eksctl-{NEW}-capability-");
    for words in ["no more capabilities", stack.as_str()] {
        assert!(message.contains(words), "{message}");
    }
    fleet.have_cluster(&with_capabilities(NEW)).await;
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_group_that_is_not_there_yet_is_waited_for() {
    let fleet = Fleet::new().await;
    let mut config = config(NEW);
    config["capabilities"] = json!([]);
    let absent = Fault {
        service: Some("logs".to_owned()),
        code: Some("ResourceNotFoundException".to_owned()),
        message: Some("The specified log group does not exist.".to_owned()),
        times: Some(2),
        ..fault("PutRetentionPolicy")
    };
    fleet.sim.add_faults(vec![absent]);
    fleet.have_cluster(&spec(&config, false)).await;
    assert_eq!(fleet.calls("PutRetentionPolicy", Some(400)), 2);
    assert_eq!(fleet.calls("PutRetentionPolicy", Some(200)), 1);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_of_a_nodegroup_are_in_its_local_zones() {
    let fleet = Fleet::new().await;
    let before = fleet.sim.inventory();
    let zones = [format!("{REGION}-ham-1a"), format!("{REGION}-waw-1a")];
    let config = json!({
        "metadata": {"name": NEW, "region": REGION},
        "localZones": zones,
        "nodeGroups": [
            {"name": "local", "localZones": [zones[1]]},
            {"name": "private", "localZones": zones, "privateNetworking": true},
        ],
    });
    fleet.have_cluster(&spec(&config, false)).await;
    for (nodegroup, expected) in [("local", &zones[1..]), ("private", &zones[..])] {
        let stack = format!("eksctl-{NEW}-nodegroup-{nodegroup}");
        let found = fleet
            .sim
            .zones_of_group(ACCOUNT, REGION, &stack, "NodeGroup");
        assert_eq!(found, expected, "{nodegroup}");
    }
    let deleted = fleet.delete_cluster(NEW, false).await;
    fleet.run().await;
    fleet.assert_state(deleted, "succeeded").await;
    assert_eq!(fleet.sim.inventory(), before);
    fleet.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_instance_type_that_a_local_zone_has_not_is_refused_before_anything_is_made() {
    let fleet = Fleet::new().await;
    let zone = format!("{REGION}-ham-1a");
    let config = json!({
        "metadata": {"name": NEW, "region": REGION},
        "localZones": [zone],
        "nodeGroups": [{"name": "local", "localZones": [zone], "instanceType": "p4d.24xlarge"}],
    });
    let job = fleet.create_cluster(&spec(&config, false)).await;
    fleet.run().await;
    fleet.assert_failed(job, "invalid_parameter").await;
    let message = fleet.queue.column(job, "error->>'message'").await;
    assert!(message.contains(&zone), "{message}");
    assert_eq!(fleet.begun(), Vec::<String>::new());
    fleet.end().await;
}

impl Fleet {
    /// A capability of the new cluster as EKS describes it.
    fn capability(&self, name: &str) -> Value {
        self.sim.capability(ACCOUNT, REGION, NEW, name).unwrap()
    }
}
