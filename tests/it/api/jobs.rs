//! Jobs: reading, waiting, canceling, retrying.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{BASE, Send as _, TestApp};

fn own(job: &Value) -> &str {
    job["links"]["self"].as_str().unwrap()
}

#[tokio::test]
async fn a_job_read_twice_is_not_sent_twice() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let first = app.viewer(own(&job)).answer().await.expect(200);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""));
    let again = app
        .viewer(own(&job))
        .header("If-None-Match", &tag)
        .answer()
        .await
        .expect(304);
    assert_eq!(
        (again.header("etag"), again.text.as_str()),
        (tag.as_str(), "")
    );
    app.hands.finish_all().await;
    let done = app
        .viewer(own(&job))
        .header("If-None-Match", &tag)
        .answer()
        .await
        .expect(200);
    assert_eq!(done.json()["state"], "succeeded");
    app.end().await;
}

#[tokio::test]
async fn a_long_poll_ends_as_soon_as_the_job_does() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let path = format!("{}?waitSeconds=60", own(&job));
    let begun = Instant::now();
    let (answer, ()) = tokio::join!(app.viewer(&path).answer(), async {
        let claimed = app.hands.claim_one().await;
        app.hands
            .succeed(
                &claimed,
                json!({"profile": {"name": "fp", "selectors": []}}),
            )
            .await;
    });
    let done = answer.expect(200).json();
    assert_eq!(
        (&done["state"], &done["profile"]["name"]),
        (&json!("succeeded"), &json!("fp"))
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
    app.end().await;
}

#[tokio::test]
async fn a_preference_is_honoured_and_the_query_wins_over_it() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let begun = Instant::now();
    let polled = app
        .viewer(own(&job))
        .header("Prefer", "wait=1")
        .answer()
        .await
        .expect(200);
    assert_eq!(polled.header("preference-applied"), "wait=1");
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let path = format!("{}?waitSeconds=0", own(&job));
    let polled = app
        .viewer(&path)
        .header("Prefer", "wait=30")
        .answer()
        .await
        .expect(200);
    assert_eq!(polled.header("preference-applied"), "");
    app.end().await;
}

#[tokio::test]
async fn a_waiting_job_says_what_for_and_until_when() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let behind = app.create_profile("fp-behind").await;
    let claimed = app.hands.claim_one().await;
    app.hands
        .park(&claimed, true, "AWS is creating the profile.")
        .await;
    let job = app.viewer(own(&job)).answer().await.expect(200).json();
    assert_eq!(
        (&job["state"], &job["waitingReason"]),
        (&json!("waiting"), &json!("poll"))
    );
    assert_eq!(
        (&job["step"], &job["pollCount"]),
        (&json!("follow"), &json!(1))
    );
    assert!(
        job["nextCheckAt"].is_string() && job["estimatedFinishAt"].is_string(),
        "{job}"
    );
    assert!(
        (15..=21).contains(&job["retryAfterSeconds"].as_u64().unwrap()),
        "{job}"
    );
    let behind = app.viewer(own(&behind)).answer().await.expect(200).json();
    assert_eq!(
        (&behind["waitingReason"], &behind["queuePosition"]),
        (&json!("lane"), &json!(1))
    );
    assert_eq!(behind["blockedBy"], job["id"]);
    app.end().await;
}

async fn cancel(app: &TestApp, job: &Value) -> crate::support::app::Answer {
    app.operator(Method::POST, &format!("{}/cancel", own(job)))
        .answer()
        .await
}

#[tokio::test]
async fn a_cancel_is_honest_in_every_state() {
    let app = TestApp::start().await;
    let head = app.create_profile("fp-head").await;
    let blocked = app.create_profile("fp-blocked").await;
    let last = app.create_profile("fp-last").await;
    // Blocked and ready: at once.
    assert_eq!(
        cancel(&app, &blocked).await.expect(200).json()["state"],
        "canceled"
    );
    assert_eq!(
        cancel(&app, &head).await.expect(200).json()["state"],
        "canceled"
    );
    // Ended: too late, and said so.
    let problem = cancel(&app, &head).await.problem(409, "conflict");
    assert!(
        problem["detail"].as_str().unwrap().contains("canceled"),
        "{problem}"
    );
    // Leased: at the job's next chance.
    let claimed = app.hands.claim_one().await;
    assert_eq!(claimed.job_id.to_string(), last["id"].as_str().unwrap());
    assert_eq!(
        cancel(&app, &last).await.expect(202).json()["state"],
        "canceling"
    );
    app.hands.park(&claimed, false, "Waiting.").await;
    let ended = app.viewer(own(&last)).answer().await.expect(200).json();
    assert_eq!(ended["state"], "canceled");
    // Accepted by AWS: followed to its end, with a warning.
    let accepted = app.create_profile("fp-accepted").await;
    let claimed = app.hands.claim_one().await;
    app.hands
        .park(&claimed, true, "AWS is creating the profile.")
        .await;
    let late = cancel(&app, &accepted).await.expect(202).json();
    assert_eq!(
        (&late["state"], &late["warnings"][0]["code"]),
        (&json!("waiting"), &json!("cancel_too_late"))
    );
    let audits: i64 =
        sqlx::query_scalar("select count(*) from audit_events where action = 'cancelJob'")
            .fetch_one(&app.pool)
            .await
            .unwrap();
    assert_eq!(audits, 4);
    app.end().await;
}

