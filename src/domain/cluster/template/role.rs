//! The stack of a workload's role.

use super::draft::{Draft, attribute_of, reference, sub};
use super::policies;
use crate::domain::cluster::role_stack::{ROLE_OUTPUT, RoleStack, Subject, Trust};
use crate::domain::cluster::spec::role::{NewRole, WellKnownPolicy};
use serde_json::{Map, Value, json};

const ID: &str = "Role1";
/// Whom the tokens of pods are for.
const AUDIENCE: &str = "sts.amazonaws.com";

/// The template; `issuer` is the cluster's, without `https://`.
pub(super) fn template(stack: &RoleStack, issuer: &str) -> Value {
    let mut draft = Draft::default();
    let role = &stack.role;
    let mut properties = json!({"AssumeRolePolicyDocument": trust(&stack.trust, issuer)});
    let managed = managed_policies(role);
    if !managed.is_empty() {
        properties["ManagedPolicyArns"] = Value::Array(managed);
    }
    if let Some(boundary) = &role.permissions_boundary {
        properties["PermissionsBoundary"] = json!(boundary);
    }
    if let Some(name) = &role.name {
        properties["RoleName"] = json!(name);
    }
    draft.add(ID, "AWS::IAM::Role", properties);
    for name in role.well_known.iter().flat_map(|one| written(*one)) {
        attach(&mut draft, (name, name), &policies::document(name));
    }
    if let Some(own) = &role.policy {
        let id: String = own
            .name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let taken = id.is_empty() || id == ID || id.starts_with("Policy");
        let id = if taken { "Policy1" } else { &id };
        attach(&mut draft, (id, &own.name), &own.document);
    }
    draft.output(ROLE_OUTPUT, &attribute_of(ID, "Arn"));
    draft.finish_alone(&stack.description)
}

fn attach(draft: &mut Draft, (id, name): (&str, &str), document: &Value) {
    let policy = json!({
        "PolicyDocument": document,
        "PolicyName": sub(&format!("${{AWS::StackName}}-{name}")),
        "Roles": [reference(ID)],
    });
    draft.add(id, "AWS::IAM::Policy", policy);
}

fn managed_policies(role: &NewRole) -> Vec<Value> {
    let given = role.policy_arns.iter().map(|arn| json!(arn));
    let known = role.well_known.iter().filter_map(|one| managed(*one));
    let known = known.map(|name| sub(&format!("arn:${{AWS::Partition}}:iam::aws:policy/{name}")));
    given.chain(known).collect()
}

/// The policy of AWS's own.
const fn managed(policy: WellKnownPolicy) -> Option<&'static str> {
    match policy {
        WellKnownPolicy::ImageBuilder => Some("AmazonEC2ContainerRegistryPowerUser"),
        WellKnownPolicy::EbsCsiController => Some("service-role/AmazonEBSCSIDriverPolicy"),
        _ => None,
    }
}

/// The policies that are written out.
const fn written(policy: WellKnownPolicy) -> &'static [&'static str] {
    match policy {
        WellKnownPolicy::AutoScaler => &["PolicyAutoScaling"],
        WellKnownPolicy::AwsLoadBalancerController => &["PolicyAWSLoadBalancerController"],
        WellKnownPolicy::ExternalDns => {
            &["PolicyExternalDNSChangeSet", "PolicyExternalDNSHostedZones"]
        }
        WellKnownPolicy::CertManager => &[
            "PolicyCertManagerChangeSet",
            "PolicyCertManagerGetChange",
            "PolicyCertManagerHostedZones",
        ],
        WellKnownPolicy::EfsCsiController => &["PolicyEFSCSIController"],
        WellKnownPolicy::ImageBuilder | WellKnownPolicy::EbsCsiController => &[],
    }
}

fn trust(trust: &Trust, issuer: &str) -> Value {
    let statement = match trust {
        Trust::PodIdentity => json!({
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
        }),
        Trust::Capability => json!({
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Effect": "Allow",
            "Principal": {"Service": "capabilities.eks.amazonaws.com"},
        }),
        Trust::Issuer(subject) => by_issuer(subject, issuer),
    };
    json!({"Statement": [statement], "Version": "2012-10-17"})
}

fn by_issuer(subject: &Subject, issuer: &str) -> Value {
    let named =
        |namespace: &str, name: &str| json!(format!("system:serviceaccount:{namespace}:{name}"));
    let key = |what: &str| format!("{issuer}:{what}");
    let mut equal = Map::new();
    equal.insert(key("aud"), json!(AUDIENCE));
    let mut condition = json!({});
    match subject {
        Subject::Any => {}
        Subject::One(namespace, name) => {
            equal.insert(key("sub"), named(namespace, name));
        }
        Subject::Like(namespace, pattern) => {
            let mut like = Map::new();
            like.insert(key("sub"), named(namespace, pattern));
            condition["StringLike"] = Value::Object(like);
        }
    }
    condition["StringEquals"] = Value::Object(equal);
    let provider =
        format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:oidc-provider/{issuer}");
    json!({
        "Action": ["sts:AssumeRoleWithWebIdentity"],
        "Condition": condition,
        "Effect": "Allow",
        "Principal": {"Federated": sub(&provider)},
    })
}
