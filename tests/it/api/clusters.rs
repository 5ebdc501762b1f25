//! Clusters: plans, creation, deletion, live reads, kubeconfigs.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{ACCOUNT, Answer, Send as _, TestApp};

const CREATE: &str = "/v1/accounts/111111111111/clusters";
const CLUSTERS: &str = "/v1/accounts/111111111111/regions/eu-central-1/clusters";
const ONE: &str = "/v1/accounts/111111111111/regions/eu-central-1/clusters/prod-2";

fn short() -> Value {
    json!({"metadata": {"name": "prod-2", "region": "eu-central-1"}})
}

const FILE: &str = "
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata:
  name: prod-2
  region: eu-central-1
nodeGroups:
  - name: ng-1
    instanceType: m5.large
    desiredCapacity: 1
fargateProfiles:
  - name: fp-default
    selectors:
      - namespace: default
      - namespace: kube-system
  - name: fp-dev
    selectors:
      - namespace: dev
        labels: {env: dev, checks: passed}
";

async fn create(app: &TestApp, query: &str, body: &Value) -> Answer {
    let post = app.operator(Method::POST, &format!("{CREATE}{query}"));
    post.json(body).answer().await
}

async fn create_of_yaml(app: &TestApp, query: &str, body: &str) -> Answer {
    let post = app.operator(Method::POST, &format!("{CREATE}{query}"));
    let post = post.header("Content-Type", "application/yaml");
    post.body(body.to_owned()).answer().await
}

/// Rows that a request may leave behind.
async fn rows(app: &TestApp) -> i64 {
    let sql = "select (select count(*) from job_rows) + (select count(*) from audit_events)
        + (select count(*) from idempotency_keys)";
    sqlx::query_scalar(sql).fetch_one(&app.pool).await.unwrap()
}

