//! Stacks, driven through the world itself with a clock that stands still unless it is pushed.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::sim::faults::Fault;
use crate::sim::options::SimOptions;
use crate::sim::policy::Policy;
use crate::sim::session::NewSession;
use crate::sim::wire::Inbound;

const ACCOUNT: &str = "111111111111";
const REGION: &str = "eu-central-1";
const ROLE_STACK: &str = "eksctl-new-fargate";

struct Sim {
    world: World,
    caller: Caller,
}

impl Sim {
    fn new() -> Self {
        let mut world = World::new(SimOptions::default());
        world.clock.freeze();
        let caller = Caller {
            account: ACCOUNT.into(),
            region: REGION.into(),
            service: "cloudformation".into(),
            session: None,
            role: None,
        };
        Self { world, caller }
    }

    fn call(&mut self, action: &str, fields: &[(&str, &str)]) -> Result<String, AwsError> {
        let mut form = vec![("Action".to_owned(), action.to_owned())];
        form.extend(
            fields
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        );
        let arrival = Arrival {
            seq: 0,
            caller: self.caller.clone(),
            problem: None,
            request: crate::sim::world::Request::Unknown,
            fault: Fault::default(),
        };
        self.world.catch_up(ACCOUNT);
        self.world.cloudformation(&Form(form), &arrival)
    }

    fn create(
        &mut self,
        name: &str,
        template: &Value,
        more: &[(&str, &str)],
    ) -> Result<String, AwsError> {
        let body = template.to_string();
        let mut fields = vec![
            ("StackName", name),
            ("TemplateBody", body.as_str()),
            ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
            ("Tags.member.1.Key", "alpha.eksctl.io/cluster-name"),
            ("Tags.member.1.Value", "new"),
        ];
        fields.extend(more);
        self.call("CreateStack", &fields)
    }

    fn pass(&mut self, seconds: u64) {
        self.world.clock.advance(Duration::from_secs(seconds));
        self.world.catch_up(ACCOUNT);
    }

    fn status(&self, name: &str) -> (&str, &str) {
        let stack = self
            .world
            .stacks
            .find(ACCOUNT, REGION, name)
            .expect("there is a stack");
        (stack.status, stack.reason.as_deref().unwrap_or_default())
    }

    fn output(&self, name: &str, key: &str) -> String {
        let stack = self
            .world
            .stacks
            .find(ACCOUNT, REGION, name)
            .expect("there is a stack");
        let output = stack.outputs.iter().find(|output| output.key == key);
        output
            .map(|output| output.value.clone())
            .unwrap_or_default()
    }

    fn cluster_status(&mut self, name: &str) -> Option<String> {
        let cluster = self.world.accounts.cluster(ACCOUNT, REGION, name)?;
        Some(cluster.status.clone())
    }

    fn fault(&mut self, fault: Fault) {
        self.world.add_faults(vec![fault]).unwrap();
    }
}

fn failing(action: &str, resource: &str) -> Fault {
    Fault {
        action: action.into(),
        resource: Some(resource.into()),
        message: Some("out of luck".into()),
        ..Fault::default()
    }
}

fn role_template() -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Role",
        "Resources": {"FargatePodExecutionRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow",
                    "Action": ["sts:AssumeRole"],
                    "Principal": {"Service": ["eks-fargate-pods.amazonaws.com"]},
                    "Condition": {"ArnLike": {"aws:SourceArn": {"Fn::Sub":
                        "arn:${AWS::Partition}:eks:${AWS::Region}:${AWS::AccountId}:fargateprofile/new/*"}}},
                }]},
            },
        }},
        "Outputs": {"FargatePodExecutionRoleARN": {
            "Value": {"Fn::GetAtt": "FargatePodExecutionRole.Arn"},
            "Export": {"Name": {"Fn::Sub": "${AWS::StackName}::FargatePodExecutionRoleARN"}},
        }},
    })
}

fn trust(service: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": service},
    }]})
}

