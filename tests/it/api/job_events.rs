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
