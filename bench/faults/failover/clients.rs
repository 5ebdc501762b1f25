//! The load of a failover run: clients that create, read and delete, repeat what is refused with
//! the same key, and write down every answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fargate_fleet::sim::FleetShape;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Clients that act at the same time.
const CLIENTS: usize = 8;
/// Between two requests of a client, and before a refused one is repeated.
const PAUSE: Duration = Duration::from_millis(150);
/// A request that takes longer hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Everything that was answered.
#[derive(Default)]
pub struct Seen {
    /// The jobs of all 202s, and when they were answered.
    pub accepted: Vec<(Uuid, Instant)>,
    /// Answers 2xx.
    pub done: u64,
    /// Clean answers 503.
    pub refused: u64,
    /// What was neither, in words.
    pub unclean: Vec<String>,
    /// The longest time to an answer.
    pub slowest: Duration,
}

/// What the clients share.
struct Load {
    http: Client,
    api: String,
    token: String,
    clusters: Vec<String>,
    stop: CancellationToken,
    seen: Arc<Mutex<Seen>>,
}

/// Clients at work.
pub struct Clients {
    pub seen: Arc<Mutex<Seen>>,
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Clients {
    /// Starts them.
    pub fn start(api: &str, token: &str, fleet: FleetShape) -> anyhow::Result<Self> {
        let (stop, seen) = (CancellationToken::new(), Arc::default());
        let load = Arc::new(Load {
            http: Client::builder().timeout(ANSWER_WITHIN).build()?,
            api: api.to_owned(),
            token: token.to_owned(),
            clusters: clusters(fleet),
            stop: stop.clone(),
            seen: Arc::clone(&seen),
        });
        let mut running = JoinSet::new();
        for number in 0..CLIENTS {
            running.spawn(client(Arc::clone(&load), number));
        }
        Ok(Self {
            seen,
            stop,
            running,
        })
    }

    /// Lets each end what it has begun; what they saw.
    pub async fn stop(mut self) -> anyhow::Result<Seen> {
        self.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended?;
        }
        Ok(std::mem::take(&mut *self.seen.lock().unwrap()))
    }
}

fn clusters(fleet: FleetShape) -> Vec<String> {
    let mut paths = Vec::new();
    for account in fleet.accounts() {
        for (region, cluster) in &account.clusters {
            let id = &account.account_id;
            paths.push(format!(
                "/v1/accounts/{id}/regions/{region}/clusters/{cluster}/fargate-profiles"
            ));
        }
    }
    paths
}

/// Goes round its clusters: creates a profile, reads the job, asks EKS, deletes the profile.
async fn client(load: Arc<Load>, number: usize) {
    let own: Vec<&String> = load.clusters.iter().skip(number).step_by(CLIENTS).collect();
    for (n, base) in own.iter().cycle().enumerate() {
        if load.stop.is_cancelled() {
            return;
        }
        let name = format!("p-{number}-{n}");
        let body = json!({"name": name, "selectors": [{"namespace": "default"}]});
        let created = load.write(Method::POST, base, Some(&body)).await;
        if let Some(id) = created["id"].as_str() {
            load.read(&format!("/v1/jobs/{id}")).await;
        }
        load.read(&format!("{base}?waitSeconds=1")).await;
        load.write(Method::DELETE, &format!("{base}/{name}"), None)
            .await;
    }
}

impl Load {
    /// Repeats a change with the same key until it is taken; its job.
    async fn write(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let key = Uuid::new_v4().to_string();
        loop {
            let request = self.request(method.clone(), path);
            let mut request = request.header("Idempotency-Key", &key);
            if let Some(body) = body {
                request = request.json(body);
            }
            if let Some(job) = self.answer(request).await {
                return job;
            }
        }
    }

    /// Repeats a read until it is answered.
    async fn read(&self, path: &str) {
        while self.answer(self.request(Method::GET, path)).await.is_none() {}
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.api);
        self.http.request(method, url).bearer_auth(&self.token)
    }

    /// Sends a request and writes down its answer; `None` when it is to be repeated.
    async fn answer(&self, request: RequestBuilder) -> Option<Value> {
        let sent = Instant::now();
        let answer = match request.send().await {
            Ok(response) => judged(response).await,
            Err(error) => Judged::Unclean(format!("no answer: {error:?}")),
        };
        let answered = Instant::now();
        let taken = self.note(answer, sent, answered);
        tokio::time::sleep(PAUSE).await;
        taken
    }

    fn note(&self, answer: Judged, sent: Instant, answered: Instant) -> Option<Value> {
        let mut seen = self.seen.lock().unwrap();
        seen.slowest = seen.slowest.max(answered - sent);
        match answer {
            Judged::Done(status, body) => {
                seen.done += 1;
                let job = body["id"].as_str().and_then(|id| id.parse().ok());
                if let Some(job) = job.filter(|_| status == 202) {
                    seen.accepted.push((job, answered));
                }
                Some(body)
            }
            Judged::Refused => {
                seen.refused += 1;
                None
            }
            Judged::Unclean(what) => {
                seen.unclean.push(what);
                // Not repeated: the run has failed already.
                Some(Value::Null)
            }
        }
    }
}

enum Judged {
    Done(u16, Value),
    Refused,
    Unclean(String),
}

async fn judged(response: Response) -> Judged {
    let status = response.status().as_u16();
    let header = |name: &str| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let (kind, retry_after) = (header("content-type"), header("retry-after"));
    let text = response.text().await.unwrap_or_default();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let seconds = retry_after.as_deref().and_then(|it| it.parse::<u64>().ok());
    let clean = kind.as_deref() == Some("application/problem+json")
        && seconds.is_some()
        && seconds == body["retryAfterSeconds"].as_u64()
        && body["retryable"] == true
        && body["code"].is_string();
    match status {
        200..300 => Judged::Done(status, body),
        503 if clean => Judged::Refused,
        _ => Judged::Unclean(format!("{status} {kind:?} {retry_after:?} {text}")),
    }
}