fn names(plan: &Value, of: &str) -> Vec<String> {
    let all = plan[of].as_array().unwrap().iter();
    all.map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_plan_holds_templates_and_ordered_steps_and_touches_nothing() {
    let app = TestApp::start().await;
    let before = rows(&app).await;
    let post = app.operator(
        Method::POST,
        &format!("{CREATE}?fargate=true&validateOnly=true"),
    );
    let post = post.header("Idempotency-Key", "plan-then-create");
    let plan = post.json(&short()).answer().await.expect(200).json();
    assert_eq!(
        (&plan["clusterName"], &plan["region"]),
        (&json!("prod-2"), &json!("eu-central-1"))
    );
    assert_eq!(
        names(&plan, "steps"),
        [
            "preflight",
            "cluster_stack",
            "add_ons",
            "control_plane_ready",
            "fargate_profiles",
            "coredns",
            "metrics_server"
        ]
    );
    assert_eq!(names(&plan, "stacks"), ["eksctl-prod-2-cluster"]);
    let template = &plan["stacks"][0]["template"];
    assert_eq!(
        template["Resources"]["ControlPlane"]["Type"],
        "AWS::EKS::Cluster"
    );
    assert!(
        template["Resources"]
            .get("FargatePodExecutionRole")
            .is_none(),
        "the account's role is used"
    );
    assert!(
        plan["assumptions"][0]
            .as_str()
            .unwrap()
            .contains("eu-central-1a")
    );
    assert!(plan["warnings"].is_array());
    assert_eq!(rows(&app).await, before);
    assert!(app.hands.claim().await.is_empty());
    // The key was not used up by the plan.
    let post = app.operator(Method::POST, &format!("{CREATE}?fargate=true"));
    let post = post.header("Idempotency-Key", "plan-then-create");
    post.json(&short()).answer().await.expect(202);
    assert_eq!(rows(&app).await, before + 3);
    app.end().await;
}

#[tokio::test]
async fn the_plan_of_a_file_has_a_step_for_each_profile_and_a_stack_for_each_nodegroup() {
    let app = TestApp::start().await;
    let plan = create_of_yaml(&app, "?validateOnly=true", FILE).await;
    let plan = plan.expect(200).json();
    let steps = names(&plan, "steps");
    assert_eq!(
        steps
            .iter()
            .filter(|step| *step == "fargate_profiles")
            .count(),
        2
    );
    assert_eq!(
        names(&plan, "stacks"),
        ["eksctl-prod-2-cluster", "eksctl-prod-2-nodegroup-ng-1"]
    );
    assert!(app.hands.claim().await.is_empty());
    app.end().await;
}

#[tokio::test]
async fn a_cluster_without_a_name_gets_one_and_a_repeated_request_gets_that_job() {
    let app = TestApp::start().await;
    let nameless = json!({"metadata": {"region": "eu-central-1"}});
    let plan = create(&app, "?fargate=true&validateOnly=true", &nameless).await;
    let plan = plan.expect(200).json();
    assert_eq!(plan["clusterName"], "named-when-created");
    let assumptions = plan["assumptions"].to_string();
    assert!(
        assumptions.contains("the cluster's name is made when it is created"),
        "{assumptions}"
    );
    let post = async |body: &Value| {
        let post = app.operator(Method::POST, &format!("{CREATE}?fargate=true"));
        post.header("Idempotency-Key", "nameless")
            .json(body)
            .answer()
            .await
            .expect(202)
    };
    let first = post(&nameless).await.json();
    let name = first["clusterName"].as_str().unwrap();
    let parts: Vec<&str> = name.split('-').collect();
    assert_eq!(parts.len(), 3, "{name}");
    assert!(parts[2].parse::<u64>().is_ok(), "{name}");
    let again = post(&nameless).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json()["id"], first["id"]);
    let claimed = app.hands.claim_one().await;
    assert_eq!(claimed.input["spec"]["name"], name);
    assert_eq!(
        claimed.lane.as_deref(),
        Some(format!("eu-central-1/{name}").as_str())
    );
    app.hands.succeed(&claimed, json!({})).await;
    // Without a key each request is a cluster of its own.
    let second = create(&app, "?fargate=true", &nameless)
        .await
        .expect(202)
        .json();
    assert_ne!(second["clusterName"], first["clusterName"]);
    app.hands.claim_one().await;
    app.stop().await;
}

#[tokio::test]
async fn metrics_server_is_left_out_where_aws_has_none_and_defaults_can_be_disabled() {
    let app = TestApp::start().await;
    let account = json!({"accountId": "444444444444", "name": "cn", "regions": ["cn-northwest-1"]});
    let post = app.admin(Method::POST, "/v1/accounts").json(&account);
    post.answer().await.expect(201);
    let plan = async |path: &str, config: &Value| {
        let path = format!("{path}?fargate=true&validateOnly=true");
        let post = app.admin(Method::POST, &path).json(config);
        post.answer().await.expect(200).json()
    };
    let config = json!({"metadata": {"name": "cn-1", "region": "cn-northwest-1"}});
    let there = plan("/v1/accounts/444444444444/clusters", &config).await;
    let steps = there["steps"].to_string();
    let none = ["metrics-server", "metrics_server"];
    assert!(!none.iter().any(|name| steps.contains(name)), "{steps}");
    let mut config = short();
    let here = plan(CREATE, &config).await;
    assert!(
        here["steps"]
            .to_string()
            .contains("create the add-ons metrics-server")
    );
    config["addonsConfig"] = json!({"disableDefaultAddons": true});
    let bare = plan(CREATE, &config).await;
    let steps = [
        "preflight",
        "cluster_stack",
        "control_plane_ready",
        "fargate_profiles",
    ];
    assert_eq!(names(&bare, "steps"), steps);
    assert!(bare["warnings"].to_string().contains("no_coredns"));
    app.end().await;
}

