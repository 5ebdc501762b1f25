//! Stacks, zones, identity providers and clusters at moto.

use std::collections::BTreeMap;

use aws_sdk_eks::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_eks::types::VpcConfigRequest;
use fargate_fleet::aws::cloudformation::{NewStack, StackChange};
use fargate_fleet::aws::{Access, Aws, AwsOptions, Caller, Class, SessionKey};
use fargate_fleet::clock::Clock;
use fargate_fleet::rng::Rng;
use serde_json::json;

use super::Double;

/// moto's own, to which unknown credentials belong.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-central-1";
const CLUSTER: &str = "prod-1";

struct Moto {
    double: Double,
}

impl Moto {
    fn new() -> Self {
        let double = Double::start("serve_moto.py", &[]);
        Self { double }
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.double.port)
    }

    /// One step of a job, as the account's role.
    async fn caller(&self, access: Access) -> Caller {
        let options = AwsOptions {
            endpoint_url: Some(self.endpoint()),
            static_credentials: Some(("test".to_owned(), "test".to_owned())),
            time_scale: 1_000.0,
            ..AwsOptions::default()
        };
        let aws = Aws::new(options, Clock::system(), Rng::seeded(7)).await;
        aws.caller(SessionKey {
            account_id: ACCOUNT.to_owned(),
            role_arn: format!("arn:aws:iam::{ACCOUNT}:role/fleet"),
            external_id: "external".to_owned(),
            region: REGION.to_owned(),
            partition: "aws",
            cluster: CLUSTER.to_owned(),
            access,
            roles: Vec::new(),
            session_name: "job-1".to_owned(),
            source_identity: "tester".to_owned(),
        })
    }

    /// The SDK itself, for what no step of ours calls.
    fn eks(&self) -> aws_sdk_eks::Client {
        let config = aws_sdk_eks::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(self.endpoint())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .build();
        aws_sdk_eks::Client::from_conf(config)
    }
}

fn stack(name: &str) -> NewStack {
    let network =
        json!({ "Type": "AWS::EC2::VPC", "Properties": { "CidrBlock": "192.168.0.0/16" } });
    let subnet = json!({
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "CidrBlock": "192.168.0.0/19",
            "VpcId": { "Ref": "VPC" },
            "AvailabilityZone": "eu-central-1a",
        },
    });
    let role = json!({
        "Type": "AWS::IAM::Role",
        "Properties": { "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [] } },
    });
    let template = json!({
        "Resources": { "VPC": network, "SubnetPublicEUCENTRAL1A": subnet, "ServiceRole": role },
        "Outputs": {
            "VPC": { "Value": { "Ref": "VPC" } },
            "SubnetsPublic": { "Value": { "Ref": "SubnetPublicEUCENTRAL1A" } },
        },
    });
    NewStack {
        name: name.to_owned(),
        template: template.to_string(),
        tags: BTreeMap::from([("team".to_owned(), "platform & more".to_owned())]),
        makes_roles: true,
        client_request_token: "job-1-cluster".to_owned(),
    }
}

#[tokio::test]
async fn a_stack_is_made_found_listed_and_deleted() {
    let moto = Moto::new();
    let stacks = moto.caller(Access::CreateCluster).await.cloudformation();
    let name = "eksctl-prod-1-cluster";
    assert_eq!(stacks.stack(name).await.unwrap(), None);
    let id = stacks.create_stack(stack(name)).await.unwrap();
    stacks
        .create_stack(stack("eksctl-prod-10-cluster"))
        .await
        .unwrap();

    let made = stacks.stack(name).await.unwrap().unwrap();
    assert_eq!((&made.id, made.name.as_str()), (&id, name));
    assert_eq!(made.status, "CREATE_COMPLETE");
    assert!(
        made.outputs["VPC"].starts_with("vpc-"),
        "{:?}",
        made.outputs
    );
    assert_eq!(made.tags["team"], "platform & more");
    assert!(made.created_at.is_some());

    let again = stacks.create_stack(stack(name)).await.unwrap_err();
    assert_eq!(again.class, Class::AlreadyExists, "{again}");
    let failed = stacks.failed_resources(&id, StackChange::Create).await;
    assert_eq!(failed.unwrap(), []);

    let listed = stacks.stacks_of(CLUSTER).await.unwrap();
    let names: Vec<&str> = listed.iter().map(|stack| stack.name.as_str()).collect();
    assert_eq!(names, [name]);
    stacks.delete_stack(&id, "job-2").await.unwrap();
    assert_eq!(stacks.stack(name).await.unwrap(), None);
    assert_eq!(stacks.stacks_of(CLUSTER).await.unwrap(), []);
}

