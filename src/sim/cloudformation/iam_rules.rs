//! What IAM refuses of roles and policies beyond their schemas: documents that are no policies, and
//! managed policies that there cannot be.

use serde_json::Value;

use super::names::handler;
use super::properties::strings;
use crate::sim::arn::{Arn, partition};

/// What IAM says to a resource that a stack is to make, in a region of an account.
pub(super) fn check(
    kind: &str,
    (account, region): (&str, &str),
    properties: &Value,
) -> Result<(), String> {
    match kind {
        "AWS::IAM::Role" => {
            check_trust(&properties["AssumeRolePolicyDocument"])?;
            for inline in properties["Policies"].as_array().into_iter().flatten() {
                check_policy(&inline["PolicyDocument"])?;
            }
            for arn in strings(properties, "ManagedPolicyArns") {
                check_managed((account, partition(region)), &arn)?;
            }
            Ok(())
        }
        "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => {
            check_policy(&properties["PolicyDocument"])
        }
        _ => Ok(()),
    }
}

fn malformed(why: &str) -> String {
    handler("InvalidRequest", why)
}

/// The statements of a policy, which may be written as a text.
fn statements(document: &Value) -> Result<Vec<Value>, String> {
    let text = document.as_str().unwrap_or("null");
    let read: Value = serde_json::from_str(text).unwrap_or_default();
    let document = if document.is_object() {
        document
    } else {
        &read
    };
    let statements: Vec<Value> = match &document["Statement"] {
        Value::Array(several) => several.clone(),
        single @ Value::Object(_) => vec![single.clone()],
        _ => Vec::new(),
    };
    if statements.is_empty() || !statements.iter().all(Value::is_object) {
        return Err(malformed("Syntax errors in policy."));
    }
    let version = &document["Version"];
    let known = ["2012-10-17", "2008-10-17"];
    if !version.is_null() && !known.iter().any(|known| version == known) {
        return Err(malformed("Syntax errors in policy."));
    }
    Ok(statements)
}

fn has(statement: &Value, either: [&str; 2]) -> bool {
    either.iter().any(|member| !statement[*member].is_null())
}

fn has_effect(statement: &Value) -> bool {
    ["Allow", "Deny"]
        .iter()
        .any(|effect| statement["Effect"] == *effect)
}

fn check_trust(document: &Value) -> Result<(), String> {
    for statement in statements(document)? {
        if has(&statement, ["Resource", "NotResource"]) {
            return Err(malformed("Has prohibited field Resource"));
        }
        if !has(&statement, ["Principal", "NotPrincipal"]) {
            return Err(malformed(
                "Missing required field Principal cannot be empty!",
            ));
        }
        if !has(&statement, ["Action", "NotAction"]) {
            return Err(malformed("Missing required field Action"));
        }
        if !has_effect(&statement) {
            return Err(malformed("Syntax errors in policy."));
        }
    }
    Ok(())
}

fn check_policy(document: &Value) -> Result<(), String> {
    for statement in statements(document)? {
        if has(&statement, ["Principal", "NotPrincipal"]) {
            return Err(malformed("Policy document should not specify a principal."));
        }
        if !has(&statement, ["Action", "NotAction"]) {
            return Err(malformed("Policy statement must contain actions."));
        }
        if !has(&statement, ["Resource", "NotResource"]) {
            return Err(malformed("Policy statement must contain resources."));
        }
        if !has_effect(&statement) {
            return Err(malformed("Syntax errors in policy."));
        }
    }
    Ok(())
}

/// Policies are AWS's own or the account's, and of its partition.
fn check_managed((account, partition): (&str, &str), arn: &str) -> Result<(), String> {
    let parsed = Arn::parse(arn);
    let fits = parsed.is_some_and(|policy| {
        policy.service == "iam"
            && policy.partition == partition
            && [account, "aws"].contains(&policy.account)
            && policy.resource.starts_with("policy/")
    });
    if fits {
        return Ok(());
    }
    let why = format!("Policy {arn} does not exist or is not attachable.");
    Err(handler("NotFound", &why))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(kind: &str, properties: &Value) -> String {
        let place = ("111111111111", "eu-central-1");
        check(kind, place, properties).err().unwrap_or_default()
    }

    #[test]
    fn trust_policies_name_principals_and_no_resources() {
        let good = json!({
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"},
        });
        let role = |statement: &Value| {
            let role = json!({"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}});
            checked("AWS::IAM::Role", &role)
        };
        assert_eq!(role(&good), "");
        for (member, value, why) in [
            ("Resource", json!("*"), "Has prohibited field Resource"),
            ("Principal", Value::Null, "Missing required field Principal"),
            ("Action", Value::Null, "Missing required field Action"),
            ("Effect", json!("Maybe"), "Syntax errors in policy."),
        ] {
            let mut wrong = good.clone();
            wrong[member] = value;
            assert!(role(&wrong).contains(why), "{wrong}");
        }
        let none = json!({"AssumeRolePolicyDocument": {"Statement": []}});
        assert!(checked("AWS::IAM::Role", &none).contains("Syntax errors"));
    }

    #[test]
    fn policies_name_actions_and_resources_and_no_principals() {
        let policy = |statement: Value| {
            checked(
                "AWS::IAM::Policy",
                &json!({"PolicyDocument": {"Statement": statement}}),
            )
        };
        assert_eq!(
            policy(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})),
            ""
        );
        assert!(
            policy(json!({"Effect": "Allow", "Action": "*"})).contains("must contain resources")
        );
        let named = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"});
        assert!(policy(named).contains("should not specify a principal"));
    }

    #[test]
    fn managed_policies_are_of_the_partition() {
        let trust =
            json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}});
        let role = |arn: &str| {
            let role = json!({"AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [arn]});
            checked("AWS::IAM::Role", &role)
        };
        assert_eq!(role("arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"), "");
        assert_eq!(role("arn:aws:iam::111111111111:policy/own"), "");
        for arn in [
            "arn:aws-cn:iam::aws:policy/AmazonEKSClusterPolicy",
            "arn:aws:iam::222222222222:policy/theirs",
            "AmazonEKSClusterPolicy",
        ] {
            assert!(
                role(arn).contains("does not exist or is not attachable"),
                "{arn}"
            );
        }
    }
}