#[tokio::test]
async fn versions_are_shown_in_the_plan_as_far_as_they_are_known() {
    let app = TestApp::start().await;
    let mut config = short();
    config["metadata"]["version"] = json!("latest");
    config["addons"] = json!([{"name": "vpc-cni", "version": "1.20"}]);
    let plan = create(&app, "?fargate=true&validateOnly=true", &config).await;
    let plan = plan.expect(200).json();
    let preflight = plan["steps"][0]["description"].as_str().unwrap();
    assert!(preflight.contains("Kubernetes latest"), "{preflight}");
    assert!(preflight.contains("vpc-cni 1.20"), "{preflight}");
    let template = &plan["stacks"][0]["template"]["Resources"];
    assert_eq!(template["ControlPlane"]["Properties"]["Version"], "1.34");
    let assumptions = plan["assumptions"].to_string();
    assert!(
        assumptions.contains("the newest Kubernetes version"),
        "{assumptions}"
    );
    app.end().await;
}

/// EKS decides, but only when the job runs: what is known of it is said at once.
#[tokio::test]
async fn what_eks_will_hardly_take_is_a_warning_in_plan_and_job_alike() {
    let app = TestApp::start().await;
    let mut config = short();
    config["metadata"]["version"] = json!("1.21");
    config["fargateProfiles"] = json!([{"name": "p", "selectors": [{"namespace": "Dev"}]}]);
    for query in ["?validateOnly=true", ""] {
        let answer = create(&app, query, &config).await;
        let answer = answer
            .expect(if query.is_empty() { 202 } else { 200 })
            .json();
        let warnings = answer["warnings"].as_array().unwrap().iter();
        let codes: Vec<&str> = warnings.map(|one| one["code"].as_str().unwrap()).collect();
        for code in ["version_not_offered", "namespace_never_matches"] {
            assert!(codes.contains(&code), "{code}: {answer}");
        }
    }
    let job = app.hands.claim_one().await;
    app.hands.succeed(&job, json!({})).await;
    app.end().await;
}

/// What is added to a config, and where it is pointed at.
#[expect(clippy::too_many_lines, reason = "a table")]
fn broken() -> Vec<(Vec<&'static str>, Value)> {
    let elsewhere = "arn:aws:iam::222222222222:role/x";
    vec![
        (
            vec!["/metadata/name"],
            json!({"metadata": {"name": "a_b", "region": "eu-central-1"}}),
        ),
        (
            vec!["/metadata/region"],
            json!({"metadata": {"name": "a", "region": "ap-northeast-1"}}),
        ),
        (
            vec!["/metadata/version"],
            json!({"metadata": {"name": "a", "region": "eu-central-1", "version": "newest"}}),
        ),
        (
            vec!["/addons"],
            json!({"addonsConfig": {"autoApplyPodIdentityAssociations": true}}),
        ),
        (
            vec!["/addons/0/version"],
            json!({"addons": [{"name": "vpc-cni", "version": "new"}]}),
        ),
        (
            vec!["/availabilityZones/0"],
            json!({"availabilityZones": ["eu-west-1a", "eu-central-1a"]}),
        ),
        (
            vec!["/availabilityZones/1"],
            json!({"availabilityZones": ["eu-central-1a", "eu-central-1a"]}),
        ),
        (
            vec!["/availabilityZones"],
            json!({"availabilityZones": ["eu-central-1a"]}),
        ),
        (
            vec!["/fargateProfiles/0/name"],
            json!({"fargateProfiles": [{"name": "my.profile", "selectors": [{"namespace": "a"}]}]}),
        ),
        (
            vec!["/secretsEncryption/keyARN"],
            json!({"secretsEncryption": {"keyARN": "x"}}),
        ),
        (
            vec!["/nodeGroups/0/ssh/publicKey"],
            json!({"nodeGroups": [{"name": "a", "ssh": {"publicKey": "x"}}]}),
        ),
        (
            vec!["/cloudWatch/clusterLogging/logRetentionInDays"],
            json!({"cloudWatch": {"clusterLogging": {"enableTypes": ["*"], "logRetentionInDays": 31}}}),
        ),
        (
            vec!["/fargateProfiles/1/name", "/fargateProfiles/2/selectors"],
            json!({"fargateProfiles": [
                {"name": "ok", "selectors": [{"namespace": "a"}]},
                {"name": "eks-x", "selectors": [{"namespace": "a"}]},
                {"name": "none", "selectors": []},
            ]}),
        ),
        (
            vec!["/iam/fargatePodExecutionRoleARN"],
            json!({"iam": {"fargatePodExecutionRoleARN": elsewhere}}),
        ),
        (
            vec!["/capabilities/0/roleArn"],
            json!({"capabilities": [{"name": "kro", "type": "KRO", "roleArn": elsewhere}]}),
        ),
        (
            vec![
                "/addons/0/serviceAccountRoleARN",
                "/fargateProfiles/0/podExecutionRoleARN",
            ],
            json!({
                "addons": [{"name": "vpc-cni", "serviceAccountRoleARN": elsewhere}],
                "fargateProfiles": [{
                    "name": "p", "podExecutionRoleARN": elsewhere, "selectors": [{"namespace": "a"}]
                }],
            }),
        ),
    ]
}