#[tokio::test]
async fn zones_and_subnets_are_read() {
    let moto = Moto::new();
    let caller = moto.caller(Access::CreateCluster).await;
    let zones = caller.ec2().availability_zones().await.unwrap();
    let pairs: Vec<(&str, &str)> = zones
        .iter()
        .map(|zone| (zone.name.as_str(), zone.zone_id.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("eu-central-1a", "euc1-az1"),
            ("eu-central-1b", "euc1-az2"),
            ("eu-central-1c", "euc1-az3"),
        ]
    );

    let stacks = caller.cloudformation();
    stacks
        .create_stack(stack("eksctl-prod-1-cluster"))
        .await
        .unwrap();
    let made = stacks
        .stack("eksctl-prod-1-cluster")
        .await
        .unwrap()
        .unwrap();
    let id = made.outputs["SubnetsPublic"].clone();
    let subnets = caller
        .ec2()
        .subnets(std::slice::from_ref(&id))
        .await
        .unwrap();
    assert_eq!(subnets.len(), 1);
    let subnet = &subnets[0];
    assert_eq!((&subnet.id, &subnet.vpc_id), (&id, &made.outputs["VPC"]));
    assert_eq!(subnet.zone, "eu-central-1a");
    assert_eq!(subnet.zone_id.as_deref(), Some("euc1-az1"));
    assert_eq!(subnet.cidr.as_deref(), Some("192.168.0.0/19"));
    assert_eq!(subnet.maps_public_ip, Some(false));

    assert_eq!(caller.ec2().subnets(&[]).await.unwrap(), []);
    let missing = caller.ec2().subnets(&["subnet-1".to_owned()]).await;
    let missing = missing.unwrap_err();
    assert_eq!(missing.class, Class::NotFound, "{missing}");
}

#[tokio::test]
async fn an_identity_provider_is_made_once_and_deleted() {
    let moto = Moto::new();
    let iam = moto.caller(Access::CreateCluster).await.iam();
    let issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/ABC";
    let arn = iam.oidc_provider_arn(issuer);
    assert!(!iam.has_oidc_provider(&arn).await.unwrap());
    let tags = BTreeMap::from([("team".to_owned(), "platform & more".to_owned())]);
    let made = iam.create_oidc_provider(issuer, &tags).await.unwrap();
    assert_eq!(made, arn);
    assert!(iam.has_oidc_provider(&arn).await.unwrap());
    let again = iam.create_oidc_provider(issuer, &tags).await.unwrap_err();
    assert_eq!(again.class, Class::AlreadyExists, "{again}");
    iam.delete_oidc_provider(&arn).await.unwrap();
    assert!(!iam.has_oidc_provider(&arn).await.unwrap());
    iam.delete_oidc_provider(&arn).await.unwrap();
}

#[tokio::test]
async fn clusters_and_nodegroups_are_read_and_deleted() {
    let moto = Moto::new();
    let (eks, role) = (moto.eks(), format!("arn:aws:iam::{ACCOUNT}:role/x"));
    for name in [CLUSTER, "prod-2"] {
        eks.create_cluster()
            .name(name)
            .role_arn(&role)
            .resources_vpc_config(VpcConfigRequest::builder().subnet_ids("subnet-1").build())
            .tags("team", "platform")
            .send()
            .await
            .unwrap();
    }
    eks.create_nodegroup()
        .cluster_name(CLUSTER)
        .nodegroup_name("ng-1")
        .node_role(&role)
        .subnets("subnet-1")
        .send()
        .await
        .unwrap();

    let clusters = moto.caller(Access::DeleteCluster).await.clusters();
    assert_eq!(clusters.cluster_names().await.unwrap(), [CLUSTER, "prod-2"]);
    let found = clusters.cluster(CLUSTER).await.unwrap().unwrap();
    assert_eq!(found.name, CLUSTER);
    assert_eq!(found.status.as_deref(), Some("ACTIVE"));
    assert_eq!(found.tags["team"], "platform");
    for text in [
        &found.arn,
        &found.endpoint,
        &found.certificate_authority,
        &found.oidc_issuer,
    ] {
        assert!(
            text.as_ref().is_some_and(|text| !text.is_empty()),
            "{found:?}"
        );
    }
    assert!(found.created_at.is_some());
    assert_eq!(clusters.cluster("other").await.unwrap(), None);

    assert_eq!(clusters.nodegroup_names(CLUSTER).await.unwrap(), ["ng-1"]);
    let nodes = clusters.nodegroup(CLUSTER, "ng-1").await.unwrap().unwrap();
    assert_eq!(
        (nodes.name.as_str(), nodes.status.as_deref()),
        ("ng-1", Some("ACTIVE"))
    );
    assert_eq!(clusters.nodegroup(CLUSTER, "ng-2").await.unwrap(), None);
    let refused = clusters.delete_cluster(CLUSTER).await.unwrap_err();
    assert_eq!(refused.class, Class::NotEmpty, "{refused}");
    clusters.delete_nodegroup(CLUSTER, "ng-1").await.unwrap();
    clusters.delete_cluster(CLUSTER).await.unwrap();
    assert_eq!(clusters.cluster_names().await.unwrap(), ["prod-2"]);
}
