//! Fargate profiles: from request to job, and live reads.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{ACCOUNT, BASE, Send as _, TestApp};

#[tokio::test]
async fn a_creation_is_durable_before_the_answer() {
    let app = TestApp::start().await;
    let body = json!({"name": "fp-dev", "selectors": [{"namespace": "dev"}], "tags": {"a": "b"}});
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let post = app
        .operator(Method::POST, BASE)
        .header("traceparent", trace)
        .json(&body);
    let made = post.answer().await.expect(202);
    let job = made.json();
    let id = job["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/v1/jobs/{id}"));
    assert_eq!(made.header("operation-location"), job["links"]["self"]);
    assert_eq!(
        made.header("retry-after"),
        job["retryAfterSeconds"].to_string()
    );
    assert_eq!(job["state"], "queued");
    assert_eq!(job["kind"], "create_fargate_profile");
    assert_eq!(job["profileName"], "fp-dev");
    assert_eq!(job["requestedBy"], "all-operator");
    assert_eq!(job["links"]["target"], format!("{BASE}/fp-dev"));
    assert_eq!(job["warnings"], json!([]));
    assert!(
        !job.as_object().unwrap().values().any(Value::is_null),
        "{job}"
    );
    let claimed = app.hands.claim_one().await;
    assert_eq!(claimed.job_id.to_string(), id);
    assert_eq!(claimed.traceparent.as_deref(), Some(trace));
    assert_eq!(claimed.input["nameGenerated"], false);
    assert_eq!(
        claimed.input["podExecutionRoleArn"],
        format!("arn:aws:iam::{ACCOUNT}:role/fargate-pod-execution")
    );
    app.hands.succeed(&claimed, json!({})).await;
    let (action, resource): (String, String) =
        sqlx::query_as("select action, resource from audit_events order by event_seq desc limit 1")
            .fetch_one(&app.pool)
            .await
            .unwrap();
    assert_eq!(
        (action.as_str(), resource),
        ("createFargateProfile", format!("{BASE}/fp-dev"))
    );
    app.end().await;
}

#[tokio::test]
async fn a_profile_without_a_name_gets_one() {
    let app = TestApp::start().await;
    let body = json!({"selectors": [{"namespace": "dev"}]});
    let job = app
        .operator(Method::POST, BASE)
        .json(&body)
        .answer()
        .await
        .expect(202)
        .json();
    let name = job["profileName"].as_str().unwrap();
    assert!(name.starts_with("fp-") && name.len() == 11, "{name}");
    let claimed = app.hands.claim_one().await;
    assert_eq!(claimed.input["nameGenerated"], true);
    assert_eq!(claimed.profile_name.as_deref(), Some(name));
    app.hands.succeed(&claimed, json!({})).await;
    app.end().await;
}

#[tokio::test]
async fn a_role_must_be_of_the_profiles_account_and_partition_or_is_the_workers_to_find() {
    let app = TestApp::start().await;
    let path = format!("/v1/accounts/{ACCOUNT}");
    let bare = json!({"podExecutionRoleARN": ""});
    app.admin(Method::PATCH, &path)
        .json(&bare)
        .answer()
        .await
        .expect(200);
    for (role, words) in [
        (
            "arn:aws:iam::222222222222:role/x",
            "is of account 222222222222",
        ),
        ("arn:aws-cn:iam::111111111111:role/x", "partition aws-cn"),
    ] {
        let mut body = json!({"name": "fp", "selectors": [{"namespace": "a"}]});
        body["podExecutionRoleARN"] = json!(role);
        let refused = app.operator(Method::POST, BASE).json(&body).answer().await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["pointer"], "/podExecutionRoleARN");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
    app.create_profile("fp").await;
    let job = app.hands.claim_one().await;
    assert_eq!(job.input.get("podExecutionRoleArn"), None);
    app.hands.succeed(&job, json!({})).await;
    app.end().await;
}

#[tokio::test]
async fn warnings_come_with_the_job() {
    let app = TestApp::start().await;
    let selectors: Vec<Value> = (0..6)
        .map(|i| json!({"namespace": format!("ns{i}")}))
        .collect();
    let body = json!({"name": "fp-wide", "selectors": selectors});
    let job = app
        .operator(Method::POST, BASE)
        .json(&body)
        .answer()
        .await
        .expect(202)
        .json();
    assert_eq!(job["warnings"][0]["code"], "selector_quota");
    app.end().await;
}