#[tokio::test]
async fn a_broken_config_is_pointed_at_before_anything_is_touched() {
    let app = TestApp::start().await;
    let before = rows(&app).await;
    for (pointers, change) in broken() {
        let mut config = short();
        config
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        for query in ["", "?validateOnly=true"] {
            let problem = create(&app, query, &config)
                .await
                .problem(422, "invalid_request");
            let errors = problem["errors"].as_array().unwrap().iter();
            let told: Vec<&str> = errors.map(|e| e["pointer"].as_str().unwrap()).collect();
            assert_eq!(told, pointers, "{problem}");
        }
    }
    create(&app, "?fargat=true", &short())
        .await
        .problem(422, "invalid_request");
    create_of_yaml(&app, "", "a: [")
        .await
        .problem(400, "invalid_request");
    let text = app
        .operator(Method::POST, CREATE)
        .header("Content-Type", "text/plain");
    text.body(FILE)
        .answer()
        .await
        .problem(415, "invalid_request");
    assert_eq!(rows(&app).await, before);
    app.end().await;
}

#[tokio::test]
async fn the_short_form_creates_a_cluster_with_the_default_profile() {
    let app = TestApp::start().await;
    let made = create(&app, "?fargate=true", &short()).await.expect(202);
    let job = made.json();
    assert_eq!(made.header("location"), job["links"]["self"]);
    assert_eq!(
        (&job["kind"], &job["state"]),
        (&json!("create_cluster"), &json!("queued"))
    );
    assert_eq!(
        (&job["clusterName"], &job["links"]["target"]),
        (&json!("prod-2"), &json!(ONE))
    );
    assert_eq!(
        job["message"],
        "Queued: create cluster prod-2 (eu-central-1)."
    );
    let claimed = app.hands.claim_one().await;
    assert_eq!(claimed.lane.as_deref(), Some("eu-central-1/prod-2"));
    let spec = &claimed.input["spec"];
    let profile = &spec["fargateProfiles"][0];
    assert_eq!(profile["name"], "fp-default");
    assert_eq!(
        profile["selectors"],
        json!([{"namespace": "default"}, {"namespace": "kube-system"}])
    );
    let role = format!("arn:aws:iam::{ACCOUNT}:role/fargate-pod-execution");
    assert_eq!(spec["podExecutionRole"], role);
    app.hands
        .succeed(
            &claimed,
            json!({"cluster": {"name": "prod-2", "status": "ACTIVE"}}),
        )
        .await;
    let job = app
        .viewer(job["links"]["self"].as_str().unwrap())
        .answer()
        .await
        .json();
    let cluster = json!({
        "name": "prod-2", "status": "ACTIVE", "accountId": ACCOUNT, "region": "eu-central-1"
    });
    assert_eq!(job["cluster"], cluster);
    let sql = "select action, resource, detail from audit_events order by event_seq desc limit 1";
    let (action, resource, detail): (String, String, Value) =
        sqlx::query_as(sql).fetch_one(&app.pool).await.unwrap();
    assert_eq!((action.as_str(), resource.as_str()), ("createCluster", ONE));
    assert_eq!(detail["profileNames"], json!(["fp-default"]));
    app.end().await;
}