#[tokio::test]
async fn a_retry_is_a_new_job_that_names_the_old_one() {
    let app = TestApp::start().await;
    let body = json!({"name": "fp", "selectors": [{"namespace": "a"}]});
    let job = app
        .operator(Method::POST, BASE)
        .json(&body)
        .answer()
        .await
        .expect(202)
        .json();
    let retry = || app.operator(Method::POST, &format!("{}/retry", own(&job)));
    retry().answer().await.problem(409, "conflict");
    let claimed = app.hands.claim_one().await;
    app.hands
        .fail(&claimed, "limit_exceeded", "The quota is used up.")
        .await;
    let made = retry().answer().await.expect(202);
    let again = made.json();
    assert_eq!(made.header("location"), own(&again));
    assert_eq!(again["retryOf"], job["id"]);
    assert_eq!(
        (&again["kind"], &again["profileName"]),
        (&job["kind"], &job["profileName"])
    );
    let second = app.hands.claim_one().await;
    assert_eq!(second.input, claimed.input);
    app.hands.succeed(&second, json!({})).await;
    retry().answer().await.expect(202);
    app.hands.finish_all().await;
    app.end().await;
}

/// More jobs behind the last one of the lane, so many of them.
async fn deepen(app: &TestApp, jobs: i32) {
    sqlx::query(
        "with more as (
            insert into job_rows (
                account_id, job_id, kind, region, cluster_name, lane, phase, state, due_at, input,
                message, requested_by, deadline_at
            )
            select
                account_id, (left(job_id::text, 24) || lpad(to_hex(n), 12, '0'))::uuid, kind, region,
                cluster_name, lane, 'blocked', 'queued', now(), input, message, requested_by,
                deadline_at
            from (select * from job_rows order by seq desc limit 1) as last, generate_series(1, $1) as n
        )
        update lanes set pending = pending + $1",
    )
    .bind(jobs)
    .execute(&app.pool)
    .await
    .unwrap();
}

/// The position of the lane's last job but so many, and whether it is an estimate.
async fn position(app: &TestApp, from_the_end: i64) -> (i64, bool) {
    let id: uuid::Uuid =
        sqlx::query_scalar("select job_id from job_rows order by seq desc offset $1 limit 1")
            .bind(from_the_end)
            .fetch_one(&app.pool)
            .await
            .unwrap();
    let job = app.viewer(&format!("/v1/jobs/{id}")).answer().await;
    let job = job.expect(200).json();
    let estimated = job.get("queuePositionEstimated").cloned();
    (
        job["queuePosition"].as_i64().unwrap(),
        estimated.is_some_and(|told| told == true),
    )
}

#[tokio::test]
async fn a_position_is_exact_up_to_a_thousand_and_an_estimate_beyond() {
    let app = TestApp::start().await;
    app.create_profile("fp-head").await;
    app.create_profile("fp-second").await;
    deepen(&app, 2_999).await;
    assert_eq!(position(&app, 2_999).await, (1, false));
    assert_eq!(position(&app, 2_000).await, (1_000, false));
    let (place, estimated) = position(&app, 1_999).await;
    assert!(estimated && (1_001..=1_101).contains(&place), "{place}");
    let (place, estimated) = position(&app, 0).await;
    assert!(estimated && (2_900..=3_100).contains(&place), "{place}");
    // While a worker runs the first, and when the next was handed to one.
    let head = app.hands.claim_one().await;
    assert_eq!(position(&app, 2_000).await, (1_000, false));
    app.hands.succeed(&head, json!({})).await;
    assert_eq!(position(&app, 2_000).await, (999, false));
    // A list tells the same.
    let list = app
        .viewer("/v1/jobs?pageSize=1000")
        .answer()
        .await
        .expect(200)
        .json();
    let blocked = list["items"].as_array().unwrap().iter();
    let blocked: Vec<&Value> = blocked
        .filter(|job| job["waitingReason"] == "lane")
        .collect();
    assert!(
        blocked
            .iter()
            .all(|job| job["queuePositionEstimated"] == true)
    );
    let places = blocked
        .iter()
        .map(|job| job["queuePosition"].as_i64().unwrap());
    assert!(places.rev().is_sorted(), "in the order of the lane");
    assert!(blocked.len() >= 998, "{}", blocked.len());
    sqlx::raw_sql("delete from job_rows where phase = 'blocked'; update lanes set pending = 1")
        .execute(&app.pool)
        .await
        .unwrap();
    app.end().await;
}
