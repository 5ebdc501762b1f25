//! Access entries: how they are asked for, and what accounts add to every cluster.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{ACCOUNT, Answer, Send as _, TestApp};

const ENTRIES: &str =
    "/v1/accounts/111111111111/regions/eu-central-1/clusters/prod-1/access-entries";
const ROLE: &str = "arn:aws:iam::111111111111:role/team/platform-admins";
const ENCODED: &str = "arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2Fteam%2Fplatform-admins";
const ADMIN: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
const BOUNDARY: &str = "arn:aws:iam::111111111111:policy/boundary";
const CREATE: &str = "/v1/accounts/111111111111/clusters";

async fn put(app: &TestApp, principal: &str, body: &Value) -> Answer {
    let put = app.operator(Method::PUT, &format!("{ENTRIES}/{principal}"));
    put.json(body).answer().await
}

async fn patch(app: &TestApp, body: &Value) -> Value {
    let patch = app.admin(Method::PATCH, &format!("/v1/accounts/{ACCOUNT}"));
    patch.json(body).answer().await.expect(200).json()
}

async fn plan(app: &TestApp, config: &Value) -> Answer {
    let post = app.operator(Method::POST, &format!("{CREATE}?validateOnly=true"));
    post.json(config).answer().await
}

fn config(parts: Value) -> Value {
    let mut config = json!({
        "metadata": {"name": "prod-2", "region": "eu-central-1"},
        "fargateProfiles": [{"name": "a", "selectors": [{"namespace": "a"}]}],
    });
    let Value::Object(parts) = parts else {
        panic!("{parts}")
    };
    config.as_object_mut().unwrap().extend(parts);
    config
}

fn pointers(problem: &Value) -> Vec<String> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|one| one["pointer"].as_str().unwrap().to_owned())
        .collect()
}

