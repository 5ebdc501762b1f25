//! ARNs by which the fleet's role would be made to hand over, or to use, what is not the account's; and
//! ARNs that are none.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{ACCOUNT, BASE, Send as _, TestApp};

const THEIRS: &str = "arn:aws:iam::222222222222:role/theirs";
const THEIR_POLICY: &str = "arn:aws:iam::222222222222:policy/theirs";

/// Roles that are none: a way up, an ARN in an ARN, patterns, other services, other partitions.
const NO_ROLES: &[&str] = &[
    "arn:aws:iam::111111111111:role/../x",
    "arn:aws:iam::111111111111:role/a:role/b",
    "arn:aws:iam::111111111111:role/*",
    "arn:aws:iam::111111111111:role/a*",
    "arn:aws:iam::111111111111:role/a/*/b",
    "arn:aws:iam::111111111111:role//b",
    "arn:aws:iam::111111111111:role/a/",
    "arn:aws:iam::111111111111:role/./b",
    "arn:aws:iam::111111111111:role/a b",
    "arn:aws:iam::*:role/b",
    "arn:aws:iam::111111111111:user/b",
    "arn:aws:iam::111111111111:root",
    "arn:aws:sts::111111111111:assumed-role/a/b",
    "arn:aws:iam::222222222222:role/theirs",
    "arn:aws-cn:iam::111111111111:role/b",
    "arn:aws:iam::1111111111111:role/b",
    "*",
];

/// A cluster's config with one thing that is another's, and where.
fn configs() -> Vec<(Value, &'static str)> {
    [of_iam(), of_nodes_and_pods()].concat()
}

fn of_iam() -> Vec<(Value, &'static str)> {
    vec![
        (
            json!({"iam": {"serviceRoleARN": THEIRS}}),
            "/iam/serviceRoleARN",
        ),
        (
            json!({"iam": {"serviceRolePermissionsBoundary": THEIR_POLICY}}),
            "/iam/serviceRolePermissionsBoundary",
        ),
        (
            json!({"iam": {"fargatePodExecutionRoleARN": THEIRS}}),
            "/iam/fargatePodExecutionRoleARN",
        ),
        (
            json!({"iam": {"fargatePodExecutionRolePermissionsBoundary": THEIR_POLICY}}),
            "/iam/fargatePodExecutionRolePermissionsBoundary",
        ),
        (
            json!({"iam": {"withOIDC": true, "serviceAccounts": [
                {"metadata": {"name": "a"}, "attachPolicyARNs": [THEIR_POLICY]}
            ]}}),
            "/iam/serviceAccounts/0/attachPolicyARNs/0",
        ),
        (
            json!({"iam": {"withOIDC": true, "serviceAccounts": [{
                "metadata": {"name": "a"}, "permissionsBoundary": THEIR_POLICY,
                "attachPolicyARNs": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
            }]}}),
            "/iam/serviceAccounts/0/permissionsBoundary",
        ),
        (
            json!({
                "addons": [{"name": "eks-pod-identity-agent"}],
                "iam": {"podIdentityAssociations": [
                    {"namespace": "a", "serviceAccountName": "b", "roleARN": THEIRS}
                ]}
            }),
            "/iam/podIdentityAssociations/0/roleARN",
        ),
    ]
}

fn of_nodes_and_pods() -> Vec<(Value, &'static str)> {
    let group =
        "arn:aws:elasticloadbalancing:eu-central-1:222222222222:targetgroup/a/0a1b2c3d4e5f6071";
    vec![
        (
            json!({"addons": [{"name": "vpc-cni", "serviceAccountRoleARN": THEIRS}]}),
            "/addons/0/serviceAccountRoleARN",
        ),
        (
            json!({"autoModeConfig": {"enabled": true, "nodeRoleARN": THEIRS}}),
            "/autoModeConfig/nodeRoleARN",
        ),
        (
            json!({"managedNodeGroups": [{"name": "a", "iam": {"instanceRoleARN": THEIRS}}]}),
            "/managedNodeGroups/0/iam/instanceRoleARN",
        ),
        (
            json!({"nodeGroups": [{"name": "a", "iam": {"attachPolicyARNs": [THEIR_POLICY]}}]}),
            "/nodeGroups/0/iam/attachPolicyARNs/0",
        ),
        (
            json!({"nodeGroups": [{"name": "a", "targetGroupARNs": [group]}]}),
            "/nodeGroups/0/targetGroupARNs/0",
        ),
        (
            json!({"secretsEncryption": {"keyARN": "arn:aws:kms:us-east-1:111111111111:key/0a1b2c3d-0000-4000-8000-000000000000"}}),
            "/secretsEncryption/keyARN",
        ),
        (
            json!({"fargateProfiles": [
                {"name": "a", "selectors": [{"namespace": "a"}], "podExecutionRoleARN": THEIRS}
            ]}),
            "/fargateProfiles/0/podExecutionRoleARN",
        ),
    ]
}

