//! Server-sent events of a job.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::{Send as _, TestApp};

/// The events of a stream that has ended: number and data.
fn events(text: &str) -> Vec<(i64, Value)> {
    let blocks = text
        .split("\n\n")
        .filter(|block| block.starts_with("event: job\n"));
    let parsed = blocks.map(|block| {
        let line = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap()
        };
        (
            line("id: ").parse().unwrap(),
            serde_json::from_str(line("data: ")).unwrap(),
        )
    });
    parsed.collect()
}

fn states(events: &[(i64, Value)]) -> Vec<(i64, &str)> {
    events
        .iter()
        .map(|(id, data)| (*id, data["state"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn every_transition_is_told_as_it_happens_until_the_last() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let path = job["links"]["events"].as_str().unwrap();
    let mut stream = app.viewer(path).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut text = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert_eq!(states(&events(&text)), [(1, "queued")]);
    let claimed = app.hands.claim_one().await;
    app.hands
        .park(&claimed, true, "AWS is creating the profile.")
        .await;
    app.hands.wake_parked().await;
    let claimed = app.hands.claim_one().await;
    app.hands.succeed(&claimed, json!({})).await;
    while let Some(chunk) = stream.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let told = events(&text);
    assert_eq!(
        states(&told),
        [
            (1, "queued"),
            (2, "running"),
            (3, "waiting"),
            (4, "succeeded")
        ]
    );
    assert_eq!(told[2].1["waitingReason"], "poll");
    assert_eq!(
        (&told[2].1["eventId"], &told[2].1["jobId"]),
        (&json!(3), &job["id"])
    );

    // Another reader goes on where this one might have broken off.
    let rest = app
        .viewer(path)
        .header("Last-Event-ID", "2")
        .answer()
        .await
        .expect(200);
    assert_eq!(events(&rest.text), told[2..]);
    let nothing = app
        .viewer(path)
        .header("Last-Event-ID", "4")
        .answer()
        .await
        .expect(200);
    assert_eq!(events(&nothing.text), []);
    let odd = app.viewer(path).header("Last-Event-ID", "x").answer().await;
    let problem = odd.problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["pointer"], "/header/Last-Event-ID");
    app.end().await;
}

#[tokio::test]
async fn a_job_canceled_in_the_queue_has_two_events() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let cancel = job["links"]["cancel"].as_str().unwrap();
    app.operator(Method::POST, cancel)
        .answer()
        .await
        .expect(200);
    let stream = app
        .viewer(job["links"]["events"].as_str().unwrap())
        .answer()
        .await
        .expect(200);
    assert_eq!(
        states(&events(&stream.text)),
        [(1, "queued"), (2, "canceled")]
    );
    app.end().await;
}

/// The states of a stream that has ended.
async fn whole(app: &TestApp, path: &str) -> Vec<(i64, String)> {
    let stream = app.viewer(path).answer().await.expect(200);
    let told = events(&stream.text);
    let states = states(&told).into_iter();
    states.map(|(id, state)| (id, state.to_owned())).collect()
}

#[tokio::test]
async fn one_number_tells_one_transition_to_who_follows_and_to_who_comes_later() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let path = job["links"]["events"].as_str().unwrap();
    let cancel = job["links"]["cancel"].as_str().unwrap();
    let claimed = app.hands.claim_one().await;
    let mut stream = app.viewer(path).send().await.unwrap();
    let mut text = String::new();
    while !text.contains("running") {
        let chunk = stream.chunk().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let canceled = app
        .operator(Method::POST, cancel)
        .answer()
        .await
        .expect(202);
    assert_eq!(canceled.json()["state"], "canceling");
    while !text.contains("canceling") {
        let chunk = stream.chunk().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    // The step notes how far it came, while the cancel waits.
    app.hands.note(&claimed, "Looking at the cluster.").await;
    app.hands
        .park(&claimed, false, "The cluster is busy.")
        .await;
    while let Some(chunk) = stream.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let told = events(&text);
    assert_eq!(
        states(&told),
        [
            (1, "queued"),
            (2, "running"),
            (3, "canceling"),
            (4, "canceling"),
            (5, "canceled")
        ]
    );
    let later = app.viewer(path).answer().await.expect(200);
    assert_eq!(events(&later.text), told);
    app.end().await;
}

#[tokio::test]
async fn a_stream_with_thousands_of_unread_events_tells_them_all() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let path = job["links"]["events"].as_str().unwrap();
    let claimed = app.hands.claim_one().await;
    app.hands.park(&claimed, true, "AWS is creating it.").await;
    sqlx::query(
        "with more as (
            insert into job_events (account_id, job_id, event_no, state, step, message)
            select account_id, job_id, no, 'waiting', 'follow', 'Look ' || no
            from job_rows, generate_series(4, 3100) as no
        )
        update job_rows set event_no = 3100",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    let mut stream = app.viewer(path).send().await.unwrap();
    let mut text = String::new();
    while !text.contains("\nid: 3100\n") {
        let chunk = stream.chunk().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    app.hands.wake_parked().await;
    let claimed = app.hands.claim_one().await;
    app.hands.succeed(&claimed, json!({})).await;
    while let Some(chunk) = stream.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let expected: Vec<i64> = (1..=3101).collect();
    let followed: Vec<i64> = events(&text).iter().map(|(id, _)| *id).collect();
    assert_eq!(followed, expected);
    let later = whole(&app, path).await;
    let numbers: Vec<i64> = later.iter().map(|(id, _)| *id).collect();
    assert_eq!(numbers, expected);
    assert_eq!(later.last().unwrap().1, "succeeded");
    app.end().await;
}
