//! Who may do what, generated from the document.

use fargate_fleet::http;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{ACCOUNT, BASE, Send as _, TestApp};

struct Route {
    method: Method,
    path: String,
    role: String,
    /// Belongs to an account, so that callers of others must not see it.
    scoped: bool,
}

fn routes(job: &str, operation: &str, token: &str, webhooks: &Webhooks) -> Vec<Route> {
    let document: Value = serde_json::from_str(&http::openapi_json()).unwrap();
    let mut routes = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        for (method, details) in item.as_object().unwrap() {
            let role = details["x-required-role"].as_str();
            let role = role.unwrap_or_else(|| panic!("{method} {template} names no role"));
            let path = template
                .replace("{accountId}", ACCOUNT)
                .replace("{region}", "eu-central-1")
                .replace("{clusterName}", "prod-1")
                .replace("{profileName}", "fp-x")
                .replace(
                    "{principalArn}",
                    "arn%3Aaws%3Aiam%3A%3A111111111111%3Arole%2Fx",
                )
                .replace("{webhookId}", webhooks.of(method))
                .replace("{deliveryId}", &webhooks.delivery)
                .replace("{jobId}", job)
                .replace("{operationId}", operation)
                .replace("{tokenId}", token);
            let waits = details["parameters"].to_string().contains("waitSeconds");
            let query = if waits { "?waitSeconds=0" } else { "" };
            routes.push(Route {
                method: method.to_uppercase().parse().unwrap(),
                path: format!("{path}{query}"),
                role: role.to_owned(),
                scoped: template.contains('{'),
            });
        }
    }
    routes
}

/// The id of a token that nobody uses.
async fn spare_token(app: &TestApp) -> String {
    let spare = json!({"name": "spare", "role": "viewer"});
    let made = app.admin(Method::POST, "/v1/tokens").json(&spare).answer();
    let made = made.await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

/// One to be deleted, and one for all else.
struct Webhooks {
    kept: String,
    deleted: String,
    delivery: String,
}

impl Webhooks {
    async fn create(app: &TestApp) -> Self {
        let kept = app.create_webhook("https://198.51.100.1/").await;
        let deleted = app.create_webhook("https://198.51.100.1/").await;
        let id = |webhook: &Value| webhook["id"].as_str().unwrap().to_owned();
        let test = format!("/v1/webhooks/{}/test", id(&kept));
        let delivery = app.admin(Method::POST, &test).answer().await.expect(202);
        Self {
            kept: id(&kept),
            deleted: id(&deleted),
            delivery: id(&delivery.json()),
        }
    }

    fn of(&self, method: &str) -> &str {
        if method == "delete" {
            &self.deleted
        } else {
            &self.kept
        }
    }
}

/// What a call without a body is answered, as far as access goes.
async fn status(app: &TestApp, route: &Route, token: Option<&str>) -> u16 {
    let mut request = app.request(route.method.clone(), &route.path);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    // Streams have no end while their job has none: the head is enough.
    request.send().await.unwrap().status().as_u16()
}

/// The id of an operation.
async fn create_operation(app: &TestApp) -> Value {
    let config = json!({
        "apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
        "metadata": {"name": "prod-1", "region": "eu-central-1"},
        "fargateProfiles": [{"name": "fp-c", "selectors": [{"namespace": "c"}]}],
    });
    let configs = format!("/v1/accounts/{ACCOUNT}/fargate-profiles");
    let post = app.operator(Method::POST, &configs).json(&config);
    post.answer().await.expect(202).json()["id"].clone()
}

#[tokio::test]
async fn every_route_refuses_callers_without_a_token_and_those_of_too_low_a_role() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp-matrix").await["id"].clone();
    let operation = create_operation(&app).await;
    let token = spare_token(&app).await;
    let webhooks = Webhooks::create(&app).await;
    let routes = routes(
        job.as_str().unwrap(),
        operation.as_str().unwrap(),
        &token,
        &webhooks,
    );
    assert!(routes.len() >= 40);
    let roles = ["viewer", "operator", "admin"];
    let rank = |role: &str| roles.iter().position(|known| *known == role);
    let all = [&app.tokens.viewer, &app.tokens.operator, &app.tokens.admin];
    let others = [
        &app.tokens.other_viewer,
        &app.tokens.other_operator,
        &app.tokens.other_admin,
    ];
    for route in &routes {
        let name = format!("{} {} ({})", route.method, route.path, route.role);
        let Some(needed) = rank(&route.role) else {
            assert_eq!(route.role, "none", "{name}");
            assert_eq!(status(&app, route, None).await, 200, "{name}");
            continue;
        };
        for bad in [None, Some("fleet_unknown"), Some("")] {
            assert_eq!(status(&app, route, bad).await, 401, "{name} with {bad:?}");
        }
        for (rank, token) in all.into_iter().enumerate() {
            let status = status(&app, route, Some(token)).await;
            let refused = matches!(status, 401 | 403 | 404);
            if rank < needed {
                assert_eq!(status, 403, "{name} by {}", roles[rank]);
            } else {
                assert!(
                    !refused && status < 500,
                    "{name} by {}: {status}",
                    roles[rank]
                );
            }
        }
        for (rank, token) in others.into_iter().enumerate().filter(|_| route.scoped) {
            let status = status(&app, route, Some(token)).await;
            assert_eq!(status, 404, "{name} by {} of another account", roles[rank]);
        }
    }
    app.hands.finish_all().await;
    app.end().await;
}

