//! A receiver, and a sender that does what the test says.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use fargate_fleet::clock::Clock;
use fargate_fleet::database::Share;
use fargate_fleet::http::webhook_rendering;
use fargate_fleet::rng::Rng;
use fargate_fleet::webhooks::signature::{Secret, signatures};
use fargate_fleet::webhooks::{Sender, SenderOptions};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::app::{Send as _, TestApp, webhook_setup};

/// What a receiver was sent.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// Fails unless exactly these secrets signed it, in this order.
    pub fn assert_signed_by(&self, secrets: &[&str]) {
        let secrets: Vec<Secret> = secrets
            .iter()
            .map(|text| Secret::parse(text).unwrap())
            .collect();
        let timestamp = self.headers["webhook-timestamp"].parse().unwrap();
        let expected = signatures(&secrets, self.id(), timestamp, &self.body);
        assert_eq!(self.headers["webhook-signature"], expected);
    }
}

/// An HTTP server on this machine that keeps what it is sent, and answers as told.
pub struct Receiver {
    pub addr: SocketAddr,
    scheme: &'static str,
    kept: Arc<Kept>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

#[derive(Default)]
struct Kept {
    received: Mutex<Vec<Received>>,
    /// Statuses, and header lines.
    answers: Mutex<VecDeque<(u16, String)>>,
    came: Notify,
    play: Option<Play>,
    /// Each answer waits for a permit.
    gate: Option<Arc<Semaphore>>,
}

/// What a portal answers.
type Play = Box<dyn Fn(&Received) -> (u16, Value) + std::marker::Send + Sync>;

/// An answer that never comes.
pub const SILENCE: u16 = 0;

impl Receiver {
    pub async fn start() -> Self {
        Self::start_with(Kept::default(), None).await
    }

    /// The same, which speaks TLS.
    pub async fn start_tls(tls: TlsAcceptor) -> Self {
        Self::start_with(Kept::default(), Some(tls)).await
    }

    /// One that answers as a portal does.
    pub async fn playing(
        play: impl Fn(&Received) -> (u16, Value) + std::marker::Send + Sync + 'static,
    ) -> Self {
        let kept = Kept {
            play: Some(Box::new(play)),
            ..Kept::default()
        };
        Self::start_with(kept, None).await
    }

    /// One whose answers wait, each for a permit of the gate.
    pub async fn gated(gate: &Arc<Semaphore>) -> Self {
        let kept = Kept {
            gate: Some(Arc::clone(gate)),
            ..Kept::default()
        };
        Self::start_with(kept, None).await
    }