#[tokio::test]
async fn yaml_and_json_say_the_same() {
    let app = TestApp::start().await;
    let mut inputs = Vec::new();
    let config = json!({
        "apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
        "metadata": {"name": "prod-2", "region": "eu-central-1"},
        "nodeGroups": [{"name": "ng-1", "instanceType": "m5.large", "desiredCapacity": 1}],
        "fargateProfiles": [
            {"name": "fp-default", "selectors": [{"namespace": "default"}, {"namespace": "kube-system"}]},
            {"name": "fp-dev", "selectors": [
                {"namespace": "dev", "labels": {"env": "dev", "checks": "passed"}}
            ]},
        ],
    });
    create_of_yaml(&app, "", FILE).await.expect(202);
    let second = create(&app, "", &config).await.expect(202).json();
    assert_eq!(
        second["waitingReason"], "lane",
        "one change of a cluster at a time"
    );
    for _ in 0..2 {
        let job = app.hands.claim_one().await;
        inputs.push(job.input.clone());
        app.hands.succeed(&job, json!({})).await;
    }
    assert_eq!(inputs[0], inputs[1]);
    assert_eq!(
        inputs[0]["spec"]["nodegroups"][0]["instanceType"],
        "m5.large"
    );
    app.end().await;
}

#[tokio::test]
async fn an_account_without_a_default_role_leaves_the_role_to_the_stack() {
    let app = TestApp::start().await;
    let bare = json!({"podExecutionRoleARN": ""});
    let path = format!("/v1/accounts/{ACCOUNT}");
    app.admin(Method::PATCH, &path)
        .json(&bare)
        .answer()
        .await
        .expect(200);
    let plan = create(&app, "?fargate=true&validateOnly=true", &short()).await;
    let plan = plan.expect(200).json();
    let resources = &plan["stacks"][0]["template"]["Resources"];
    assert_eq!(
        resources["FargatePodExecutionRole"]["Type"],
        "AWS::IAM::Role"
    );
    app.end().await;
}

#[tokio::test]
async fn the_same_key_makes_one_cluster() {
    let app = TestApp::start().await;
    let post = async |body: &Value| {
        let post = app.operator(Method::POST, &format!("{CREATE}?fargate=true"));
        post.header("Idempotency-Key", "one")
            .json(body)
            .answer()
            .await
    };
    let first = post(&short()).await.expect(202).json();
    let again = post(&short()).await.expect(202);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json()["id"], first["id"]);
    let other = json!({"metadata": {"name": "prod-3", "region": "eu-central-1"}});
    post(&other).await.problem(422, "idempotency_key_reused");
    app.hands.claim_one().await;
    app.stop().await;
}

#[tokio::test]
async fn a_deletion_asks_for_the_name_twice() {
    let app = TestApp::start().await;
    for query in ["", "?confirm=", "?confirm=prod-1", "?confirm=PROD-2"] {
        let path = format!("{ONE}{query}");
        let refused = app.operator(Method::DELETE, &path).answer().await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], "/query/confirm");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert!(message.ends_with("send confirm=prod-2"), "{message}");
    }
    for (query, unowned) in [("", false), ("&unowned=true", true)] {
        let path = format!("{ONE}?confirm=prod-2{query}");
        let job = app
            .operator(Method::DELETE, &path)
            .answer()
            .await
            .expect(202)
            .json();
        assert_eq!(
            (&job["kind"], &job["links"]["target"]),
            (&json!("delete_cluster"), &json!(ONE))
        );
        let claimed = app.hands.claim_one().await;
        assert_eq!(claimed.input, json!({"unowned": unowned}));
        assert_eq!(claimed.lane.as_deref(), Some("eu-central-1/prod-2"));
        app.hands.succeed(&claimed, json!({})).await;
    }
    app.end().await;
}