#[tokio::test]
async fn lists_show_only_what_the_caller_may_see() {
    let app = TestApp::start().await;
    app.create_profile("fp-mine").await;
    for path in [
        "/v1/accounts",
        "/v1/jobs",
        "/v1/operations",
        "/v1/audit-events",
    ] {
        let list = app
            .request(Method::GET, path)
            .bearer_auth(&app.tokens.other_viewer);
        assert_eq!(
            list.answer().await.expect(200).json(),
            json!({"items": []}),
            "{path}"
        );
    }
    let asked = format!("/v1/jobs?accountId={ACCOUNT}");
    let list = app
        .request(Method::GET, &asked)
        .bearer_auth(&app.tokens.other_viewer);
    assert_eq!(list.answer().await.expect(200).json(), json!({"items": []}));
    app.end().await;
}

#[tokio::test]
async fn an_administrator_of_one_account_registers_only_that_one() {
    let app = TestApp::start().await;
    let register = async |id: &str| {
        let body = json!({"accountId": id, "name": "x", "regions": ["eu-central-1"]});
        let post = app
            .request(Method::POST, "/v1/accounts")
            .bearer_auth(&app.tokens.other_admin);
        post.json(&body).answer().await
    };
    register("222222222222")
        .await
        .problem(403, "permission_denied");
    register("999999999999").await.expect(201);
    app.end().await;
}

#[tokio::test]
async fn an_expired_or_revoked_token_is_no_token() {
    let app = TestApp::start().await;
    app.viewer("/v1/jobs").answer().await.expect(200);
    let used: bool = sqlx::query_scalar(
        "select last_used_at is not null from api_tokens where name = 'all-viewer'",
    )
    .fetch_one(&app.pool)
    .await
    .unwrap();
    assert!(used);
    for change in [
        "expires_at = now()",
        "expires_at = null, revoked_at = now()",
    ] {
        let sql = format!("update api_tokens set {change} where name = 'all-viewer'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&app.pool)
            .await
            .unwrap();
        let refused = app.refused_soon("/v1/jobs").await;
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
        refused.problem(401, "unauthenticated");
    }
    // Being refused comes before being told what is wrong.
    let path = format!("{}?nothing=1", BASE.replace("eu-central-1", "nowhere"));
    app.request(Method::GET, &path)
        .answer()
        .await
        .problem(401, "unauthenticated");
    app.end().await;
}
