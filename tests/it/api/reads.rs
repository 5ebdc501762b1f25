//! Live reads: shared for a moment, bounded, and out of the way.

use fargate_fleet::limits::Limits;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{BASE, Send as _, TestApp};

/// Asks for a live read without waiting for it; the job.
async fn ask(app: &TestApp, token: &str, path: &str) -> Value {
    let path = format!("{path}?waitSeconds=0");
    let get = app.request(Method::GET, &path).bearer_auth(token);
    get.answer().await.expect(202).json()
}

async fn jobs(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from job_rows")
        .fetch_one(&app.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn reads_of_one_thing_by_callers_with_the_same_rights_share_a_job() {
    let app = TestApp::start().await;
    let body = json!({"name": "second", "role": "viewer"});
    let second = app.admin(Method::POST, "/v1/tokens").json(&body);
    let second = second.answer().await.expect(201).json();
    let second = second["secret"].as_str().unwrap();
    let asked = (0..40).map(|n| {
        let token = if n % 2 == 0 {
            &app.tokens.viewer
        } else {
            second
        };
        ask(&app, token, BASE)
    });
    let asked = futures_util::future::join_all(asked).await;
    let first = &asked[0]["id"];
    assert!(asked.iter().all(|job| job["id"] == *first), "{asked:?}");
    assert_eq!(jobs(&app).await, 1);
    // Another role, another thing, or another form of it.
    ask(&app, &app.tokens.operator, BASE).await;
    ask(&app, &app.tokens.viewer, &format!("{BASE}/fp")).await;
    ask(&app, &app.tokens.viewer, &BASE.replace("prod-1", "prod-2")).await;
    assert_eq!(jobs(&app).await, 4);
    app.end().await;
}

#[tokio::test]
async fn a_shared_read_answers_all_who_wait_for_it() {
    let app = TestApp::start().await;
    let waiting = (0..5).map(|_| app.viewer(BASE).answer());
    let all = futures_util::future::join_all(waiting);
    let ended = async {
        loop {
            let claimed = app.hands.claim().await;
            for job in &claimed {
                let profiles = json!([{"name": "fp", "selectors": [{"namespace": "a"}]}]);
                app.hands.succeed(job, json!({"profiles": profiles})).await;
            }
            if !claimed.is_empty() {
                return claimed.len();
            }
            tokio::task::yield_now().await;
        }
    };
    let (answers, claimed) = tokio::join!(all, ended);
    assert_eq!(claimed, 1);
    for answer in answers {
        assert_eq!(answer.expect(200).json()["items"][0]["name"], "fp");
    }
    app.end().await;
}

/// Reads and changes so far were this much later than now.
async fn were_made_in(app: &TestApp, reads: &str, changes: &str) {
    sqlx::query("update shared_reads set created_at = now() + $1::text::interval")
        .bind(reads)
        .execute(&app.pool)
        .await
        .unwrap();
    sqlx::query("update lanes set touched_at = now() + $1::text::interval")
        .bind(changes)
        .execute(&app.pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_read_is_shared_no_longer_after_a_second_a_failure_or_a_change() {
    let app = TestApp::start().await;
    let clusters = "/v1/accounts/111111111111/regions/eu-central-1/clusters";
    let ask = async |path: &str| ask(&app, &app.tokens.viewer, path).await["id"].clone();
    let first = ask(BASE).await;
    were_made_in(&app, "-1 second", "0").await;
    let second = ask(BASE).await;
    assert_ne!(second, first);
    were_made_in(&app, "1 hour", "0").await;
    assert_eq!(ask(BASE).await, second, "it does not grow old here");
    for job in app.hands.claim().await {
        app.hands
            .fail(&job, "throttled", "AWS is throttling.")
            .await;
    }
    let third = ask(BASE).await;
    assert_ne!(third, second, "a failure is not shared");
    // A change that begins makes those who read its cluster, or all clusters, read anew.
    let all = ask(clusters).await;
    let other = BASE.replace("prod-1", "prod-10");
    let kept = ask(&other).await;
    app.create_profile("fp").await;
    were_made_in(&app, "1 hour", "2 hours").await;
    let fourth = ask(BASE).await;
    assert_ne!(fourth, third);
    assert_ne!(ask(clusters).await, all);
    assert_eq!(ask(&other).await, kept);
    // So does its end.
    app.hands.finish_all().await;
    assert_ne!(ask(BASE).await, fourth);
    app.end().await;
}

#[tokio::test]
async fn unfinished_reads_of_a_caller_and_an_account_are_bounded() {
    let limits = Limits {
        unfinished_reads: 2,
        ..Limits::default()
    };
    let app = TestApp::start_limited(limits).await;
    let path = |n: u32| format!("{BASE}/fp-{n}?waitSeconds=0");
    let read = async |token: &str, n: u32| {
        let get = app.request(Method::GET, &path(n)).bearer_auth(token);
        get.answer().await
    };
    for n in 0..2 {
        read(&app.tokens.viewer, n).await.expect(202);
    }
    let problem = read(&app.tokens.viewer, 2)
        .await
        .problem(429, "rate_limited");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("Your token has 2")
    );
    // Others have reads of their own, until the account has as many as it may.
    for n in 10..12 {
        read(&app.tokens.operator, n).await.expect(202);
    }
    let problem = read(&app.tokens.admin, 20)
        .await
        .problem(429, "rate_limited");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("Account 111111111111 has 4"), "{detail}");
    // A change is not a read.
    app.create_profile("fp").await;
    app.hands.finish_all().await;
    let freed = async {
        while read(&app.tokens.viewer, 3).await.status != 202 {
            tokio::task::yield_now().await;
        }
    };
    let freed = tokio::time::timeout(std::time::Duration::from_secs(20), freed).await;
    freed.expect("its reads are over");
    app.end().await;
}