fn cluster_template() -> Value {
    let subnet = |number: u32, zone: &str| {
        json!({
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "VPC"},
                "AvailabilityZone": zone,
                "CidrBlock": format!("192.168.{}.0/19", number * 32),
            },
        })
    };
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "VPC": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "192.168.0.0/16"}},
            "One": subnet(0, "eu-central-1a"),
            "Two": subnet(1, "eu-central-1b"),
            "ServiceRole": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust("eks.amazonaws.com")}},
            "ControlPlane": {"Type": "AWS::EKS::Cluster", "Properties": {
                "Name": "new",
                "Version": "1.33",
                "RoleArn": {"Fn::GetAtt": ["ServiceRole", "Arn"]},
                "ResourcesVpcConfig": {
                    "SubnetIds": [{"Ref": "One"}, {"Ref": "Two"}],
                    "EndpointPrivateAccess": "true",
                },
                "Tags": [{"Key": "Name", "Value": {"Fn::Sub": "${AWS::StackName}/ControlPlane"}}],
            }},
        },
        "Outputs": {
            "Endpoint": {"Value": {"Fn::GetAtt": ["ControlPlane", "Endpoint"]}},
            "SubnetsPublic": {
                "Value": {"Fn::Join": [",", [{"Ref": "One"}, {"Ref": "Two"}]]},
                "Export": {"Name": {"Fn::Sub": "${AWS::StackName}::SubnetsPublic"}},
            },
        },
    })
}

fn nodes_template() -> Value {
    json!({
        "Resources": {
            "NodeInstanceRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": trust("ec2.amazonaws.com")},
            },
            "ManagedNodeGroup": {"Type": "AWS::EKS::Nodegroup", "Properties": {
                "ClusterName": "new",
                "NodegroupName": "ng-1",
                "NodeRole": {"Fn::GetAtt": ["NodeInstanceRole", "Arn"]},
                "Subnets": {"Fn::Split": [",", {"Fn::ImportValue": "eksctl-new-cluster::SubnetsPublic"}]},
                "ScalingConfig": {"DesiredSize": "2"},
            }},
        },
    })
}

#[test]
fn a_role_stack_takes_half_a_minute_and_outputs_its_role() {
    let mut sim = Sim::new();
    sim.create(ROLE_STACK, &role_template(), &[]).unwrap();
    assert_eq!(sim.status(ROLE_STACK).0, "CREATE_IN_PROGRESS");
    sim.pass(20);
    assert_eq!(sim.status(ROLE_STACK).0, "CREATE_IN_PROGRESS");
    sim.pass(20);
    assert_eq!(sim.status(ROLE_STACK), ("CREATE_COMPLETE", ""));
    let role = sim.output(ROLE_STACK, "FargatePodExecutionRoleARN");
    assert!(role.starts_with("arn:aws:iam::111111111111:role/eksctl-new-fargate-FargatePod"));
    let events = sim
        .call("DescribeStackEvents", &[("StackName", ROLE_STACK)])
        .unwrap();
    let newest = events.find("CREATE_COMPLETE").unwrap();
    assert!(newest < events.find("Resource creation Initiated").unwrap());
    assert!(events.find("Resource creation Initiated") < events.find("User Initiated"));
}

#[test]
fn a_name_is_taken_but_a_token_says_who_took_it() {
    let mut sim = Sim::new();
    let token = [("ClientRequestToken", "a")];
    let id = sim.create(ROLE_STACK, &role_template(), &token).unwrap();
    assert_eq!(sim.create(ROLE_STACK, &role_template(), &token), Ok(id));
    for other in [&[][..], &[("ClientRequestToken", "b")]] {
        let error = sim.create(ROLE_STACK, &role_template(), other).unwrap_err();
        assert_eq!(error.code, "AlreadyExistsException");
        assert_eq!(error.message, "Stack [eksctl-new-fargate] already exists");
    }
}

#[test]
fn identities_take_the_capability() {
    let mut sim = Sim::new();
    let mut template = role_template();
    let body = template.to_string();
    let fields = [("StackName", "s"), ("TemplateBody", body.as_str())];
    let error = sim.call("CreateStack", &fields).unwrap_err();
    assert_eq!(error.code, "InsufficientCapabilitiesException");
    assert_eq!(error.message, "Requires capabilities : [CAPABILITY_IAM]");
    template["Resources"]["FargatePodExecutionRole"]["Properties"]["RoleName"] = json!("mine");
    let body = template.to_string();
    let fields = [
        ("StackName", "s"),
        ("TemplateBody", body.as_str()),
        ("Capabilities.member.1", "CAPABILITY_IAM"),
    ];
    let error = sim.call("CreateStack", &fields).unwrap_err();
    assert_eq!(
        error.message,
        "Requires capabilities : [CAPABILITY_NAMED_IAM]"
    );
}

