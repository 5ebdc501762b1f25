//! eksctl's config files.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::app::{ACCOUNT, Send as _, TestApp};

const PATH: &str = "/v1/accounts/111111111111/fargate-profiles";

const CONFIG: &str = "apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata:
  name: prod-1
  region: eu-central-1
fargateProfiles:
  - name: fp-z
    selectors: [{namespace: z}]
  - name: fp-a
    selectors: [{namespace: a}]
  - name: fp-m
    selectors: [{namespace: m}]
";

async fn post(app: &TestApp, kind: &str, body: &str) -> crate::support::app::Answer {
    let post = app.operator(Method::POST, PATH).header(CONTENT_TYPE, kind);
    post.body(body.to_owned()).answer().await
}

fn names(operation: &Value) -> Vec<&str> {
    let jobs = operation["jobs"].as_array().unwrap();
    jobs.iter()
        .map(|job| job["profileName"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_config_file_becomes_one_job_a_profile_in_the_order_of_the_file() {
    let app = TestApp::start().await;
    let made = post(&app, "application/yaml", CONFIG).await.expect(202);
    let operation = made.json();
    let own = operation["links"]["self"].as_str().unwrap();
    assert_eq!(
        (made.header("location"), made.header("operation-location")),
        (own, own)
    );
    assert_eq!(names(&operation), ["fp-z", "fp-a", "fp-m"]);
    assert_eq!(operation["state"], "queued");
    assert_eq!(operation["counts"]["queued"], 3);
    let second = &operation["jobs"][1];
    assert_eq!(second["waitingReason"], "lane");
    assert_eq!(second["blockedBy"], operation["jobs"][0]["id"]);
    assert_eq!(
        (
            &second["queuePosition"],
            &operation["jobs"][2]["queuePosition"]
        ),
        (&json!(1), &json!(2))
    );
    let mut order = Vec::new();
    for _ in 0..3 {
        let job = app.hands.claim_one().await;
        order.push(job.profile_name.clone().unwrap());
        app.hands.succeed(&job, json!({})).await;
    }
    assert_eq!(order, ["fp-z", "fp-a", "fp-m"]);
    let done = app.viewer(own).answer().await.expect(200).json();
    assert_eq!(
        (&done["state"], &done["progressPercent"]),
        (&json!("succeeded"), &json!(100))
    );
    assert!(done["finishedAt"].is_string() && done.get("retryAfterSeconds").is_none());
    let jobs = app
        .viewer(operation["links"]["jobs"].as_str().unwrap())
        .answer()
        .await
        .expect(200);
    assert_eq!(jobs.json()["items"].as_array().unwrap().len(), 3);
    let list = app
        .viewer("/v1/operations")
        .answer()
        .await
        .expect(200)
        .json();
    assert_eq!(list["items"][0]["id"], operation["id"]);
    assert!(list["items"][0].get("jobs").is_none());
    app.end().await;
}

#[tokio::test]
async fn the_guides_own_file_works_as_it_stands() {
    let app = TestApp::start().await;
    let regions = json!({"regions": ["eu-central-1", "ap-northeast-1"]});
    let account = format!("/v1/accounts/{ACCOUNT}");
    app.admin(Method::PATCH, &account)
        .json(&regions)
        .answer()
        .await
        .expect(200);
    let file = include_str!("../../data/fargate-example-cluster.yaml");
    for kind in [
        "application/yaml",
        "application/x-yaml",
        "text/yaml; charset=utf-8",
    ] {
        let operation = post(&app, kind, file).await.expect(202).json();
        assert_eq!(names(&operation), ["fp-default", "fp-dev"]);
        assert_eq!(operation["clusterName"], "fargate-example-cluster");
    }
    app.end().await;
}

#[tokio::test]
async fn json_does_as_well_as_yaml_and_mistakes_are_pointed_at() {
    let app = TestApp::start().await;
    let config = json!({
        "apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
        "metadata": {"name": "prod-1", "region": "eu-central-1"},
        "fargateProfiles": [{"name": "fp-a", "selectors": [{"namespace": "a"}]}],
    });
    post(&app, "application/json", &config.to_string())
        .await
        .expect(202);
    post(&app, "text/plain", CONFIG)
        .await
        .problem(415, "invalid_request");
    post(&app, "application/yaml", "a: [")
        .await
        .problem(400, "invalid_request");
    post(&app, "application/json", "{")
        .await
        .problem(400, "invalid_request");
    for (pointer, from, to) in [
        ("/metadata/region", "eu-central-1", "ap-northeast-1"),
        (
            "/nodeGroup",
            "kind: ClusterConfig",
            "kind: ClusterConfig\nnodeGroup: []",
        ),
        ("/fargateProfiles/0/name", "- name: fp-z", "- name: fp.z"),
        ("/fargateProfiles/1/name", "name: fp-a", "name: fp-z"),
        (
            "/fargateProfiles/0/selector",
            "selectors: [{namespace: z}]",
            "selector: []",
        ),
        (
            "/fargateProfiles/0/podExecutionRoleARN",
            "- name: fp-z",
            "- name: fp-z\n    podExecutionRoleARN: arn:aws:iam::222222222222:role/x",
        ),
    ] {
        let refused = post(&app, "application/yaml", &CONFIG.replace(from, to)).await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    app.end().await;
}

#[tokio::test]
async fn what_eksctls_own_reader_takes_is_taken_and_mistakes_are_told_by_line_and_column() {
    let app = TestApp::start().await;
    let file = "\u{feff}%YAML 1.1
---
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: prod-1, region: eu-central-1, version: 1.34}
fargateProfiles:
- &base
  name: fp-a
  selectors: [{namespace: a, labels: {tier: 1, on-call: yes}}]
  tags: {cost-center: 42}
- <<: *base
  name: fp-b
  selectors: [{namespace: !!str 7}]
...
";
    let file = &file.replace('\n', "\r\n");
    post(&app, "application/yaml", file).await.expect(202);
    let mut profiles = Vec::new();
    for _ in 0..2 {
        let job = app.hands.claim_one().await;
        profiles.push(job.input["profile"].clone());
        app.hands.succeed(&job, json!({})).await;
    }
    let labels = json!({"tier": "1", "on-call": "true"});
    assert_eq!(
        profiles[0]["selectors"],
        json!([{"namespace": "a", "labels": labels}])
    );
    assert_eq!(profiles[1]["selectors"], json!([{"namespace": "7"}]));
    assert_eq!(profiles[1]["tags"], json!({"cost-center": "42"}));

    let typo = CONFIG.replace("[{namespace: m}]", "[{namspace: m}]");
    let problem = post(&app, "application/yaml", &typo).await;
    let problem = problem.problem(422, "invalid_request");
    assert_eq!(
        problem["errors"][0]["message"],
        "unknown field \"namspace\"; did you mean namespace? known here: labels, namespace (line 12, \
         column 18)"
    );
    let doubled = format!("{CONFIG}kind: ClusterConfig\n");
    let problem = post(&app, "application/yaml", &doubled).await;
    let problem = problem.problem(400, "invalid_request");
    let error = &problem["errors"][0];
    assert_eq!(error["pointer"], "/kind");
    assert_eq!(
        error["message"],
        "not valid YAML at line 13, column 1: the field \"kind\" stands twice in one object: keep one"
    );
    app.end().await;
}

/// One file for a cluster and its profiles, and in it what `output=yaml` printed.
#[tokio::test]
async fn the_whole_file_of_a_cluster_makes_its_profiles_and_says_what_it_passed_over() {
    let app = TestApp::start().await;
    let whole = CONFIG
        .replace(
            "fargateProfiles:",
            "iam: {withOIDC: true}\nmanagedNodeGroups: [{name: ng}]\nfargateProfiles:",
        )
        .replace("- name: fp-z", "- name: fp-z\n    status: ACTIVE");
    let operation = post(&app, "application/yaml", &whole).await.expect(202);
    let operation = operation.json();
    for job in operation["jobs"].as_array().unwrap() {
        let warning = &job["warnings"][0];
        assert_eq!(warning["code"], "not_acted_on");
        let message = warning["message"].as_str().unwrap();
        assert!(
            message.ends_with("managedNodeGroups, iam.withOIDC"),
            "{message}"
        );
    }
    app.hands.finish_all().await;
    app.end().await;
}

#[tokio::test]
async fn the_files_role_comes_before_the_accounts() {
    let app = TestApp::start().await;
    let role = "arn:aws:iam::111111111111:role/of-the-file";
    let iam = format!("iam: {{fargatePodExecutionRoleARN: \"{role}\"}}\nfargateProfiles:");
    let file = CONFIG.replace("fargateProfiles:", &iam);
    post(&app, "application/yaml", &file).await.expect(202);
    let job = app.hands.claim_one().await;
    assert_eq!(job.input["podExecutionRoleArn"], role);
    app.hands.succeed(&job, json!({})).await;
    app.hands.finish_all().await;
    app.end().await;
}

#[tokio::test]
async fn without_any_role_the_files_boundary_goes_to_the_worker() {
    let app = TestApp::start().await;
    let bare = json!({"podExecutionRoleARN": ""});
    app.admin(Method::PATCH, &format!("/v1/accounts/{ACCOUNT}"))
        .json(&bare)
        .answer()
        .await
        .expect(200);
    let file = |boundary: &str| {
        let iam = format!(
            "iam: {{fargatePodExecutionRolePermissionsBoundary: \"{boundary}\"}}\nfargateProfiles:"
        );
        CONFIG.replace("fargateProfiles:", &iam)
    };
    let refused = post(&app, "application/yaml", &file("pods")).await;
    let problem = refused.problem(422, "invalid_request");
    let pointer = "/iam/fargatePodExecutionRolePermissionsBoundary";
    assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");

    let boundary = "arn:aws:iam::111111111111:policy/pods";
    let accepted = post(&app, "application/yaml", &file(boundary)).await;
    accepted.expect(202);
    let job = app.hands.claim_one().await;
    assert_eq!(job.input.get("podExecutionRoleArn"), None);
    assert_eq!(job.input["rolePermissionsBoundary"], boundary);
    app.hands.succeed(&job, json!({})).await;
    app.hands.finish_all().await;
    app.end().await;
}