fn codes(answer: &Value) -> Vec<&str> {
    let warnings = answer["warnings"].as_array().unwrap().iter();
    warnings.map(|one| one["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_principal_is_read_from_the_path_however_it_is_encoded() {
    let app = TestApp::start().await;
    let half = "arn:aws:iam::111111111111:role%2Fteam%2Fplatform-admins";
    for principal in [ENCODED, half, ROLE] {
        let body =
            json!({"accessPolicies": [{"policyARN": ADMIN, "accessScope": {"type": "cluster"}}]});
        let job = put(&app, principal, &body).await.expect(202).json();
        assert_eq!(job["kind"], "put_access_entry");
        assert_eq!(job["links"]["target"], format!("{ENTRIES}/{ENCODED}"));
        let claimed = app.hands.claim_one().await;
        assert_eq!(claimed.lane.as_deref(), Some("eu-central-1/prod-1"));
        assert_eq!(claimed.input["entry"]["principalARN"], ROLE, "{principal}");
        let made = json!({"accessEntry": {"principalARN": ROLE, "type": "STANDARD"}});
        app.hands.succeed(&claimed, made.clone()).await;
        let read = app.viewer(job["links"]["self"].as_str().unwrap());
        let read = read.answer().await.expect(200).json();
        assert_eq!(read["accessEntry"], made["accessEntry"]);
        let delete = app.operator(Method::DELETE, &format!("{ENTRIES}/{principal}"));
        let job = delete.answer().await.expect(202).json();
        assert_eq!(job["kind"], "delete_access_entry");
        let claimed = app.hands.claim_one().await;
        assert_eq!(claimed.input["principalARN"], ROLE);
        app.hands.succeed(&claimed, json!({})).await;
        let get = app.viewer(&format!("{ENTRIES}/{principal}?waitSeconds=0"));
        let job = get.answer().await.expect(202).json();
        assert_eq!(job["kind"], "get_access_entry");
        let claimed = app.hands.claim_one().await;
        assert_eq!(claimed.lane, None);
        app.hands.succeed(&claimed, json!({})).await;
    }
    let sql = "select distinct action, resource from audit_events
        where action like '%AccessEntry' order by action";
    let told: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&app.pool).await.unwrap();
    let resource = format!("{ENTRIES}/{ENCODED}");
    let expected =
        ["deleteAccessEntry", "putAccessEntry"].map(|one| (one.to_owned(), resource.clone()));
    assert_eq!(told, expected);
    app.end().await;
}

#[tokio::test]
async fn all_entries_are_read_as_a_list() {
    let app = TestApp::start().await;
    let entry = json!({"principalARN": ROLE, "type": "STANDARD", "kubernetesGroups": ["a"]});
    let path = format!("{ENTRIES}?waitSeconds=20");
    let (list, ()) = tokio::join!(app.viewer(&path).answer(), async {
        let claimed = loop {
            if let Some(job) = app.hands.claim().await.pop() {
                break job;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(claimed.kind, "list_access_entries");
        app.hands
            .succeed(&claimed, json!({"accessEntries": [entry]}))
            .await;
    });
    assert_eq!(list.expect(200).json(), json!({"items": [entry]}));
    app.end().await;
}

#[tokio::test]
async fn what_is_wrong_with_an_entry_is_pointed_at_and_makes_no_job() {
    let app = TestApp::start().await;
    for (body, told) in [
        (json!({"type": "HYPERPOD_LINUX"}), "/type"),
        (
            json!({"type": "EC2_LINUX", "kubernetesGroups": ["a"]}),
            "/kubernetesGroups",
        ),
        (
            json!({"kubernetesGroups": ["system:masters"]}),
            "/kubernetesGroups/0",
        ),
        (
            json!({"principalARN": "arn:aws:iam::111111111111:role/other"}),
            "/principalARN",
        ),
        (json!({"group": "a"}), "/group"),
        (
            json!({"accessPolicies": [{"policyARN": ADMIN, "accessScope": ["cluster"]}]}),
            "/accessPolicies/0/accessScope",
        ),
        (
            json!({"accessPolicies": [{
                "policyARN": ADMIN.replace("arn:aws:", "arn:aws-cn:"),
                "accessScope": {"type": "cluster"}
            }]}),
            "/accessPolicies/0/policyARN",
        ),
    ] {
        let problem = put(&app, ENCODED, &body)
            .await
            .problem(422, "invalid_request");
        assert_eq!(pointers(&problem), [told], "{body}");
    }
    for bad in [
        "platform-admins",
        "arn%3Aaws%3Asts%3A%3A111111111111%3Aassumed-role%2Fx%2Fme",
    ] {
        let problem = put(&app, bad, &json!({}))
            .await
            .problem(422, "invalid_request");
        assert_eq!(pointers(&problem), ["/path/principalArn"], "{bad}");
    }
    assert!(app.hands.claim().await.is_empty());
    app.end().await;
}

#[tokio::test]
async fn the_fleet_is_never_shut_out() {
    let app = TestApp::start().await;
    let own = "arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2Ffargate-fleet";
    let account = app
        .viewer(&format!("/v1/accounts/{ACCOUNT}"))
        .answer()
        .await
        .json();
    assert_eq!(
        account["roleArn"],
        "arn:aws:iam::111111111111:role/fargate-fleet"
    );
    let problem = put(&app, own, &json!({})).await.problem(409, "conflict");
    assert!(
        problem["detail"].as_str().unwrap().contains("shut out"),
        "{problem}"
    );
    let delete = app.operator(Method::DELETE, &format!("{ENTRIES}/{own}"));
    delete.answer().await.problem(409, "conflict");
    let narrow = json!({"accessConfig": {"accessEntries": [{"principalARN": account["roleArn"]}]}});
    let problem = plan(&app, &config(narrow))
        .await
        .problem(422, "invalid_request");
    assert_eq!(
        pointers(&problem),
        ["/accessConfig/accessEntries/0/principalARN"]
    );
    assert!(app.hands.claim().await.is_empty());
    app.end().await;
}

#[tokio::test]
async fn the_same_key_makes_one_change() {
    let app = TestApp::start().await;
    let send = async |body: Value| {
        let put = app.operator(Method::PUT, &format!("{ENTRIES}/{ENCODED}"));
        let put = put.header("Idempotency-Key", "let-in");
        put.json(&body).answer().await
    };
    let first = send(json!({})).await.expect(202);
    let again = send(json!({})).await.expect(202);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(first.json()["id"], again.json()["id"]);
    send(json!({"tags": {"a": "b"}}))
        .await
        .problem(422, "idempotency_key_reused");
    app.hands.finish_all().await;
    app.end().await;
}

#[tokio::test]
async fn cluster_admins_of_an_account_come_into_every_cluster_and_the_config_wins() {
    let app = TestApp::start().await;
    let bare = plan(&app, &config(json!({}))).await.expect(200).json();
    assert_eq!(codes(&bare), ["only_the_fleet_can_use_it"]);
    let text = bare["warnings"][0]["message"].as_str().unwrap();
    assert!(
        text.contains("clusterAdminARNs") && text.contains("accessEntries"),
        "{text}"
    );
    let other = "arn:aws:iam::222222222222:user/auditor";
    let account = patch(&app, &json!({"clusterAdminARNs": [ROLE, other]})).await;
    assert_eq!(account["clusterAdminARNs"], json!([ROLE, other]));
    let planned = plan(&app, &config(json!({}))).await.expect(200).json();
    assert!(codes(&planned).is_empty(), "{planned}");
    assert_eq!(planned["steps"][2]["name"], "access_entries");
    let own = json!({"accessConfig": {"accessEntries": [
        {"principalARN": ROLE, "kubernetesGroups": ["readers"]}
    ]}});
    let post = app.operator(Method::POST, CREATE).json(&config(own));
    post.answer().await.expect(202);
    let claimed = app.hands.claim_one().await;
    let entries = &claimed.input["spec"]["access"]["entries"];
    assert_eq!(entries[0]["kubernetesGroups"], json!(["readers"]));
    assert_eq!(entries[0].get("accessPolicies"), None);
    assert_eq!(entries[1]["principalARN"], other);
    assert_eq!(entries[1]["accessPolicies"][0]["policyARN"], ADMIN);
    assert_eq!(entries.as_array().unwrap().len(), 2);
    app.hands.succeed(&claimed, json!({})).await;
    let by_map = json!({"accessConfig": {"authenticationMode": "CONFIG_MAP"}});
    let planned = plan(&app, &config(by_map)).await.expect(200).json();
    assert_eq!(codes(&planned), ["only_the_fleet_can_use_it"]);
    let both = json!({"accessConfig": {
        "authenticationMode": "CONFIG_MAP", "accessEntries": [{"principalARN": ROLE}]
    }});
    let problem = plan(&app, &config(both))
        .await
        .problem(422, "invalid_request");
    assert_eq!(pointers(&problem), ["/accessConfig/authenticationMode"]);
    for none in [json!(null), json!([])] {
        patch(&app, &json!({"clusterAdminARNs": [ROLE]})).await;
        let account = patch(&app, &json!({"clusterAdminARNs": none})).await;
        assert_eq!(account.get("clusterAdminARNs"), None);
    }
    app.end().await;
}

#[tokio::test]
async fn the_boundary_of_an_account_bounds_every_role_unless_the_request_names_one() {
    let app = TestApp::start().await;
    let fields = json!({"permissionsBoundaryARN": BOUNDARY, "podExecutionRoleARN": null});
    assert_eq!(
        patch(&app, &fields).await["permissionsBoundaryARN"],
        BOUNDARY
    );
    let nodes = json!({"nodeGroups": [{"name": "n"}], "managedNodeGroups": [{"name": "m"}]});
    let planned = plan(&app, &config(nodes)).await.expect(200).json();
    let boundary = |stack: usize, role: &str| {
        let resources = &planned["stacks"][stack]["template"]["Resources"];
        resources[role]["Properties"]["PermissionsBoundary"].clone()
    };
    for (stack, role) in [
        (0, "ServiceRole"),
        (0, "FargatePodExecutionRole"),
        (1, "NodeInstanceRole"),
        (2, "NodeInstanceRole"),
    ] {
        assert_eq!(boundary(stack, role), BOUNDARY, "{role}");
    }
    let own = "arn:aws:iam::111111111111:policy/own";
    let named = json!({
        "iam": {"serviceRolePermissionsBoundary": own},
        "nodeGroups": [{"name": "n", "iam": {"instanceRolePermissionsBoundary": own}}],
    });
    let planned = plan(&app, &config(named)).await.expect(200).json();
    let of = |stack: usize, role: &str| {
        let resources = &planned["stacks"][stack]["template"]["Resources"];
        resources[role]["Properties"]["PermissionsBoundary"].clone()
    };
    assert_eq!(of(0, "ServiceRole"), own);
    assert_eq!(of(0, "FargatePodExecutionRole"), BOUNDARY);
    assert_eq!(of(1, "NodeInstanceRole"), own);
    let role = "arn:aws:iam::111111111111:role/control-plane";
    let given = json!({"iam": {"serviceRoleARN": role}});
    let planned = plan(&app, &config(given)).await.expect(200).json();
    let template = &planned["stacks"][0]["template"];
    assert_eq!(template["Resources"].get("ServiceRole"), None);
    assert_eq!(
        template["Resources"]["ControlPlane"]["Properties"]["RoleArn"],
        role
    );
    assert_eq!(template["Outputs"]["ServiceRoleARN"]["Value"], role);
    app.end().await;
}

#[tokio::test]
async fn boundaries_and_service_roles_in_the_wrong_place_are_pointed_at() {
    let app = TestApp::start().await;
    let elsewhere = "arn:aws:iam::222222222222:policy/x";
    for (parts, told) in [
        (
            json!({"iam": {"serviceRolePermissionsBoundary": elsewhere}}),
            "/iam/serviceRolePermissionsBoundary",
        ),
        (
            json!({"iam": {"serviceRoleARN": "arn:aws:iam::222222222222:role/x"}}),
            "/iam/serviceRoleARN",
        ),
        (
            json!({"iam": {
                "serviceRoleARN": "arn:aws:iam::111111111111:role/x",
                "serviceRolePermissionsBoundary": BOUNDARY
            }}),
            "/iam/serviceRolePermissionsBoundary",
        ),
        (
            json!({"managedNodeGroups": [
                {"name": "m", "iam": {"instanceRolePermissionsBoundary": elsewhere}}
            ]}),
            "/managedNodeGroups/0/iam/instanceRolePermissionsBoundary",
        ),
    ] {
        let problem = plan(&app, &config(parts))
            .await
            .problem(422, "invalid_request");
        assert_eq!(pointers(&problem), [told]);
    }
    for (field, value) in [
        ("permissionsBoundaryARN", json!(elsewhere)),
        ("permissionsBoundaryARN", json!("boundary")),
        ("clusterAdminARNs", json!([ROLE, "admins"])),
        ("clusterAdminARNs", json!([ROLE, ROLE])),
        (
            "clusterAdminARNs",
            json!(["arn:aws-cn:iam::111111111111:role/x"]),
        ),
    ] {
        let account = format!("/v1/accounts/{ACCOUNT}");
        let send = app.admin(Method::PATCH, &account);
        let send = send.json(&json!({field: value}));
        let problem = send.answer().await.problem(422, "invalid_request");
        assert!(
            pointers(&problem)[0].starts_with(&format!("/{field}")),
            "{problem}"
        );
    }
    app.end().await;
}

async fn create_profile(app: &TestApp, name: &str, more: Value) -> Answer {
    let base = "/v1/accounts/111111111111/regions/eu-central-1/clusters/prod-1/fargate-profiles";
    let mut profile = json!({"name": name, "selectors": [{"namespace": "a"}]});
    let more = more.as_object().unwrap().clone();
    profile.as_object_mut().unwrap().extend(more);
    let post = app.operator(Method::POST, base);
    post.json(&profile).answer().await
}

const OWN: &str = "arn:aws:iam::111111111111:policy/own";

#[tokio::test]
async fn the_role_of_one_profile_is_bounded_by_its_request_or_its_account() {
    let app = TestApp::start().await;
    let own = json!({"permissionsBoundary": OWN});
    let job = create_profile(&app, "a", own.clone()).await;
    let job = job.expect(202).json();
    assert_eq!(
        codes(&job),
        ["boundary_not_used"],
        "the account's role is used"
    );
    app.hands.finish_all().await;
    patch(&app, &json!({"podExecutionRoleARN": null})).await;
    for (of_account, request, expected) in [
        (json!(null), json!({}), json!(null)),
        (json!(null), own.clone(), json!(OWN)),
        (json!(BOUNDARY), json!({}), json!(BOUNDARY)),
        (json!(BOUNDARY), own, json!(OWN)),
    ] {
        patch(&app, &json!({"permissionsBoundaryARN": of_account})).await;
        create_profile(&app, "b", request).await.expect(202);
        let claimed = app.hands.claim_one().await;
        assert_eq!(claimed.input["rolePermissionsBoundary"], expected);
        app.hands.succeed(&claimed, json!({})).await;
    }
    app.end().await;
}

#[tokio::test]
async fn a_boundary_that_can_not_bound_the_role_of_a_profile_is_pointed_at() {
    let app = TestApp::start().await;
    let role = "arn:aws:iam::111111111111:role/pods";
    for more in [
        json!({"permissionsBoundary": "x"}),
        json!({"permissionsBoundary": OWN.replace("1111", "2222")}),
        json!({"permissionsBoundary": OWN, "podExecutionRoleARN": role}),
    ] {
        let answer = create_profile(&app, "c", more).await;
        let problem = answer.problem(422, "invalid_request");
        assert_eq!(pointers(&problem), ["/permissionsBoundary"]);
    }
    let file = json!({
        "apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
        "metadata": {"name": "prod-1", "region": "eu-central-1"},
        "fargateProfiles": [{
            "name": "d", "selectors": [{"namespace": "d"}], "permissionsBoundary": OWN
        }],
    });
    let post = app.operator(
        Method::POST,
        &format!("/v1/accounts/{ACCOUNT}/fargate-profiles"),
    );
    let answer = post.json(&file).answer().await;
    let problem = answer.problem(422, "invalid_request");
    assert_eq!(
        pointers(&problem),
        ["/fargateProfiles/0/permissionsBoundary"]
    );
    app.end().await;
}
