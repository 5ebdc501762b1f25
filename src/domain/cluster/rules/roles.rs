//! Roles that are made for workloads, and the policies that these get.

use crate::domain::cluster::addon_access::own_policy;
use crate::domain::cluster::spec::role::{NewRole, WellKnownPolicy};
use crate::domain::eksctl::WellKnownPolicies;
use crate::domain::eksctl::arn::wrong_policy;
use crate::domain::invalid::{Invalid, quoted};
use serde_json::Value;

/// IAM's highest quota of managed policies in a role.
const MAX_POLICIES: usize = 20;
/// What IAM takes of policies that are written out, in a role.
const MAX_DOCUMENT: usize = 10_240;

/// What a caller says of a role to make, and the keys by which it does.
pub(super) struct RoleInput {
    /// The keys of the ARNs, the document and the boundary.
    pub(super) keys: [&'static str; 3],
    pub(super) policy_arns: Vec<String>,
    pub(super) document: Option<Value>,
    /// The document's name.
    pub(super) document_name: Option<String>,
    pub(super) well_known: Option<WellKnownPolicies>,
    pub(super) name: Option<String>,
    pub(super) boundary: Option<String>,
}

impl RoleInput {
    /// Whether it has any policy.
    pub(super) fn has_policies(&self) -> bool {
        !self.policy_arns.is_empty()
            || self.document.is_some()
            || !known(self.well_known.as_ref()).is_empty()
    }

    /// The role, checked.
    pub(super) fn check(self, at: &str, wrong: &mut Vec<Invalid>) -> NewRole {
        let [arns, document, boundary] = self.keys;
        check_arns(&self.policy_arns, &format!("{at}/{arns}"), wrong);
        if let Some(found) = &self.document {
            wrong.extend(wrong_document(&format!("{at}/{document}"), found));
        }
        let limit = self.boundary.as_deref();
        wrong.extend(limit.and_then(|arn| wrong_policy(&format!("{at}/{boundary}"), arn)));
        let name = self.name.as_deref();
        wrong.extend(name.and_then(|name| wrong_name(&format!("{at}/roleName"), name)));
        NewRole {
            name: self.name,
            policy_arns: self.policy_arns,
            well_known: known(self.well_known.as_ref()),
            policy: self
                .document
                .map(|found| own_policy(self.document_name, found)),
            permissions_boundary: self.boundary,
        }
    }
}

/// A text that says something: empty ones count as absent, as with eksctl.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Those that are asked for, in eksctl's order.
fn known(asked: Option<&WellKnownPolicies>) -> Vec<WellKnownPolicy> {
    let Some(asked) = asked else {
        return Vec::new();
    };
    let all = [
        (asked.image_builder, WellKnownPolicy::ImageBuilder),
        (asked.auto_scaler, WellKnownPolicy::AutoScaler),
        (
            asked.aws_load_balancer_controller,
            WellKnownPolicy::AwsLoadBalancerController,
        ),
        (asked.external_dns, WellKnownPolicy::ExternalDns),
        (asked.cert_manager, WellKnownPolicy::CertManager),
        (asked.ebs_csi_controller, WellKnownPolicy::EbsCsiController),
        (asked.efs_csi_controller, WellKnownPolicy::EfsCsiController),
    ];
    let asked = all.into_iter().filter(|(asked, _)| *asked == Some(true));
    asked.map(|(_, policy)| policy).collect()
}

fn check_arns(arns: &[String], at: &str, wrong: &mut Vec<Invalid>) {
    if arns.len() > MAX_POLICIES {
        wrong.push(Invalid::new(at, format!("at most {MAX_POLICIES} policies")));
        return;
    }
    for (i, arn) in arns.iter().enumerate() {
        let here = format!("{at}/{i}");
        if arns[..i].contains(arn) {
            let message = format!("{} is listed twice", quoted(arn));
            wrong.push(Invalid::new(here.as_str(), message));
        }
        wrong.extend(wrong_policy(&here, arn));
    }
}

fn wrong_name(at: &str, name: &str) -> Option<Invalid> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    let fine = name.len() <= 64 && name.bytes().all(allowed);
    let message = format!(
        "invalid name of a role {}: expected at most 64 letters, digits or any of _+=,.@-",
        quoted(name)
    );
    (!fine).then(|| Invalid::new(at, message))
}

/// What is wrong with a policy that is written out, for IAM and for the template that holds it.
pub(super) fn wrong_document(at: &str, document: &Value) -> Vec<Invalid> {
    if document.to_string().len() > MAX_DOCUMENT {
        let message = format!("at most {MAX_DOCUMENT} characters: IAM takes no longer policies");
        return vec![Invalid::new(at, message)];
    }
    if let Some(message) = wrong_for_a_template(document) {
        return vec![Invalid::new(at, message)];
    }
    let Some(fields) = document.as_object() else {
        return vec![Invalid::new(
            at,
            "expected a policy: an object with Statement",
        )];
    };
    let mut wrong = Vec::new();
    let unknown = fields
        .keys()
        .find(|key| !["Version", "Id", "Statement"].contains(&key.as_str()));
    if let Some(key) = unknown {
        let message = format!(
            "unknown field {} of a policy; known here: Version, Id, Statement",
            quoted(key)
        );
        wrong.push(Invalid::new(at, message));
    }
    let version = fields.get("Version");
    let known = ["2012-10-17", "2008-10-17"];
    if version.is_some_and(|version| !version.as_str().is_some_and(|text| known.contains(&text))) {
        let message = "expected \"2012-10-17\", the version of IAM's policies";
        wrong.push(Invalid::new(format!("{at}/Version"), message));
    }
    let statements = match fields.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    if statements.is_empty() {
        let message = "expected a policy with Statement: a list of statements";
        wrong.push(Invalid::new(at, message));
    }
    let told = statements.iter().find_map(wrong_statement);
    wrong.extend(told.map(|message| Invalid::new(format!("{at}/Statement"), message)));
    wrong
}

fn wrong_statement(statement: &Value) -> Option<String> {
    let Some(fields) = statement.as_object() else {
        return Some("expected statements: objects with Effect, Action, Resource".to_owned());
    };
    let one_of = |a: &str, b: &str| fields.contains_key(a) != fields.contains_key(b);
    let effect = fields.get("Effect").and_then(Value::as_str);
    if !matches!(effect, Some("Allow" | "Deny")) {
        return Some("expected Effect: Allow or Effect: Deny in every statement".to_owned());
    }
    if !one_of("Action", "NotAction") || !one_of("Resource", "NotResource") {
        let message =
            "expected Action (or NotAction) and Resource (or NotResource) in every statement";
        return Some(message.to_owned());
    }
    if fields.contains_key("Principal") || fields.contains_key("NotPrincipal") {
        return Some("a policy of a role names no Principal: remove it".to_owned());
    }
    None
}

/// `CloudFormation` would carry out functions, and look up what stands in double braces.
fn wrong_for_a_template(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.contains("{{") => {
            Some("a policy must not hold {{ here: CloudFormation would look up what follows".into())
        }
        Value::Array(items) => items.iter().find_map(wrong_for_a_template),
        Value::Object(fields) => fields.iter().find_map(|(key, inner)| {
            if key.contains("{{") || key == "Ref" || key.starts_with("Fn::") {
                return Some(format!(
                    "a policy must not hold {} here: CloudFormation would carry it out; write its \
                     result",
                    quoted(key)
                ));
            }
            wrong_for_a_template(inner)
        }),
        _ => None,
    }
}
