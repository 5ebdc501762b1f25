//! What one caller may take of the database's connections, and of the bytes in hand.

use std::time::Duration;

use fargate_fleet::database::Shares;
use fargate_fleet::http::ApiOptions;
use fargate_fleet::limits::Limits;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::PgTransaction;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::app::{ACCOUNT, Answer, BASE, Send as _, TestApp, webhook_setup};

/// Connections of this database that wait for a lock.
const WAITING: &str = "select count(*) from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()";

fn path_of(job: &Value) -> String {
    format!("/v1/jobs/{}", job["id"].as_str().unwrap())
}

/// Holds a table so that nobody can read it.
async fn held(app: &TestApp, table: &str) -> PgTransaction<'static> {
    let mut holding = app.pool.begin().await.unwrap();
    let lock = format!("lock table {table} in access exclusive mode");
    sqlx::query(sqlx::AssertSqlSafe(lock))
        .execute(&mut *holding)
        .await
        .unwrap();
    holding
}

async fn waiting(app: &TestApp) -> i64 {
    sqlx::query_scalar(WAITING)
        .fetch_one(&app.pool)
        .await
        .unwrap()
}

/// Waits, for a bounded time, until so many statements wait for a lock.
async fn until_waiting(app: &TestApp, statements: i64) {
    let reached = async {
        while waiting(app).await != statements {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
    let now = waiting(app).await;
    assert!(reached.is_ok(), "{now} of {statements}");
}

async fn app_with(shares: [u32; 5], limits: Limits) -> TestApp {
    let options = ApiOptions {
        limits,
        webhooks: webhook_setup(),
        ..ApiOptions::default()
    };
    TestApp::start_on(shares, options).await
}

/// Asks for the audit trail, again and again at once, as many as `requests`.
fn ask_for_audit(app: &TestApp, requests: usize) -> Vec<tokio::task::JoinHandle<u16>> {
    let tracker = tokio_util::task::TaskTracker::new();
    (0..requests)
        .map(|_| {
            let request = app.viewer("/v1/audit-events");
            tracker.spawn(async move { request.answer().await.status })
        })
        .collect()
}

/// So many ask for it again and again, until that is stopped, and tell of the first refusals.
fn keep_asking_for_audit(
    app: &TestApp,
    callers: usize,
    stop: &CancellationToken,
) -> (Vec<tokio::task::JoinHandle<()>>, mpsc::Receiver<Answer>) {
    let tracker = tokio_util::task::TaskTracker::new();
    let (refuse, refused) = mpsc::channel(callers);
    let asking = |request: RequestBuilder| {
        let (stop, refuse) = (stop.clone(), refuse.clone());
        async move {
            while !stop.is_cancelled() {
                let answer = request.try_clone().unwrap().answer().await;
                assert!([200, 429, 503].contains(&answer.status), "{answer:?}");
                if answer.status == 429 {
                    let _ = refuse.try_send(answer);
                }
            }
        }
    };
    let asking = (0..callers)
        .map(|_| tracker.spawn(asking(app.viewer("/v1/audit-events"))))
        .collect();
    (asking, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_whose_reads_wait_leaves_the_others_their_connections() {
    let app = app_with([1, 1, 1, 3, 4], Limits::default()).await;
    let job = app.create_profile("fp-a").await;
    let path = path_of(&job);
    let holding = held(&app, "audit_events").await;
    let stop = CancellationToken::new();
    let (asking, mut refused) = keep_asking_for_audit(&app, 12, &stop);
    until_waiting(&app, 2).await;
    for _ in 0..20 {
        let read = app.request(Method::GET, &path);
        let read = read.bearer_auth(&app.tokens.operator).answer().await;
        read.expect(200);
        assert!(waiting(&app).await <= 2, "half of the share");
    }
    // The caller itself is told, after a bounded wait, and in words.
    let problem = refused.recv().await.unwrap().problem(429, "rate_limited");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("reads"), "{detail}");
    stop.cancel();
    holding.rollback().await.unwrap();
    for asking in asking {
        asking.await.unwrap();
    }
    app.viewer("/v1/jobs").answer().await.expect(200);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_of_one_account_leave_a_connection_to_the_others() {
    let app = app_with([1, 1, 1, 3, 2], Limits::default()).await;
    let holding = held(&app, "operations").await;
    let tracker = tokio_util::task::TaskTracker::new();
    let mut asked = Vec::new();
    for token in [&app.tokens.other_viewer, &app.tokens.other_operator] {
        let request = app.request(Method::GET, "/v1/operations");
        let request = request.bearer_auth(token);
        asked.push(tracker.spawn(async move { request.answer().await.status }));
    }
    until_waiting(&app, 1).await;
    app.viewer("/v1/jobs").answer().await.expect(200);
    assert_eq!(waiting(&app).await, 1, "all but one");
    holding.rollback().await.unwrap();
    for asking in asked {
        assert!([200, 429, 503].contains(&asking.await.unwrap()));
    }
    app.end().await;
}

/// Work counts until it has ended, not until the caller hangs up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_still_has_the_request_under_way() {
    let limits = Limits {
        concurrent_requests: 2,
        ..Limits::default()
    };
    let app = app_with([1, 1, 1, 3, 8], limits).await;
    let holding = held(&app, "audit_events").await;
    for statements in [1, 2] {
        let asking = ask_for_audit(&app, 1);
        until_waiting(&app, statements).await;
        for asking in asking {
            asking.abort();
        }
    }
    for _ in 0..5 {
        let refused = app.viewer("/v1/jobs").answer().await;
        refused.problem(429, "rate_limited");
    }
    assert_eq!(waiting(&app).await, 2);
    holding.rollback().await.unwrap();
    let free = async {
        while app.viewer("/v1/jobs").answer().await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    let free = tokio::time::timeout(Duration::from_secs(10), free).await;
    assert!(free.is_ok(), "it is free when the work has ended");
    app.end().await;
}

/// Each kind of work has one connection: whoever needed a second one would wait for itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancels_of_an_ended_job_hold_up_nobody() {
    let app = app_with([1; 5], Limits::default()).await;
    let job = app.create_profile("fp-a").await;
    let path = format!("{}/cancel", path_of(&job));
    app.operator(Method::POST, &path).answer().await.expect(200);
    let canceling = (0..80).map(|_| app.operator(Method::POST, &path).answer());
    let canceling = futures_util::future::join_all(canceling);
    let posting = async {
        for n in 0..20 {
            let body = json!({
                "name": format!("fp-{n}"),
                "selectors": [{"namespace": "default"}],
            });
            let post = app.admin(Method::POST, BASE).json(&body);
            post.answer().await.expect(202);
        }
    };
    let (canceled, ()) = tokio::join!(canceling, posting);
    // On a slow machine some wait longer for their permit than they may.
    let (ended, others): (Vec<_>, Vec<_>) = canceled
        .into_iter()
        .partition(|answer| answer.status == 409);
    assert!(!ended.is_empty());
    for answer in ended {
        let problem = answer.problem(409, "conflict");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("canceled"), "{detail}");
    }
    for answer in others {
        answer.problem(429, "rate_limited");
    }
    app.end().await;
}

/// A profile as large as it may be, or by so many tags less.
fn large(name: &str, selectors: usize) -> Value {
    let labels = |n: usize| -> Value {
        let pairs = (0..20).map(|label| {
            let key = format!("{:0>120}", format!("k{n}-{label}"));
            (key, json!("v".repeat(63)))
        });
        Value::Object(pairs.collect())
    };
    let selectors: Vec<Value> = (0..selectors)
        .map(|n| json!({"namespace": format!("n{n}"), "labels": labels(n)}))
        .collect();
    json!({"name": name, "selectors": selectors})
}

#[tokio::test]
async fn a_profile_that_is_too_large_is_told_its_size() {
    let app = TestApp::start().await;
    let post = async |body: &Value| -> Answer {
        let post = app.operator(Method::POST, BASE).json(body);
        post.answer().await
    };
    post(&large("fp-a", 20)).await.expect(202);
    let problem = post(&large("fp-b", 40))
        .await
        .problem(422, "invalid_request");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("at most 98304"), "{detail}");
    app.end().await;
}

/// A page holds 4 MiB, and the next one goes on behind it.
#[tokio::test]
async fn a_page_of_large_jobs_is_short_and_the_next_goes_on() {
    let app = TestApp::start().await;
    let mut made = Vec::new();
    for number in 0..64 {
        let large = large(&format!("fp-{number}"), 20);
        let post = app.operator(Method::POST, BASE).json(&large);
        let job = post.answer().await.expect(202).json();
        made.push(job["id"].as_str().unwrap().to_owned());
    }
    made.reverse();
    let mut pages: Vec<Vec<String>> = Vec::new();
    let mut token = String::new();
    loop {
        let page = app.viewer(&format!("/v1/jobs?pageSize=1000{token}"));
        let page = page.answer().await.expect(200).json();
        let ids = page["items"].as_array().unwrap().iter();
        pages.push(
            ids.map(|job| job["id"].as_str().unwrap().to_owned())
                .collect(),
        );
        let Some(next) = page["nextPageToken"].as_str() else {
            break;
        };
        token = format!("&pageToken={next}");
    }
    assert_eq!(pages.len(), 2, "{pages:?}");
    assert_eq!(pages.concat(), made);
    app.end().await;
}

/// A caller whose bodies are on their way has half of the bytes; the others have the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_of_bodies_are_counted_before_they_are_read() {
    let app = app_with([1, 1, 1, 3, 4], Limits::default()).await;
    let head = format!(
        "POST {BASE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: 262144\r\n\r\n{{",
        app.tokens.operator
    );
    let mut sending = Vec::new();
    for _ in 0..16 {
        let mut stream = TcpStream::connect(app.addr).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        sending.push(stream);
    }
    let body = json!({"name": "fp-a", "selectors": [{"namespace": "default"}]});
    let refused = async {
        // Until all of them have begun.
        loop {
            let answer = app.operator(Method::POST, BASE).json(&body).answer().await;
            if answer.status == 429 {
                return answer;
            }
        }
    };
    let refused = tokio::time::timeout(Duration::from_secs(8), refused).await;
    let problem = refused.unwrap().problem(429, "rate_limited");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("4194304 bytes"), "{detail}");
    let other = app.admin(Method::POST, BASE).json(&large("fp-b", 20));
    other.answer().await.expect(202);
    drop(sending);
    app.end().await;
}