    async fn start_with(kept: Kept, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let receiver = Self {
            addr: listener.local_addr().unwrap(),
            scheme: if tls.is_some() { "https" } else { "http" },
            kept: Arc::new(kept),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        let (kept, stop) = (Arc::clone(&receiver.kept), receiver.stop.clone());
        let tracker = receiver.tracker.clone();
        receiver.tracker.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    stream = listener.accept() => {
                        let (kept, stop) = (Arc::clone(&kept), stop.clone());
                        let tls = tls.clone();
                        let serving = async move {
                            tokio::select! {
                                () = stop.cancelled() => {}
                                () = take(stream.unwrap().0, tls, &kept) => {}
                            }
                        };
                        tracker.spawn(serving);
                    }
                }
            }
        });
        receiver
    }

    pub fn url(&self) -> String {
        format!("{}://{}/fleet?a=1", self.scheme, self.addr)
    }

    /// The next answers; after them 200.
    pub fn answers(&self, statuses: &[u16]) {
        for status in statuses {
            self.answers_with(*status, "");
        }
    }

    /// The next answer, with more header lines.
    pub fn answers_with(&self, status: u16, headers: &str) {
        let mut answers = self.kept.answers.lock().unwrap();
        answers.push_back((status, headers.to_owned()));
    }

    pub fn received(&self) -> Vec<Received> {
        self.kept.received.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.kept.received.lock().unwrap().len()
    }

    /// The one request that came.
    pub fn only(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received.remove(0)
    }

    /// Waits until so many have come.
    pub async fn wait_for(&self, count: usize) {
        let waiting = async {
            loop {
                let came = self.kept.came.notified();
                if self.count() >= count {
                    return;
                }
                came.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .expect("they come");
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

async fn take(stream: TcpStream, tls: Option<TlsAcceptor>, kept: &Kept) {
    let here = stream.local_addr().unwrap();
    match tls {
        None => serve(stream, here, kept).await,
        Some(tls) => {
            // Who does not trust us goes away.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, here, kept).await;
            }
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, here: SocketAddr, kept: &Kept) {
    let mut bytes = Vec::new();
    let request = loop {
        if let Some(request) = parsed(&bytes) {
            break request;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let told = kept.answers.lock().unwrap().pop_front();
    let played = kept.play.as_ref().filter(|_| told.is_none());
    let ((status, headers), body) = match played.map(|play| play(&request)) {
        Some((status, body)) => ((status, String::new()), body.to_string()),
        None => (told.unwrap_or((200, String::new())), "told".to_owned()),
    };
    kept.received.lock().unwrap().push(request);
    kept.came.notify_waiters();
    if let Some(gate) = &kept.gate {
        gate.acquire().await.unwrap().forget();
    }
    if status == SILENCE {
        std::future::pending::<()>().await;
    }
    let answer = format!(
        "HTTP/1.1 {status} Told\r\nLocation: http://{here}/elsewhere\r\n{headers}Content-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    // The sender may have gone.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// The request, when all of it has come.
fn parsed(bytes: &[u8]) -> Option<Received> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (first.next()?, first.next()?);
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some(Received {
        method,
        path,
        headers,
        body,
    })
}

/// A sender on the app's database, as a worker has it.
pub fn sender(app: &TestApp) -> Sender {
    sender_with(app, options())
}

pub fn options() -> SenderOptions {
    SenderOptions {
        setup: webhook_setup(),
        timeout: Duration::from_secs(5),
        ..SenderOptions::default()
    }
}

pub fn sender_with(app: &TestApp, options: SenderOptions) -> Sender {
    sender_on(&app.pool, options)
}

/// A sender with connections of its own.
pub fn sender_on(pool: &PgPool, options: SenderOptions) -> Sender {
    let parts = (Clock::system(), Rng::from_os());
    Sender::new(Share::of(pool.clone()), parts, webhook_rendering(), options)
}

/// Runs a statement.
pub async fn sql(pool: &PgPool, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(pool)
        .await
        .unwrap();
}

/// A number of rows.
pub async fn count(pool: &PgPool, from: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {from}")))
        .fetch_one(pool)
        .await
        .unwrap()
}

/// What waits to be sent again is due now.
pub async fn make_due(app: &TestApp) {
    let due = "update webhook_deliveries set next_attempt_at = now() where state = 'pending'";
    sql(&app.pool, due).await;
}

/// Leases are over, as those of a worker that died.
pub async fn end_leases(app: &TestApp) {
    let over = "update webhook_deliveries set leased_until = now() where leased_until is not null";
    sql(&app.pool, over).await;
}

/// A moment, as the API writes it.
pub fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

pub fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap()
}

/// Reads what an administrator sees.
pub async fn read(app: &TestApp, path: &str) -> Value {
    app.admin(Method::GET, path)
        .answer()
        .await
        .expect(200)
        .json()
}

/// A webhook's deliveries, newest first.
pub async fn deliveries(app: &TestApp, webhook: &Value) -> Vec<Value> {
    let list = read(app, &format!("/v1/webhooks/{}/deliveries", id(webhook))).await;
    list["items"].as_array().unwrap().clone()
}

/// The one delivery of a webhook.
pub async fn delivery(app: &TestApp, webhook: &Value) -> Value {
    let mut all = deliveries(app, webhook).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// Sends something to one of a webhook's actions.
pub async fn post(app: &TestApp, webhook: &Value, action: &str) -> Value {
    let path = format!("/v1/webhooks/{}/{action}", id(webhook));
    let answer = app.admin(Method::POST, &path).answer().await;
    assert!(answer.status < 300, "{}", answer.text);
    answer.json()
}

/// Edits a webhook.
pub async fn patch(app: &TestApp, webhook: &Value, body: Value) -> Value {
    let path = format!("/v1/webhooks/{}", id(webhook));
    let edit = app.admin(Method::PATCH, &path).json(&body);
    edit.answer().await.expect(200).json()
}

/// Asks for an operation of two jobs.
pub async fn create_operation(app: &TestApp) -> Value {
    let account = crate::support::app::ACCOUNT;
    create_operation_at(app, &format!("/v1/accounts/{account}/fargate-profiles")).await
}

/// The same at this path, which may have a query.
pub async fn create_operation_at(app: &TestApp, path: &str) -> Value {
    let config = json!({
        "apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig",
        "metadata": {"name": "prod-1", "region": "eu-central-1"},
        "fargateProfiles": [
            {"name": "fp-one", "selectors": [{"namespace": "one"}]},
            {"name": "fp-two", "selectors": [{"namespace": "two"}]},
        ],
    });
    let post = app.operator(Method::POST, path).json(&config);
    post.answer().await.expect(202).json()
}