#[test]
fn a_cluster_grows_with_its_stack_and_goes_with_it() {
    let mut sim = Sim::new();
    let name = "eksctl-new-cluster";
    sim.create(name, &cluster_template(), &[]).unwrap();
    assert_eq!(sim.cluster_status("new"), None);
    sim.pass(60);
    assert_eq!(sim.cluster_status("new").as_deref(), Some("CREATING"));
    sim.pass(9 * 60);
    assert_eq!(sim.status(name).0, "CREATE_IN_PROGRESS");
    sim.pass(3 * 60);
    assert_eq!(sim.status(name), ("CREATE_COMPLETE", ""));
    let cluster = sim.world.accounts.cluster(ACCOUNT, REGION, "new").unwrap();
    let view = cluster.view();
    assert_eq!(
        (&view["status"], &view["version"]),
        (&json!("ACTIVE"), &json!("1.33"))
    );
    assert_eq!(view["resourcesVpcConfig"]["endpointPrivateAccess"], true);
    assert_eq!(view["tags"]["Name"], "eksctl-new-cluster/ControlPlane");
    assert_eq!(view["tags"]["aws:cloudformation:stack-name"], name);
    assert_eq!(view["endpoint"], sim.output(name, "Endpoint").as_str());
    sim.call("DeleteStack", &[("StackName", name)]).unwrap();
    assert_eq!(sim.cluster_status("new").as_deref(), Some("DELETING"));
    sim.pass(5 * 60);
    assert_eq!(sim.cluster_status("new"), None);
    let error = sim
        .call("DescribeStacks", &[("StackName", name)])
        .unwrap_err();
    assert_eq!(
        error.message,
        format!("Stack with id {name} does not exist")
    );
    assert_eq!(
        (error.status, error.code.as_str()),
        (400, "ValidationError")
    );
    assert!(
        sim.call("ListStacks", &[])
            .unwrap()
            .contains("DELETE_COMPLETE")
    );
    assert_eq!(
        sim.call("DeleteStack", &[("StackName", name)]),
        Ok(String::new())
    );
}

#[test]
fn nodegroups_keep_their_cluster_and_imports_their_export() {
    let mut sim = Sim::new();
    sim.create("eksctl-new-cluster", &cluster_template(), &[])
        .unwrap();
    sim.pass(800);
    sim.create("eksctl-new-nodegroup-ng-1", &nodes_template(), &[])
        .unwrap();
    sim.pass(200);
    assert_eq!(
        sim.status("eksctl-new-nodegroup-ng-1"),
        ("CREATE_COMPLETE", "")
    );
    let cluster = sim.world.accounts.cluster(ACCOUNT, REGION, "new").unwrap();
    let nodegroup = cluster.details().nodegroups["ng-1"].view("new", "ng-1");
    assert_eq!(nodegroup["status"], "ACTIVE");
    assert_eq!(nodegroup["scalingConfig"]["desiredSize"], 2);
    assert_eq!(nodegroup["subnets"].as_array().unwrap().len(), 2);
    sim.call("DeleteStack", &[("StackName", "eksctl-new-cluster")])
        .unwrap();
    let (status, why) = sim.status("eksctl-new-cluster");
    assert_eq!(status, "DELETE_FAILED");
    assert!(
        why.ends_with("as it is in use by eksctl-new-nodegroup-ng-1"),
        "{why}"
    );
    for name in ["eksctl-new-nodegroup-ng-1", "eksctl-new-cluster"] {
        sim.call("DeleteStack", &[("StackName", name)]).unwrap();
        sim.pass(400);
        assert!(
            sim.world.stacks.find(ACCOUNT, REGION, name).is_none(),
            "{name}"
        );
    }
    assert_eq!(sim.cluster_status("new"), None);
}

