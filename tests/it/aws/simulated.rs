//! The clients against the simulated AWS, which holds every session to its policy: what each kind
//! of job needs is allowed to it, and no more.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use fargate_fleet::aws::cloudformation::{NewStack, Stack, StackChange};
use fargate_fleet::aws::clusters::{AddonInput, ResolveConflicts};
use fargate_fleet::aws::{Access, Aws, AwsOptions, Caller, Class, CloudFormation, SessionKey};
use fargate_fleet::clock::Clock;
use fargate_fleet::rng::Rng;
use fargate_fleet::sim::{Fault, SimOptions, Simulator};
use serde_json::{Value, json};

use super::support::{ACCOUNT, CLUSTER, REGION};

const SPEED: f64 = 1_000.0;
const STACK: &str = "eksctl-prod-1-fargate";
/// A cluster that is not there yet.
const NEW: &str = "new-1";

struct Sim {
    simulator: Simulator,
    aws: Aws,
}

impl Sim {
    async fn new() -> Self {
        let simulator = Simulator::start(SimOptions {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            speed: SPEED,
            reads_per_second: 100_000,
            mutations_per_second: 100_000,
            ..SimOptions::default()
        });
        let simulator = simulator.await.expect("the simulator");
        simulator.control().add_cluster(ACCOUNT, REGION, CLUSTER);
        let options = AwsOptions {
            endpoint_url: Some(simulator.endpoint()),
            static_credentials: Some(("test".to_owned(), "test".to_owned())),
            time_scale: SPEED,
            ..AwsOptions::default()
        };
        let aws = Aws::new(options, Clock::system(), Rng::seeded(7)).await;
        Self { simulator, aws }
    }

    /// One step of a job of this kind.
    fn caller(&self, access: Access) -> Caller {
        self.caller_for(access, if access.is_read() { "*" } else { CLUSTER })
    }

    fn caller_for(&self, access: Access, cluster: &str) -> Caller {
        self.aws.caller(SessionKey {
            account_id: ACCOUNT.to_owned(),
            role_arn: format!("arn:aws:iam::{ACCOUNT}:role/fargate-fleet"),
            external_id: "fleet-external-id".to_owned(),
            region: REGION.to_owned(),
            partition: "aws",
            cluster: cluster.to_owned(),
            access,
            roles: Vec::new(),
            session_name: "job-1".to_owned(),
            source_identity: "tester".to_owned(),
        })
    }
}

fn role_stack(token: &str) -> NewStack {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": ["eks-fargate-pods.amazonaws.com"] },
            "Action": ["sts:AssumeRole"],
        }],
    });
    let role = json!({
        "Type": "AWS::IAM::Role",
        "Properties": { "AssumeRolePolicyDocument": trust },
    });
    let arn = json!({ "Fn::GetAtt": ["FargatePodExecutionRole", "Arn"] });
    let template = json!({
        "Resources": { "FargatePodExecutionRole": role },
        "Outputs": { "FargatePodExecutionRoleARN": { "Value": arn } },
    });
    NewStack {
        name: STACK.to_owned(),
        template: template.to_string(),
        tags: [(
            "alpha.eksctl.io/cluster-name".to_owned(),
            CLUSTER.to_owned(),
        )]
        .into(),
        makes_roles: true,
        client_request_token: token.to_owned(),
    }
}

