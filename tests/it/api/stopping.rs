//! How the API ends.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::support::app::{Answer, Send as _, TestApp};

#[tokio::test]
async fn those_who_wait_are_answered_at_once_when_the_process_stops() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp").await;
    let path = format!("{}?waitSeconds=60", job["links"]["self"].as_str().unwrap());
    let held = app.viewer(&path);
    let mut stream = app
        .viewer(job["links"]["events"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    stream.chunk().await.unwrap().unwrap();
    let live = app.request(Method::GET, "/livez");
    let begun = Instant::now();
    let stopping = async {
        // The stream is there; give the other request its turn to be held.
        app.viewer("/v1/jobs").answer().await.expect(200);
        app.stop().await;
    };
    let (answer, ()): (Answer, ()) = tokio::join!(held.answer(), stopping);
    assert_eq!(answer.expect(200).json()["state"], "queued");
    assert!(stream.chunk().await.unwrap().is_none());
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(live.send().await.is_err(), "no new connections");
}
