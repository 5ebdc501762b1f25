//! Bytes that are no request, or two, or more than they say.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::app::TestApp;
use crate::support::wire::{Answer, answers, exchange};

/// What is sent, and the status of the one answer. `{token}` is a viewer's.
pub const ATTACKS: &[(&str, u16)] = &[
    ("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", 400),
    ("GET\r\n\r\n", 400),
    ("GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", 400),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (
        "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        400,
    ),
    (
        "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx",
        400,
    ),
    (
        "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        400,
    ),
    (
        "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    (
        "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    (
        "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        400,
    ),
    (
        "POST /v1/tokens HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    (
        "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    (
        "GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        401,
    ),
    (
        "GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic YTpi\r\n\r\n",
        401,
    ),
    (
        "GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n\r\n",
        400,
    ),
    (
        "GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer x\r\nAuthorization: Bearer {token}\r\n\r\n",
        400,
    ),
    (
        "TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        404,
    ),
    (
        "PUT /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        405,
    ),
    (
        "GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nAccept-Encoding: identity;q=0, *;q=0\r\n\r\n",
        406,
    ),
    (
        "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        404,
    ),
    (
        "GET //v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        404,
    ),
    (
        "GET /v1/../v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        404,
    ),
    (
        "GET http://evil.example/v1/nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        404,
    ),
];

/// Requests that are sent at once, and whether each answer has a body.
pub const PIPELINES: &[&[(&str, bool)]] = &[
    &[("HEAD", false), ("GET", true)],
    &[("GET", true), ("HEAD", false)],
    &[("HEAD", false), ("HEAD", false), ("GET", true)],
    &[
        ("GET", true),
        ("HEAD", false),
        ("GET", true),
        ("HEAD", false),
    ],
    &[("GET", true), ("GET", true), ("HEAD", false), ("GET", true)],
];

fn problem(answer: &Answer) {
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{answer:?}"
    );
    for name in [
        "x-request-id",
        "x-content-type-options",
        "cache-control",
        "date",
    ] {
        assert_ne!(answer.header(name), "", "{name}: {answer:?}");
    }
    let body = answer.json();
    assert_eq!(body["status"], answer.status, "{answer:?}");
    assert_eq!(
        body["requestId"],
        answer.header("x-request-id"),
        "{answer:?}"
    );
    assert!(
        body["detail"].as_str().is_some_and(|text| text.len() > 10),
        "{answer:?}"
    );
}