#[test]
fn a_resource_that_fails_takes_the_stack_back() {
    let mut sim = Sim::new();
    sim.fault(failing("CreateResource", "ControlPlane"));
    sim.create("eksctl-new-cluster", &cluster_template(), &[])
        .unwrap();
    sim.pass(60);
    let (status, _) = sim.status("eksctl-new-cluster");
    assert_eq!(status, "ROLLBACK_COMPLETE");
    let events = sim
        .call(
            "DescribeStackEvents",
            &[("StackName", "eksctl-new-cluster")],
        )
        .unwrap();
    assert!(events.contains("<ResourceStatusReason>out of luck</ResourceStatusReason>"));
    assert!(events.contains(
        "The following resource(s) failed to create: [ControlPlane]. Rollback requested by user."
    ));
    assert_eq!(sim.cluster_status("new"), None);
    let network = sim.world.network(ACCOUNT, REGION);
    assert_eq!(network.vpcs.len(), 1, "only the VPC that is always there");
    let error = sim
        .create("eksctl-new-cluster", &cluster_template(), &[])
        .unwrap_err();
    assert_eq!(error.code, "AlreadyExistsException");
    sim.call("DeleteStack", &[("StackName", "eksctl-new-cluster")])
        .unwrap();
    sim.create("eksctl-new-cluster", &cluster_template(), &[])
        .unwrap();
}

#[test]
fn a_failed_creation_can_be_left_as_it_is_or_deleted() {
    for (field, value, status) in [
        ("DisableRollback", "true", Some("CREATE_FAILED")),
        ("OnFailure", "DO_NOTHING", Some("CREATE_FAILED")),
        ("OnFailure", "DELETE", None),
    ] {
        let mut sim = Sim::new();
        sim.fault(failing("CreateResource", "One"));
        sim.create("s", &cluster_template(), &[(field, value)])
            .unwrap();
        sim.pass(60);
        let stack = sim.world.stacks.find(ACCOUNT, REGION, "s");
        assert_eq!(stack.map(|stack| stack.status), status, "{field} {value}");
    }
}

#[test]
fn a_deletion_that_fails_can_be_tried_again() {
    let mut sim = Sim::new();
    sim.create(ROLE_STACK, &role_template(), &[]).unwrap();
    sim.pass(60);
    sim.fault(failing("DeleteResource", "FargatePodExecutionRole"));
    sim.call("DeleteStack", &[("StackName", ROLE_STACK)])
        .unwrap();
    sim.pass(60);
    let (status, why) = sim.status(ROLE_STACK);
    assert_eq!(status, "DELETE_FAILED");
    assert!(
        why.contains("failed to delete: [FargatePodExecutionRole]"),
        "{why}"
    );
    sim.call("DeleteStack", &[("StackName", ROLE_STACK)])
        .unwrap();
    sim.pass(60);
    assert!(sim.world.stacks.find(ACCOUNT, REGION, ROLE_STACK).is_none());
}

#[test]
fn a_deletion_cancels_a_creation() {
    let mut sim = Sim::new();
    sim.create("s", &cluster_template(), &[]).unwrap();
    sim.pass(120);
    assert_eq!(sim.cluster_status("new").as_deref(), Some("CREATING"));
    sim.call("DeleteStack", &[("StackName", "s")]).unwrap();
    sim.pass(400);
    assert!(sim.world.stacks.find(ACCOUNT, REGION, "s").is_none());
    assert_eq!(sim.cluster_status("new"), None);
}

#[test]
fn what_the_session_may_not_do_its_stack_may_not_do_either() {
    let mut sim = Sim::new();
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "arn:*:stack/eksctl-new-*/*"},
    ]});
    let session = sim.world.sessions.issue(NewSession {
        account: ACCOUNT.into(),
        partition: "aws".into(),
        role: "fargate-fleet".into(),
        name: "job-1".into(),
        source_identity: None,
        policy: Some(Policy::parse(&policy.to_string()).unwrap()),
        lasts: Duration::from_hours(1),
    });
    sim.caller.session = Some(session);
    let error = sim.create("other", &role_template(), &[]).unwrap_err();
    assert_eq!(error.code, "AccessDeniedException");
    sim.create(ROLE_STACK, &role_template(), &[]).unwrap();
    sim.pass(60);
    assert_eq!(sim.status(ROLE_STACK).0, "ROLLBACK_COMPLETE");
    let events = sim
        .call("DescribeStackEvents", &[("StackName", ROLE_STACK)])
        .unwrap();
    assert!(events.contains("is not authorized to perform: iam:CreateRole"));
}