/// Whatever the count of a lane says, jobs are taken, run, and come to their end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_whose_count_was_damaged_takes_jobs_and_puts_itself_right() {
    for damage in [
        "update lanes set pending = 0",
        "update lanes set pending = 1",
        "update lanes set pending = 50",
        "update lanes set pending = 2147483647",
        "delete from lanes",
    ] {
        let app = TestApp::start().await;
        for n in 0..4 {
            app.create_profile(&format!("fp-{n}")).await;
        }
        let execute = async |sql: &'static str| {
            sqlx::query(sql).execute(&app.pool).await.unwrap();
        };
        execute(damage).await;
        let new = app.create_profile("fp-new").await;
        assert_eq!(new["accountId"], ACCOUNT, "{damage}");
        let list = app.viewer("/v1/jobs").answer().await.expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 5);
        for job in list["items"].as_array().unwrap() {
            app.viewer(&path_of(job)).answer().await.expect(200);
        }
        let claimed = app.hands.claim().await;
        assert_eq!(claimed.len(), 1, "one at a time, {damage}");
        execute(damage).await;
        app.hands.succeed(&claimed[0], json!({})).await;
        let share = &app.shares.engine;
        fargate_fleet::queue::lanes::mend(share).await.unwrap();
        let right: bool = sqlx::query_scalar(
            "select (select sum(pending) from lanes) = count(*) from jobs where phase <> 'finished'",
        )
        .fetch_one(&app.pool)
        .await
        .unwrap();
        assert!(right, "{damage}");
        let again = fargate_fleet::queue::lanes::mend(share).await.unwrap();
        assert_eq!(again, 0, "{damage}");
        app.end().await;
    }
}

/// The shares of a test are those of a service.
#[tokio::test]
async fn a_task_that_holds_a_connection_gets_no_second_one() {
    let app = app_with([1; 5], Limits::default()).await;
    let shares: Shares = app.shares.clone();
    let tracker = tokio_util::task::TaskTracker::new();
    let asked = tracker.spawn(async move {
        let first = shares.reads.connection().await.unwrap();
        let second = shares.changes.connection().await;
        let words = second.err().unwrap().to_string();
        assert!(words.contains("a second connection"), "{words}");
        drop(first);
        assert!(shares.changes.connection().await.is_ok());
    });
    asked.await.unwrap();
    app.end().await;
}