#[tokio::test]
async fn viewers_read_operators_change_and_others_see_nothing() {
    let app = TestApp::start().await;
    let confirmed = format!("{ONE}?confirm=prod-2");
    let kubeconfig = format!("{ONE}/kubeconfig");
    let all = [
        (Method::POST, CREATE, 403),
        (Method::DELETE, confirmed.as_str(), 403),
        (Method::GET, CLUSTERS, 202),
        (Method::GET, ONE, 202),
        (Method::GET, kubeconfig.as_str(), 202),
    ];
    for (method, path, status) in all {
        let send = async |token: &str| {
            let request = app.request(method.clone(), path).bearer_auth(token);
            let request = request.header("Prefer", "respond-async");
            request.json(&short()).answer().await
        };
        send(&app.tokens.viewer).await.expect(status);
        let problem = send(&app.tokens.other_operator)
            .await
            .problem(404, "not_found");
        assert_eq!(problem["resource"], "account", "{method} {path}");
    }
    app.end().await;
}

/// Answers the next live read.
async fn answer_read(app: &TestApp, kind: &str, result: Value) {
    let job = loop {
        if let Some(job) = app.hands.claim().await.pop() {
            break job;
        }
    };
    assert_eq!((job.kind.as_str(), &job.input), (kind, &json!({})));
    app.forget_reads().await;
    app.hands.succeed(&job, result).await;
}

fn active() -> Value {
    json!({
        "name": "prod-2", "status": "ACTIVE", "version": "1.34",
        "arn": "arn:aws:eks:eu-central-1:111111111111:cluster/prod-2",
        "endpoint": "https://ABC.gr7.eu-central-1.eks.amazonaws.com",
        "certificateAuthority": "LS0tLS1CRUdJTg==",
    })
}

#[tokio::test]
async fn live_reads_answer_with_clusters_and_their_place() {
    let app = TestApp::start().await;
    let mut placed = active();
    placed["accountId"] = json!(ACCOUNT);
    placed["region"] = json!("eu-central-1");
    let read = app.viewer(ONE);
    let answered = answer_read(&app, "get_cluster", json!({"cluster": active()}));
    let (answer, ()) = tokio::join!(read.answer(), answered);
    assert_eq!(answer.expect(200).json(), placed);
    let read = app.viewer(CLUSTERS);
    let answered = answer_read(&app, "list_clusters", json!({"clusters": [active()]}));
    let (answer, ()) = tokio::join!(read.answer(), answered);
    assert_eq!(answer.expect(200).json(), json!({"items": [placed]}));
    app.end().await;
}

