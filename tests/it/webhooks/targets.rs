//! Where webhooks must never go: a corpus of URLs, and names that change their mind.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fargate_fleet::webhooks::client::{Client, Message, Unsent};
use fargate_fleet::webhooks::{Refused, Resolver, Rules, Setup};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::support::{deliveries, make_due, options, post, sender_with, sql};
use crate::support::app::{Send as _, TestApp};

const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// Counts the connections to one port of 127.0.0.1 and of its IPv6 twin.
struct Counter {
    port: u16,
    connections: Arc<AtomicUsize>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Counter {
    async fn start() -> Self {
        let (four, six) = loop {
            let four = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let port = four.local_addr().unwrap().port();
            if let Ok(six) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                break (four, six);
            }
        };
        let counter = Self {
            port: four.local_addr().unwrap().port(),
            connections: Arc::default(),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        for listener in [four, six] {
            let (connections, stop) = (Arc::clone(&counter.connections), counter.stop.clone());
            counter.tracker.spawn(async move {
                loop {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        _ = listener.accept() => connections.fetch_add(1, Ordering::SeqCst),
                    };
                }
            });
        }
        counter
    }

    /// All that came so far: one that we make ourselves comes after them.
    async fn count(&self) -> usize {
        for address in LOOPBACK {
            let before = self.connections.load(Ordering::SeqCst);
            let ours = tokio::net::TcpStream::connect(SocketAddr::new(address, self.port)).await;
            drop(ours.unwrap());
            while self.connections.load(Ordering::SeqCst) == before {
                tokio::task::yield_now().await;
            }
            self.connections.fetch_sub(1, Ordering::SeqCst);
        }
        self.connections.load(Ordering::SeqCst)
    }

    async fn stop(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

fn corpus(port: u16) -> Vec<String> {
    let lines = include_str!("../../data/webhook_urls_refused.txt").lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| serde_json::from_str::<String>(&format!("\"{line}\"")).unwrap())
        .map(|url| url.replace("{port}", &port.to_string()))
        .collect()
}

/// Rules by which every name leads to this machine.
fn rules(allow_http: bool) -> Rules {
    Rules {
        allow_http,
        allowed: Vec::new(),
        resolver: Resolver::new(|_| LOOPBACK.to_vec()),
    }
}

fn message() -> Message {
    Message {
        id: "msg_1".to_owned(),
        timestamp: 1,
        signature: "v1,x".to_owned(),
        body: b"{}".to_vec(),
    }
}

#[tokio::test]
async fn no_url_of_the_corpus_is_connected_to() {
    let counter = Counter::start().await;
    let urls = corpus(counter.port);
    assert!(urls.len() >= 180, "{}", urls.len());
    for allow_http in [false, true] {
        let client = Client::new(rules(allow_http), Duration::from_secs(5));
        for url in &urls {
            let posted = client.post(url, &message()).await;
            let refused = matches!(posted, Err(Unsent::Refused(_)));
            assert!(refused, "{url:?}: {posted:?}");
        }
    }
    assert_eq!(counter.count().await, 0);
    // The same client connects when it may: the counter counts.
    let allowing = Rules {
        allowed: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        ..rules(true)
    };
    let client = Client::new(allowing, Duration::from_secs(5));
    for host in ["127.0.0.1", "[::1]", "hooks.example.com"] {
        let url = format!("http://{host}:{}/", counter.port);
        assert!(client.post(&url, &message()).await.is_err());
    }
    assert!(counter.count().await >= 3);
    counter.stop().await;
}

#[tokio::test]
async fn no_url_of_the_corpus_is_taken_by_the_api() {
    let counter = Counter::start().await;
    for allow_http in [false, true] {
        let setup = Setup {
            rules: rules(allow_http),
            secrets_key: None,
        };
        let app = TestApp::start_with_webhooks(setup).await;
        for url in corpus(counter.port) {
            let body = json!({"url": url, "eventTypes": ["job.failed"]});
            let post = app.admin(Method::POST, "/v1/webhooks").json(&body);
            let problem = post.answer().await.problem(422, "invalid_request");
            assert_eq!(problem["errors"][0]["pointer"], "/url", "{url:?}");
        }
        let list = app.admin(Method::GET, "/v1/webhooks").answer().await;
        assert_eq!(list.json(), json!({"items": []}));
        app.end().await;
    }
    assert_eq!(counter.count().await, 0);
    counter.stop().await;
}

/// Answers an address that counts as public first, and this machine's from then on.
fn rebinding() -> (Resolver, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let resolver = Resolver::new(move |_| match counter.fetch_add(1, Ordering::SeqCst) {
        0 => vec!["198.51.100.7".parse().unwrap()],
        _ => LOOPBACK.to_vec(),
    });
    (resolver, asked)
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_not_connected_to() {
    let counter = Counter::start().await;
    let (resolver, asked) = rebinding();
    let setup = Setup {
        rules: Rules {
            allow_http: true,
            allowed: vec!["198.51.100.0/24".parse().unwrap()],
            resolver,
        },
        secrets_key: None,
    };
    let app = TestApp::start_with_webhooks(setup.clone()).await;
    let url = format!("http://rebinding.example.com:{}/", counter.port);
    let webhook = app.create_webhook(&url).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let mut options = options();
    options.setup = setup;
    let sender = sender_with(&app, options);
    post(&app, &webhook, "test").await;
    for attempt in 1..=3 {
        make_due(&app).await;
        assert_eq!(sender.round().await.unwrap(), 1);
        assert_eq!(asked.load(Ordering::SeqCst), 1 + attempt, "once an attempt");
    }
    let stands: Value = deliveries(&app, &webhook).await.remove(0);
    let expected = format!("not sent: {}", Refused::NotPublic);
    assert_eq!(stands["lastError"], expected);
    assert_eq!(counter.count().await, 0);
    counter.stop().await;
    app.end().await;
}

#[tokio::test]
async fn what_is_checked_is_what_is_connected_to() {
    let counter = Counter::start().await;
    let (resolver, asked) = rebinding();
    let rules = Rules {
        allow_http: true,
        allowed: vec!["198.51.100.0/24".parse().unwrap()],
        resolver,
    };
    let client = Client::new(rules, Duration::from_millis(300));
    let url = format!("http://rebinding.example.com:{}/", counter.port);
    // To the address that was allowed, where nobody is; no second question, no other address.
    let posted = client.post(&url, &message()).await;
    assert!(
        !matches!(posted, Ok(_) | Err(Unsent::Refused(_))),
        "{posted:?}"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(counter.count().await, 0);
    counter.stop().await;
}

#[tokio::test]
async fn a_url_that_is_no_longer_allowed_is_not_sent_to() {
    let counter = Counter::start().await;
    let app = TestApp::start().await;
    let webhook = app
        .create_webhook(&format!("http://127.0.0.1:{}/", counter.port))
        .await;
    let mut options = options();
    options.setup.rules = rules(true);
    let sender = sender_with(&app, options);
    post(&app, &webhook, "test").await;
    for url in [
        "http://127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://localhost:{port}/",
    ] {
        let url = url.replace("{port}", &counter.port.to_string());
        sql(&app.pool, &format!("update webhooks set url = '{url}'")).await;
        make_due(&app).await;
        assert_eq!(sender.round().await.unwrap(), 1);
    }
    assert_eq!(counter.count().await, 0);
    counter.stop().await;
    app.end().await;
}