/// Waits, for a bounded time, until CloudFormation has ended what it is at.
async fn settled(stacks: &CloudFormation, id: &str) -> Option<Stack> {
    let wait = async {
        loop {
            let stack = stacks.stack(id).await.unwrap();
            let busy = |stack: &Stack| stack.status.ends_with("_IN_PROGRESS");
            if !stack.as_ref().is_some_and(busy) {
                return stack;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
    waited.expect("the stack settles")
}

#[tokio::test]
async fn a_role_stack_is_made_by_one_kind_of_job_and_deleted_by_another() {
    let sim = Sim::new().await;
    let stacks = sim.caller(Access::CreateProfile).cloudformation();
    let id = stacks.create_stack(role_stack("job-1")).await.unwrap();
    let made = settled(&stacks, &id).await.unwrap();
    assert_eq!(made.status, "CREATE_COMPLETE", "{made:?}");
    let role = &made.outputs["FargatePodExecutionRoleARN"];
    assert!(role.contains(":role/eksctl-prod-1-"), "{role}");
    assert_eq!(made.tags["alpha.eksctl.io/cluster-name"], CLUSTER);

    let again = stacks.create_stack(role_stack("job-2")).await.unwrap_err();
    assert_eq!(again.class, Class::AlreadyExists, "{again}");

    let deleting = sim.caller(Access::DeleteProfile).cloudformation();
    let denied = deleting.create_stack(role_stack("job-3")).await;
    assert_eq!(denied.unwrap_err().class, Class::AccessDenied);
    assert!(made.protected);
    let kept = deleting.delete_stack(STACK, "job-3").await;
    assert_eq!(kept.unwrap_err().class, Class::Protected);
    deleting.protect_stack(STACK, false).await.unwrap();
    deleting.delete_stack(STACK, "job-3").await.unwrap();
    assert_eq!(settled(&deleting, &id).await, None);
    assert_eq!(deleting.stack(STACK).await.unwrap(), None);
    sim.simulator.stop().await;
}

#[tokio::test]
async fn a_failed_stack_says_what_failed_and_why() {
    let sim = Sim::new().await;
    sim.simulator.control().add_faults(vec![Fault {
        action: "CreateResource".to_owned(),
        resource: Some("FargatePodExecutionRole".to_owned()),
        message: Some("out of luck".to_owned()),
        ..Fault::default()
    }]);
    let stacks = sim.caller(Access::CreateProfile).cloudformation();
    let id = stacks.create_stack(role_stack("job-1")).await.unwrap();
    let failed = settled(&stacks, &id).await.unwrap();
    assert_eq!(failed.status, "ROLLBACK_COMPLETE");
    let resources = stacks.failed_resources(&id, StackChange::Create).await;
    let resources = resources.unwrap();
    assert_eq!(resources.len(), 1);
    assert_eq!(resources[0].logical_id, "FargatePodExecutionRole");
    assert_eq!(resources[0].resource_type, "AWS::IAM::Role");
    assert!(resources[0].reason.contains("out of luck"), "{resources:?}");
    sim.simulator.stop().await;
}

/// A bit of everything that the stacks of clusters are made of.
fn cluster_stack() -> NewStack {
    let get = |resource: &str, what: &str| json!({ "Fn::GetAtt": [resource, what] });
    let of = |kind: &str, properties: Value| json!({ "Type": kind, "Properties": properties });
    let (vpc, table, group) = (
        json!({ "Ref": "VPC" }),
        json!({ "Ref": "RouteTable" }),
        json!({ "Ref": "Group" }),
    );
    let subnet = |zone: &str, cidr: &str| {
        let place = json!({ "VpcId": vpc, "AvailabilityZone": zone, "CidrBlock": cidr });
        of("AWS::EC2::Subnet", place)
    };
    let role = |service: &str| {
        let trust = json!({ "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": service },
            "Action": "sts:AssumeRole",
        }] });
        of(
            "AWS::IAM::Role",
            json!({ "AssumeRolePolicyDocument": trust }),
        )
    };
    let subnets = json!([{ "Ref": "One" }, { "Ref": "Two" }]);
    let template = json!({ "Resources": {
        "VPC": of("AWS::EC2::VPC", json!({ "CidrBlock": "192.168.0.0/16" })),
        "Gateway": of("AWS::EC2::InternetGateway", json!({})),
        "Attachment": of("AWS::EC2::VPCGatewayAttachment", json!({ "VpcId": vpc, "InternetGatewayId": { "Ref": "Gateway" } })),
        "One": subnet("eu-central-1a", "192.168.0.0/19"),
        "Two": subnet("eu-central-1b", "192.168.32.0/19"),
        "Address": of("AWS::EC2::EIP", json!({ "Domain": "vpc" })),
        "Nat": of("AWS::EC2::NatGateway", json!({ "AllocationId": get("Address", "AllocationId"), "SubnetId": { "Ref": "One" } })),
        "RouteTable": of("AWS::EC2::RouteTable", json!({ "VpcId": vpc })),
        "Route": of("AWS::EC2::Route", json!({ "RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": { "Ref": "Nat" } })),
        "Association": of("AWS::EC2::SubnetRouteTableAssociation", json!({ "RouteTableId": table, "SubnetId": { "Ref": "Two" } })),
        "Group": of("AWS::EC2::SecurityGroup", json!({ "VpcId": vpc, "GroupDescription": "nodes" })),
        "Ingress": of("AWS::EC2::SecurityGroupIngress", json!({ "GroupId": group, "IpProtocol": "-1", "CidrIp": "192.168.0.0/16" })),
        "ServiceRole": role("eks.amazonaws.com"),
        "NodeRole": role("ec2.amazonaws.com"),
        "ControlPlane": of("AWS::EKS::Cluster", json!({ "Name": NEW, "RoleArn": get("ServiceRole", "Arn"), "ResourcesVpcConfig": { "SubnetIds": subnets } })),
        "NodeProfile": of("AWS::IAM::InstanceProfile", json!({ "Roles": [{ "Ref": "NodeRole" }] })),
        "Launch": of("AWS::EC2::LaunchTemplate", json!({ "LaunchTemplateData": { "ImageId": "ami-1" } })),
        "Nodes": of("AWS::AutoScaling::AutoScalingGroup", json!({ "MinSize": "1", "MaxSize": "2", "VPCZoneIdentifier": subnets, "LaunchTemplate": { "LaunchTemplateId": { "Ref": "Launch" }, "Version": get("Launch", "LatestVersionNumber") } })),
    }});
    NewStack {
        name: format!("eksctl-{NEW}-cluster"),
        template: template.to_string(),
        ..role_stack("job-1")
    }
}