#[tokio::test]
async fn what_is_no_request_is_answered_once_by_a_problem() {
    let app = TestApp::start().await;
    for (sent, status) in ATTACKS {
        let sent = sent.replace("{token}", &app.tokens.viewer);
        let told = answers(&exchange(&app, sent.as_bytes()).await, &["GET"; 1]);
        let [answer] = told.as_slice() else {
            panic!("{sent:?}: {told:?}")
        };
        assert_eq!(answer.status, *status, "{sent:?}: {answer:?}");
        problem(answer);
    }
    app.viewer("/v1/jobs")
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    app.end().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_or_has_too_many_lines_is_a_problem() {
    let app = TestApp::start().await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(140_000));
    let many = format!(
        "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "X: y\r\n".repeat(200)
    );
    for (sent, statuses) in [(long, [431, 431]), (many, [400, 431])] {
        let told = answers(&exchange(&app, sent.as_bytes()).await, &["GET"; 1]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(statuses.contains(&told[0].status), "{told:?}");
        problem(&told[0]);
    }
    app.end().await;
}

/// The answer to each, in order, with a body or without: none is taken for another's.
#[tokio::test]
async fn pipelined_heads_and_gets_do_not_mix_their_bodies() {
    let app = TestApp::start().await;
    for path in ["/livez", "/v1/jobs", "/v1/whoami", "/nowhere"] {
        for pipeline in PIPELINES {
            let mut sent = String::new();
            for (i, (method, _)) in pipeline.iter().enumerate() {
                let close = if i + 1 == pipeline.len() {
                    "close"
                } else {
                    "keep-alive"
                };
                let head = format!(
                    "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: {close}\r\n\
                     Authorization: Bearer {}\r\nX-Request-Id: r{i}\r\n\r\n",
                    app.tokens.viewer
                );
                sent.push_str(&head);
            }
            let methods: Vec<&str> = pipeline.iter().map(|(method, _)| *method).collect();
            let told = answers(&exchange(&app, sent.as_bytes()).await, &methods);
            assert_eq!(told.len(), pipeline.len(), "{path} {methods:?}: {told:?}");
            for (i, (answer, (_, body))) in told.iter().zip(*pipeline).enumerate() {
                assert_eq!(
                    answer.header("x-request-id"),
                    format!("r{i}"),
                    "{path} {methods:?}"
                );
                assert_eq!(
                    !answer.body.is_empty(),
                    *body,
                    "{path} {methods:?}: {told:?}"
                );
                assert_ne!(answer.header("content-length"), "0", "{path} {methods:?}");
            }
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_body_before_a_pipelined_request_is_not_taken_for_one() {
    let app = TestApp::start().await;
    let get = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: last\r\nConnection: close\r\n\r\n";
    for (head, body) in [
        ("Content-Length: 2", "{}".to_owned()),
        (
            "Transfer-Encoding: chunked",
            "2\r\n{}\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "Transfer-Encoding: chunked",
            "1;x=y\r\n{\r\n1\r\n}\r\n0\r\nX: y\r\n\r\n".to_owned(),
        ),
    ] {
        let sent = format!(
            "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\n{head}\r\n\r\n{body}{get}",
            app.tokens.admin
        );
        let told = answers(&exchange(&app, sent.as_bytes()).await, &["POST", "GET"]);
        assert_eq!(told.len(), 2, "{head}: {told:?}");
        assert_eq!(
            (told[0].status, told[1].status),
            (422, 200),
            "{head}: {told:?}"
        );
        assert_eq!(told[1].header("x-request-id"), "last");
    }
    app.end().await;
}

/// Nobody needs the body of a request that is refused for its head. What is behind it is answered too,
/// unless the answer says that the connection ends.
#[tokio::test]
async fn a_large_body_of_a_refused_request_is_not_read() {
    let app = TestApp::start().await;
    let get = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: last\r\nConnection: close\r\n\r\n";
    let body = "x".repeat(100_000);
    for length in [
        format!("Content-Length: 100000\r\n\r\n{body}"),
        format!("Transfer-Encoding: chunked\r\n\r\n186a0\r\n{body}\r\n0\r\n\r\n"),
    ] {
        let sent = format!(
            "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}{get}"
        );
        let told = answers(&exchange(&app, sent.as_bytes()).await, &["POST", "GET"]);
        let statuses: Vec<u16> = told.iter().map(|answer| answer.status).collect();
        match told[0].header("connection") {
            "close" => assert_eq!(statuses, [401], "{told:?}"),
            _ => assert_eq!(statuses, [401, 200], "{told:?}"),
        }
        problem(&told[0]);
    }
    app.end().await;
}

#[tokio::test]
async fn a_broken_body_has_one_answer() {
    let app = TestApp::start().await;
    let sent = format!(
        "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n",
        app.tokens.admin
    );
    let told = answers(&exchange(&app, sent.as_bytes()).await, &["POST", "GET"]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].status, 400);
    problem(&told[0]);
    app.end().await;
}

#[tokio::test]
async fn a_head_of_a_stream_answers_and_frees_the_connection() {
    let app = TestApp::start().await;
    let job = app.create_profile("fp-stream").await;
    let path = job["links"]["events"].as_str().unwrap();
    let mut stream = TcpStream::connect(app.addr).await.unwrap();
    let request = |method: &str, path: &str, close: &str| {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: {close}\r\n\
             Authorization: Bearer {}\r\n\r\n",
            app.tokens.viewer
        )
    };
    let sent = request("HEAD", path, "keep-alive") + &request("GET", "/livez", "close");
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    // The job does not end: a stream that was waited for would not either.
    let read = tokio::time::timeout(
        std::time::Duration::from_secs(20),
        stream.read_to_end(&mut told),
    );
    read.await.expect("both are answered").unwrap();
    let told = answers(&told, &["HEAD", "GET"]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].header("content-type"), "text/event-stream");
    assert_eq!((told[0].status, told[1].status), (200, 200));
    app.end().await;
}
