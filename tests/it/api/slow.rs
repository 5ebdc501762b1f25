//! Clients that take their time: cut off, whatever they were about to say.

use std::time::Duration;

use fargate_fleet::limits::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::app::{BASE, TestApp};

/// Bounds only catch a mistake: what they wait for takes a small part of them.
const BOUND: Duration = Duration::from_secs(30);
/// The server reads its clock twice a second for these.
const SHORT: Duration = Duration::from_secs(1);

/// Sends this, and reads until the server hangs up.
pub async fn exchange(app: &TestApp, sent: &str) -> String {
    let mut stream = TcpStream::connect(app.addr).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    rest(&mut stream).await
}

/// What comes until the server hangs up.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(BOUND, stream.read_to_end(&mut answer));
    read.await.expect("the server hangs up").unwrap();
    String::from_utf8(answer).unwrap()
}

async fn impatient() -> TestApp {
    TestApp::start_limited(Limits {
        head_timeout: SHORT,
        body_timeout: SHORT,
        keep_alive: SHORT,
        ..Limits::default()
    })
    .await
}

#[tokio::test]
async fn who_does_not_finish_a_head_is_cut_off() {
    let app = impatient().await;
    for sent in ["G", "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let told = exchange(&app, sent).await;
        assert!(told.starts_with("HTTP/1.1 408"), "{told}");
    }
    // Nothing at all is no request.
    let told = exchange(&app, "").await;
    assert!(
        told.is_empty() || told.starts_with("HTTP/1.1 408"),
        "{told}"
    );
    app.end().await;
}

#[tokio::test]
async fn who_does_not_finish_a_body_is_told_and_cut_off() {
    let app = impatient().await;
    let head = format!(
        "POST {BASE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\n",
        app.tokens.operator
    );
    for body in [
        "Content-Length: 100\r\n\r\n{",
        "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ] {
        let told = exchange(&app, &format!("{head}{body}")).await;
        assert!(told.starts_with("HTTP/1.1 408"), "{told}");
        assert!(told.contains("application/problem+json"), "{told}");
        assert!(told.contains("did not arrive within 1s"), "{told}");
    }
    app.end().await;
}

/// The server itself looks at the head of the first request alone.
#[tokio::test]
async fn who_does_not_finish_a_second_head_is_cut_off_too() {
    let app = impatient().await;
    let mut stream = TcpStream::connect(app.addr).await.unwrap();
    let request = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        stream.read_buf(&mut answer).await.unwrap();
    }
    stream.write_all(b"G").await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
    app.end().await;
}

/// Quiet for longer than all timeouts, and yet under way.
#[tokio::test]
async fn who_waits_for_events_is_not_cut_off() {
    let app = impatient().await;
    let job = app.create_profile("fp").await;
    let path = job["links"]["events"].as_str().unwrap();
    let mut stream = app.viewer(path).send().await.unwrap();
    let began = stream.chunk().await.unwrap().unwrap();
    assert!(began.starts_with(b"event: job"));
    who_is_quiet(&app).await;
    app.hands.finish_all().await;
    assert!(stream.text().await.unwrap().contains("succeeded"));
    app.end().await;
}

/// Returns when a connection that is quiet from now on has been cut off.
async fn who_is_quiet(app: &TestApp) {
    let mut quiet = TcpStream::connect(app.addr).await.unwrap();
    let request = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nG";
    quiet.write_all(request).await.unwrap();
    rest(&mut quiet).await;
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let app = impatient().await;
    let told = exchange(&app, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    assert!(told.ends_with(r#"{"status":"ok"}"#), "{told}");
    app.end().await;
}