pub fn count() -> usize {
    NO_ROLES.len() + configs().len()
}

#[tokio::test]
async fn nothing_of_another_account_is_handed_over_in_a_clusters_config() {
    let app = TestApp::start().await;
    let path = format!("/v1/accounts/{ACCOUNT}/clusters");
    for (mut config, at) in configs() {
        config["metadata"] = json!({"name": "c", "region": "eu-central-1"});
        for query in ["", "?validateOnly=true"] {
            let post = app.operator(Method::POST, &format!("{path}{query}"));
            let problem = post.json(&config).answer().await;
            let problem = problem.problem(422, "invalid_request");
            let pointers: Vec<&str> = problem["errors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|error| error["pointer"].as_str().unwrap())
                .collect();
            assert_eq!(pointers, [at], "{config}: {problem}");
        }
    }
    app.end().await;
}

/// AWS lets these in: a key of another account, and roles that trust from there.
#[tokio::test]
async fn what_aws_shares_between_accounts_is_taken() {
    let app = TestApp::start().await;
    let path = format!("/v1/accounts/{ACCOUNT}/clusters?validateOnly=true");
    let config = json!({
        "metadata": {"name": "c", "region": "eu-central-1"},
        "secretsEncryption": {"keyARN": "arn:aws:kms:eu-central-1:222222222222:key/0a1b2c3d-0000-4000-8000-000000000000"},
        "iam": {"withOIDC": true, "serviceAccounts": [
            {"metadata": {"name": "a"}, "attachRoleARN": THEIRS},
            {"metadata": {"name": "b"}, "attachPolicyARNs": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}
        ]},
        "iamIdentityMappings": [{"arn": THEIRS, "username": "a", "groups": ["viewers"]}],
        "accessConfig": {"accessEntries": [{"principalARN": THEIRS}]},
    });
    let plan = app
        .operator(Method::POST, &path)
        .json(&config)
        .answer()
        .await;
    plan.expect(200);
    app.end().await;
}

#[tokio::test]
async fn what_is_no_role_of_the_account_is_refused_wherever_a_role_may_stand() {
    let app = TestApp::start().await;
    for role in NO_ROLES {
        let profile = json!({"selectors": [{"namespace": "a"}], "podExecutionRoleARN": role});
        let post = app.operator(Method::POST, BASE).json(&profile);
        let problem = post.answer().await.problem(422, "invalid_request");
        assert_eq!(
            problem["errors"][0]["pointer"], "/podExecutionRoleARN",
            "{role}"
        );
        for field in ["roleArn", "podExecutionRoleARN"] {
            let patch = app.admin(Method::PATCH, &format!("/v1/accounts/{ACCOUNT}"));
            let problem = patch.json(&json!({field: role})).answer().await;
            problem.problem(422, "invalid_request");
        }
        let config = json!({
            "metadata": {"name": "c", "region": "eu-central-1"},
            "iam": {"serviceRoleARN": role},
        });
        let post = app.operator(Method::POST, &format!("/v1/accounts/{ACCOUNT}/clusters"));
        post.json(&config)
            .answer()
            .await
            .problem(422, "invalid_request");
    }
    let jobs: i64 = sqlx::query_scalar("select count(*) from jobs")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!(jobs, 0);
    app.end().await;
}