#[tokio::test]
async fn the_policies_of_clusters_let_cloudformation_make_and_delete_all_of_them() {
    let sim = Sim::new().await;
    let stacks = sim.caller_for(Access::CreateCluster, NEW).cloudformation();
    let id = stacks.create_stack(cluster_stack()).await.unwrap();
    let made = settled(&stacks, &id).await.unwrap();
    let failed = stacks.failed_resources(&id, StackChange::Create).await;
    assert_eq!(failed.unwrap(), []);
    assert_eq!(made.status, "CREATE_COMPLETE");
    let deleting = sim.caller_for(Access::DeleteCluster, NEW);
    assert!(deleting.clusters().cluster(NEW).await.unwrap().is_some());

    let stacks = deleting.cloudformation();
    stacks.protect_stack(&id, false).await.unwrap();
    stacks.delete_stack(&id, "job-2").await.unwrap();
    let left = settled(&stacks, &id).await;
    let failed = stacks.failed_resources(&id, StackChange::Delete).await;
    assert_eq!((left, failed.unwrap()), (None, vec![]));
    assert_eq!(deleting.clusters().cluster(NEW).await.unwrap(), None);
    sim.simulator.stop().await;
}

#[tokio::test]
async fn the_region_is_listed_by_reads_of_clusters() {
    let sim = Sim::new().await;
    let caller = sim.caller(Access::ReadClusters);
    let clusters = caller.clusters();
    let names = clusters.cluster_names().await.unwrap();
    assert!(names.iter().any(|name| name == CLUSTER), "{names:?}");
    let found = clusters.cluster(CLUSTER).await.unwrap().unwrap();
    assert_eq!(found.status.as_deref(), Some("ACTIVE"));
    assert_eq!(clusters.cluster("no-such").await.unwrap(), None);
    clusters.addon_names(CLUSTER).await.unwrap();
    assert_eq!(clusters.nodegroup_names(CLUSTER).await.unwrap().len(), 0);
    assert_eq!(clusters.nodegroup(CLUSTER, "ng-1").await.unwrap(), None);
    assert_eq!(
        caller.cloudformation().stacks_of(CLUSTER).await.unwrap(),
        []
    );
    let denied = clusters.delete_cluster(CLUSTER).await.unwrap_err();
    assert_eq!(denied.class, Class::AccessDenied);
    sim.simulator.stop().await;
}