#[tokio::test]
async fn a_read_that_takes_too_long_answers_with_its_job() {
    let app = TestApp::start().await;
    let kubeconfig = format!("{ONE}/kubeconfig");
    for (path, kind, target) in [
        (CLUSTERS, "list_clusters", CLUSTERS),
        (ONE, "get_cluster", ONE),
        (kubeconfig.as_str(), "get_cluster", ONE),
    ] {
        let later = app.viewer(&format!("{path}?waitSeconds=0")).answer().await;
        let job = later.expect(202).json();
        assert_eq!(
            (&job["kind"], &job["links"]["target"]),
            (&json!(kind), &json!(target))
        );
        let claimed = app.hands.claim_one().await;
        app.forget_reads().await;
        let result = json!({"clusters": [{"name": "prod-2"}]});
        app.hands.succeed(&claimed, result).await;
        let own = job["links"]["self"].as_str().unwrap();
        let job = app.viewer(own).answer().await.expect(200).json();
        assert_eq!(job["clusters"][0]["region"], "eu-central-1");
    }
    let listed = "/v1/jobs?kind=list_clusters,get_cluster&region=eu-central-1";
    let listed = app.viewer(listed).answer().await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    let of_cluster = app.viewer("/v1/jobs?clusterName=prod-2").answer().await;
    assert_eq!(of_cluster.json()["items"].as_array().unwrap().len(), 2);
    app.end().await;
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_not_found() {
    let app = TestApp::start().await;
    let kubeconfig = format!("{ONE}/kubeconfig");
    for path in [ONE, &kubeconfig] {
        let (answer, ()) = tokio::join!(app.viewer(path).answer(), async {
            let job = loop {
                if let Some(job) = app.hands.claim().await.pop() {
                    break job;
                }
            };
            app.hands
                .fail(&job, "not_found", "there is no cluster prod-2")
                .await;
        });
        let problem = answer.problem(404, "not_found");
        assert_eq!(problem["detail"], "there is no cluster prod-2");
    }
    app.end().await;
}

async fn kubeconfig(app: &TestApp, query: &str, accept: Option<&str>, cluster: Value) -> Answer {
    let mut read = app.viewer(&format!("{ONE}/kubeconfig{query}"));
    if let Some(accept) = accept {
        read = read.header("Accept", accept);
    }
    let answered = answer_read(app, "get_cluster", json!({"cluster": cluster}));
    tokio::join!(read.answer(), answered).0
}

#[tokio::test]
async fn a_kubeconfig_gets_its_tokens_from_the_aws_cli_and_holds_none() {
    let app = TestApp::start().await;
    let answer = kubeconfig(&app, "", None, active()).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/yaml");
    assert_eq!(answer.header("cache-control"), "no-store");
    let config: Value = serde_saphyr::from_str(&answer.text).unwrap();
    let arn = "arn:aws:eks:eu-central-1:111111111111:cluster/prod-2";
    let args = [
        "--region",
        "eu-central-1",
        "eks",
        "get-token",
        "--cluster-name",
        "prod-2",
        "--output",
        "json",
    ];
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": arn, "cluster": {
            "server": "https://ABC.gr7.eu-central-1.eks.amazonaws.com",
            "certificate-authority-data": "LS0tLS1CRUdJTg==",
        }}],
        "contexts": [{"name": arn, "context": {"cluster": arn, "user": arn}}],
        "current-context": arn,
        "users": [{"name": arn, "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "aws",
            "args": args,
        }}}],
    });
    assert_eq!(config, expected);
    for (query, accept) in [
        ("", Some("application/json")),
        ("?output=json", Some("text/yaml")),
    ] {
        let answer = kubeconfig(&app, query, accept, active()).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json(), expected);
    }
    let role = "arn:aws:iam::111111111111:role/developer";
    let answer = kubeconfig(
        &app,
        &format!("?roleArn={role}&output=json"),
        None,
        active(),
    )
    .await;
    let args = answer.expect(200).json()["users"][0]["user"]["exec"]["args"].clone();
    let args: Vec<&str> = args
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        args.windows(2).any(|pair| pair == ["--role-arn", role]),
        "{args:?}"
    );
    app.end().await;
}

#[tokio::test]
async fn a_cluster_without_an_endpoint_has_no_kubeconfig_yet() {
    let app = TestApp::start().await;
    let creating = json!({"name": "prod-2", "status": "CREATING", "arn": active()["arn"]});
    let problem = kubeconfig(&app, "", None, creating)
        .await
        .problem(409, "conflict");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("prod-2 is CREATING and has no endpoint yet"),
        "{detail}"
    );
    let odd = app
        .viewer(&format!("{ONE}/kubeconfig"))
        .header("Accept", "image/png");
    odd.answer().await.problem(406, "invalid_request");
    let odd = app.viewer(&format!("{ONE}/kubeconfig?output=table"));
    odd.answer().await.problem(422, "invalid_request");
    app.end().await;
}

