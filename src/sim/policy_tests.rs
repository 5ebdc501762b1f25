//! What session policies allow, deny and refuse to be.

use super::*;

fn decide(policy: &Policy, action: &str, resource: &str) -> Decision {
    let context: &[(&str, &[&str])] = &[
        ("aws:requestedregion", &["eu-central-1"]),
        ("iam:passedtoservice", &["eks.amazonaws.com"]),
    ];
    policy.decide(&Request {
        action,
        resource,
        context,
    })
}

fn policy(statements: &str) -> Policy {
    Policy::parse(&format!(
        r#"{{"Version":"2012-10-17","Statement":{statements}}}"#
    ))
    .unwrap()
}

#[test]
fn an_action_is_allowed_only_where_a_statement_says_so() {
    let policy = policy(
        r#"[{"Effect":"Allow","Action":["eks:Describe*","eks:ListClusters"],
            "Resource":["arn:aws:eks:eu-central-1:111111111111:cluster/prod-1"]}]"#,
    );
    let here = "arn:aws:eks:eu-central-1:111111111111:cluster/prod-1";
    assert_eq!(
        decide(&policy, "eks:DescribeCluster", here),
        Decision::Allowed
    );
    assert_eq!(
        decide(&policy, "eks:describecluster", here),
        Decision::Allowed
    );
    assert_eq!(
        decide(&policy, "eks:DeleteCluster", here),
        Decision::NotAllowed
    );
    assert_eq!(
        decide(&policy, "eks:DescribeCluster", &format!("{here}0")),
        Decision::NotAllowed
    );
}

#[test]
fn a_deny_wins_over_any_allow() {
    let policy = policy(
        r#"[{"Effect":"Allow","Action":"*","Resource":"*"},
            {"Effect":"Deny","Action":"eks:Delete*","Resource":"*"}]"#,
    );
    assert_eq!(
        decide(&policy, "eks:DeleteFargateProfile", "arn:x"),
        Decision::Denied
    );
    assert_eq!(
        decide(&policy, "eks:CreateFargateProfile", "arn:x"),
        Decision::Allowed
    );
}

#[test]
fn the_negated_forms_match_everything_else() {
    let policy = policy(r#"{"Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::*"}"#);
    assert_eq!(
        decide(&policy, "eks:ListClusters", "arn:aws:eks:::x"),
        Decision::Allowed
    );
    assert_eq!(
        decide(&policy, "iam:PassRole", "arn:aws:eks:::x"),
        Decision::NotAllowed
    );
    assert_eq!(
        decide(&policy, "eks:ListClusters", "arn:aws:s3:::b"),
        Decision::NotAllowed
    );
}

#[test]
fn conditions_narrow_a_statement() {
    let with = |condition: &str| {
        let statement =
            format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}"#);
        decide(&policy(&statement), "iam:PassRole", "arn:x")
    };
    assert_eq!(
        with(r#"{"StringEquals":{"aws:RequestedRegion":"eu-central-1"}}"#),
        Decision::Allowed
    );
    assert_eq!(
        with(r#"{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#),
        Decision::NotAllowed
    );
    assert_eq!(
        with(r#"{"StringLike":{"iam:PassedToService":"eks*"}}"#),
        Decision::Allowed
    );
    assert_eq!(
        with(r#"{"StringEquals":{"aws:Unknown":"x"}}"#),
        Decision::NotAllowed
    );
    assert_eq!(
        with(r#"{"StringEqualsIfExists":{"aws:Unknown":"x"}}"#),
        Decision::Allowed
    );
    assert_eq!(
        with(r#"{"NumericEquals":{"aws:RequestedRegion":"1"}}"#),
        Decision::NotAllowed
    );
}

#[test]
fn documents_that_iam_would_refuse_are_refused() {
    for bad in [
        "",
        "[]",
        "{",
        r#"{"Version":"2012-10-17"}"#,
        r#"{"Version":"2020-01-01","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        r#"{"Statement":[]}"#,
        r#"{"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"List","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"prod-1"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Action":[1],"Resource":"*"}]}"#,
    ] {
        assert!(Policy::parse(bad).is_err(), "{bad}");
    }
}