fn addon(name: &str, values: Option<&str>, token: &str) -> AddonInput {
    AddonInput {
        name: name.to_owned(),
        version: None,
        configuration_values: values.map(str::to_owned),
        service_account_role_arn: None,
        pod_identities: Vec::new(),
        namespace: None,
        resolve_conflicts: Some(ResolveConflicts::Overwrite),
        tags: [].into(),
        client_request_token: token.to_owned(),
    }
}

#[tokio::test]
async fn an_addon_is_made_for_a_cluster_and_coredns_changed_for_a_profile() {
    const METRICS: &str = "metrics-server";
    let sim = Sim::new().await;
    let creating = sim.caller(Access::CreateCluster).clusters();
    assert_eq!(creating.addon(CLUSTER, METRICS).await.unwrap(), None);
    let made = creating.create_addon(CLUSTER, addon(METRICS, None, "1"));
    made.await.unwrap();
    let again = creating.create_addon(CLUSTER, addon(METRICS, None, "2"));
    assert_eq!(again.await.unwrap_err().class, Class::AlreadyExists);
    let names = creating.addon_names(CLUSTER).await.unwrap();
    assert!(names.iter().any(|name| name == METRICS), "{names:?}");

    let changing = sim.caller(Access::CreateProfile).clusters();
    let values = r#"{"computeType":"Fargate"}"#;
    let change = changing.update_addon(CLUSTER, addon("coredns", Some(values), "3"));
    change.await.unwrap();
    let changed = changing.addon(CLUSTER, "coredns").await.unwrap().unwrap();
    assert_eq!(changed.configuration_values.as_deref(), Some(values));
    let other = changing.update_addon(CLUSTER, addon(METRICS, None, "4"));
    assert_eq!(other.await.unwrap_err().class, Class::AccessDenied);
    sim.simulator.stop().await;
}

#[tokio::test]
async fn zones_and_identity_providers_are_for_the_makers_of_clusters() {
    let sim = Sim::new().await;
    let creating = sim.caller(Access::CreateCluster);
    let zones = creating.ec2().availability_zones().await.unwrap();
    assert!(zones.len() >= 2, "{zones:?}");
    assert!(
        zones
            .iter()
            .all(|zone| zone.name.starts_with(REGION) && !zone.zone_id.is_empty())
    );
    let issuer = format!("https://oidc.eks.{REGION}.amazonaws.com/id/ABC");
    let iam = creating.iam();
    let tags = [("team".to_owned(), "platform".to_owned())].into();
    let arn = iam.create_oidc_provider(&issuer, &tags).await.unwrap();
    assert_eq!(arn, iam.oidc_provider_arn(&issuer));
    let again = iam.create_oidc_provider(&issuer, &tags).await.unwrap_err();
    assert_eq!(again.class, Class::AlreadyExists, "{again}");

    let denied = sim.caller(Access::CreateProfile).iam();
    let denied = denied.delete_oidc_provider(&arn).await.unwrap_err();
    assert_eq!(denied.class, Class::AccessDenied);
    let deleting = sim.caller(Access::DeleteCluster).iam();
    assert!(deleting.has_oidc_provider(&arn).await.unwrap());
    deleting.delete_oidc_provider(&arn).await.unwrap();
    assert!(!deleting.has_oidc_provider(&arn).await.unwrap());
    sim.simulator.stop().await;
}