#[tokio::test]
async fn the_plan_of_a_deletion_is_a_live_read_that_needs_an_operator() {
    let app = TestApp::start().await;
    let path = format!("{ONE}?confirm=prod-2&validateOnly=true&liftProtection=true");
    let refused = app
        .request(Method::DELETE, &path)
        .bearer_auth(&app.tokens.viewer);
    refused.answer().await.problem(403, "permission_denied");
    let plan = json!({
        "clusterName": "prod-2", "region": "eu-central-1", "owned": true, "protected": true,
        "steps": [{"name": "cluster", "description": "delete it", "resources": [
            {"kind": "stack", "id": "eksctl-prod-2-cluster", "protected": true}
        ]}],
        "obstacles": [{"code": "protected", "message": "It is.", "resources": []}],
        "warnings": [],
    });
    let hands = async {
        let job = loop {
            if let Some(job) = app.hands.claim().await.pop() {
                break job;
            }
        };
        assert_eq!(job.kind, "plan_cluster_deletion");
        assert_eq!(job.lane, None);
        let input = json!({"unowned": false, "liftProtection": true});
        assert_eq!(job.input, input);
        app.hands.succeed(&job, json!({"deletionPlan": plan})).await;
    };
    let request = app.operator(Method::DELETE, &path);
    let (answer, ()) = tokio::join!(request.answer(), hands);
    assert_eq!(answer.expect(200).json(), plan);
    app.end().await;
}

#[tokio::test]
async fn a_plan_that_takes_its_time_is_a_job_that_will_hold_it() {
    let app = TestApp::start().await;
    let path = format!("{ONE}?confirm=prod-2&validateOnly=true&waitSeconds=0");
    let request = app.operator(Method::DELETE, &path);
    let job = request.answer().await.expect(202).json();
    assert_eq!(job["kind"], "plan_cluster_deletion");
    let claimed = app.hands.claim_one().await;
    let plan = json!({"clusterName": "prod-2"});
    app.hands
        .succeed(&claimed, json!({"deletionPlan": plan}))
        .await;
    let own = job["links"]["self"].as_str().unwrap();
    let told = app.viewer(own).answer().await.json();
    assert_eq!(told["deletionPlan"]["clusterName"], "prod-2");
    assert_eq!(told["deletionPlan"]["obstacles"], json!([]));
    app.end().await;
}

#[tokio::test]
async fn cluster_jobs_can_be_retried() {
    let app = TestApp::start().await;
    create(&app, "?fargate=true", &short()).await.expect(202);
    let path = format!("{ONE}?confirm=prod-2&unowned=true");
    app.operator(Method::DELETE, &path)
        .answer()
        .await
        .expect(202);
    for _ in 0..2 {
        let old = app.hands.claim_one().await;
        app.hands.fail(&old, "not_stabilized", "It failed.").await;
        let retry = format!("/v1/jobs/{}/retry", old.job_id);
        let new = app
            .operator(Method::POST, &retry)
            .answer()
            .await
            .expect(202)
            .json();
        assert_eq!(
            (&new["retryOf"], &new["links"]["target"]),
            (&json!(old.job_id), &json!(ONE))
        );
        let told = app
            .viewer(&format!("/v1/jobs/{}", old.job_id))
            .answer()
            .await
            .json();
        assert_eq!(new["warnings"], told["warnings"]);
    }
    for kind in ["create_cluster", "delete_cluster"] {
        let job = app.hands.claim_one().await;
        assert_eq!(job.kind, kind);
        assert_eq!(job.lane.as_deref(), Some("eu-central-1/prod-2"));
        let input = &job.input;
        assert!(
            input["unowned"] == true || input["spec"]["name"] == "prod-2",
            "{input}"
        );
        app.hands.succeed(&job, json!({})).await;
    }
    app.end().await;
}