#[test]
fn lists_come_in_pages() {
    let mut sim = Sim::new();
    for number in 0..25 {
        sim.create(&format!("s{number}"), &role_template(), &[])
            .unwrap();
    }
    sim.pass(60);
    let (mut token, mut seen) = (None::<String>, 0);
    loop {
        let next = token.take().unwrap_or_default();
        let page = sim
            .call("ListStacks", &[("NextToken", next.as_str())])
            .unwrap();
        seen += page.matches("<StackName>").count();
        let Some((_, rest)) = page.split_once("<NextToken>") else {
            break;
        };
        token = rest.split_once('<').map(|(token, _)| token.to_owned());
    }
    assert_eq!(seen, 25);
    let none = sim.call(
        "ListStacks",
        &[("StackStatusFilter.member.1", "CREATE_FAILED")],
    );
    assert!(!none.unwrap().contains("<StackName>"));
}

fn inbound(service: &str, body: &'static str) -> Inbound {
    let scope = format!("test/20260101/{REGION}/{service}/aws4_request");
    Inbound {
        method: "POST".into(),
        path: "/".into(),
        query: vec![],
        content_type: None,
        authorization: Some(format!("AWS4-HMAC-SHA256 Credential={scope}")),
        token: None,
        target: None,
        body: body.into(),
    }
}

#[test]
fn calls_about_a_stack_are_about_its_cluster() {
    let mut sim = Sim::new();
    sim.create(ROLE_STACK, &role_template(), &[]).unwrap();
    let asked = inbound(
        "cloudformation",
        "Action=DescribeStacks&Version=2010-05-15&StackName=eksctl-new-fargate",
    );
    let arrival = sim.world.arrive(&asked);
    assert_eq!(sim.world.perform(&asked, &arrival).status, 200);
    let call = &sim.world.recorder.copy(0).calls[0];
    assert_eq!(call.action, "DescribeStacks");
    assert_eq!(call.stack(), Some(ROLE_STACK));
    assert_eq!(call.cluster.as_deref(), Some("new"));
}

#[test]
fn signatures_are_for_one_service_and_those_for_iam_for_its_region() {
    let mut sim = Sim::new();
    for (service, body) in [
        ("eks", "Action=ListStacks&Version=2010-05-15"),
        (
            "iam",
            "Action=ListOpenIDConnectProviders&Version=2010-05-08",
        ),
    ] {
        let asked = inbound(service, body);
        let arrival = sim.world.arrive(&asked);
        let answer = sim.world.perform(&asked, &arrival);
        assert_eq!(answer.status, 403, "{service}");
        assert!(answer.body.contains("<Code>SignatureDoesNotMatch</Code>"));
    }
}

#[test]
fn nothing_is_left_of_a_cluster_and_its_nodes() {
    let mut sim = Sim::new();
    let before = sim.world.inventory();
    sim.create("eksctl-new-cluster", &cluster_template(), &[])
        .unwrap();
    sim.pass(800);
    sim.create("eksctl-new-nodegroup-ng-1", &nodes_template(), &[])
        .unwrap();
    sim.pass(200);
    let there = sim.world.inventory();
    for line in [
        "cluster/new",
        "nodegroup/new/ng-1",
        "stack/eksctl-new-cluster",
    ] {
        let line = format!("{ACCOUNT}/{REGION}/{line}");
        assert!(there.contains(&line), "{line}");
    }
    for name in ["eksctl-new-nodegroup-ng-1", "eksctl-new-cluster"] {
        sim.call("DeleteStack", &[("StackName", name)]).unwrap();
        sim.pass(400);
    }
    assert_eq!(sim.world.inventory(), before);
}