#[tokio::test]
async fn an_answer_can_be_held_until_the_job_has_ended() {
    let app = TestApp::start().await;
    let path = format!("{BASE}/fp-old?wait=false&waitSeconds=30");
    let (answer, ()) = tokio::join!(app.operator(Method::DELETE, &path).answer(), async {
        let job = loop {
            if let Some(job) = app.hands.claim().await.pop() {
                break job;
            }
        };
        assert_eq!(
            (job.kind.as_str(), &job.input),
            ("delete_fargate_profile", &json!({"wait": false}))
        );
        app.hands
            .fail(
                &job,
                "not_found",
                "No Fargate Profile found with name: fp-old",
            )
            .await;
    });
    let job = answer.expect(200).json();
    assert_eq!(
        (&job["state"], &job["error"]["code"]),
        (&json!("failed"), &json!("not_found"))
    );
    assert!(job.get("retryAfterSeconds").is_none() && job["links"].get("cancel").is_none());
    app.end().await;
}

/// Answers the next live read with these profiles.
async fn answer_read(app: &TestApp, result: Value) {
    let job = loop {
        if let Some(job) = app.hands.claim().await.pop() {
            break job;
        }
    };
    app.forget_reads().await;
    app.hands.succeed(&job, result).await;
}

#[tokio::test]
async fn a_live_read_answers_with_the_resource_in_the_form_that_was_asked_for() {
    let app = TestApp::start().await;
    let profile =
        json!({"name": "fp-dev", "selectors": [{"namespace": "dev"}], "status": "ACTIVE"});
    let list = json!({"profiles": [profile]});
    let read = app.viewer(BASE);
    let (answer, ()) = tokio::join!(read.answer(), answer_read(&app, list.clone()));
    let answer = answer.expect(200);
    assert_eq!(answer.json(), json!({"items": [profile]}));
    let one = format!("{BASE}/fp-dev");
    let (answer, ()) = tokio::join!(
        app.viewer(&one).answer(),
        answer_read(&app, json!({"profile": profile}))
    );
    assert_eq!(answer.expect(200).json(), profile);
    let table = format!("{BASE}?output=table");
    let (answer, ()) = tokio::join!(app.viewer(&table).answer(), answer_read(&app, list.clone()));
    assert!(answer.header("content-type").starts_with("text/plain"));
    assert!(
        answer
            .expect(200)
            .text
            .starts_with("NAME\tSELECTOR_NAMESPACE")
    );
    let read = app.viewer(BASE).header("Accept", "application/yaml");
    let (answer, ()) = tokio::join!(read.answer(), answer_read(&app, list.clone()));
    assert_eq!(answer.header("content-type"), "application/yaml");
    assert!(answer.expect(200).text.starts_with("- name: fp-dev"));
    let read = app.viewer(&format!("{BASE}?output=eksctl-json"));
    let (answer, ()) = tokio::join!(read.answer(), answer_read(&app, list));
    assert_eq!(answer.expect(200).json()[0]["name"], "fp-dev");
    let odd = app
        .viewer(BASE)
        .header("Accept", "image/png")
        .answer()
        .await;
    odd.problem(406, "invalid_request");
    app.end().await;
}

#[tokio::test]
async fn a_live_read_that_takes_too_long_answers_with_its_job() {
    let app = TestApp::start().await;
    let now = app
        .viewer(&format!("{BASE}?waitSeconds=0"))
        .answer()
        .await
        .expect(202);
    assert_eq!(now.json()["kind"], "list_fargate_profiles");
    let read = app
        .viewer(BASE)
        .header("Prefer", "respond-async")
        .answer()
        .await
        .expect(202);
    assert_eq!(read.header("preference-applied"), "respond-async");
    app.hands.finish_all().await;
    app.end().await;
}

#[tokio::test]
async fn a_failed_live_read_is_a_problem_with_the_status_of_its_code() {
    let app = TestApp::start().await;
    let (answer, ()) = tokio::join!(app.viewer(BASE).answer(), async {
        let job = loop {
            if let Some(job) = app.hands.claim().await.pop() {
                break job;
            }
        };
        app.hands
            .fail(
                &job,
                "aws_access_denied",
                "eks:ListFargateProfiles is denied",
            )
            .await;
    });
    let problem = answer.problem(502, "aws_access_denied");
    assert_eq!(problem["detail"], "eks:ListFargateProfiles is denied");
    app.end().await;
}
