//! The load of the chaos run: clients that create, delete, read and cancel, and write down what
//! they asked for and saw.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use fargate_fleet::rng::Rng;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::caller::{Answer, Caller};
use super::history::{Event, Seen, What};

/// Clients that act at the same time.
const CLIENTS: usize = 8;
/// Names of profiles that are made and deleted over and over on each cluster.
const NAMES: u64 = 3;

/// What all clients share.
pub struct Load {
    pub caller: Caller,
    /// The clusters, as paths of their profiles.
    pub clusters: Vec<String>,
    pub began: Instant,
    known: Mutex<Vec<Uuid>>,
    history: Mutex<Vec<Event>>,
}

impl Load {
    pub fn new(caller: Caller, clusters: Vec<String>) -> Arc<Self> {
        Arc::new(Self {
            caller,
            clusters,
            began: Instant::now(),
            known: Mutex::default(),
            history: Mutex::default(),
        })
    }

    /// Submits so many jobs, evenly over a time.
    pub async fn run(self: &Arc<Self>, jobs: u64, over: Duration, seed: u64) -> anyhow::Result<()> {
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let rng = Rng::seeded(seed.wrapping_add(number as u64 + 1));
            let client = Client {
                load: Arc::clone(self),
                caller: self.caller.with(rng.clone()),
                number,
                rng,
            };
            let share = jobs / CLIENTS as u64 + u64::from(jobs % CLIENTS as u64 > number as u64);
            clients.spawn(client.run(share, over));
        }
        while let Some(ended) = clients.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// What was asked and seen so far.
    pub fn history(&self) -> Vec<Event> {
        self.history.lock().unwrap().clone()
    }
}

/// One client.
struct Client {
    load: Arc<Load>,
    caller: Caller,
    number: usize,
    rng: Rng,
}

/// A request that makes a job.
struct Submission {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
    key: Option<String>,
}

impl Client {
    async fn run(self, jobs: u64, over: Duration) -> anyhow::Result<()> {
        let count = u32::try_from(jobs)?;
        for n in 0..count {
            sleep_until(self.load.began + over * n / count.max(1)).await;
            let submission = self.submission(n);
            let Some(job) = self.submit(&submission).await? else {
                continue;
            };
            if submission.key.is_some() && self.rng.below(20) == 0 {
                self.submit(&submission).await?;
            }
            if self.rng.below(10) == 0 {
                let target = if self.rng.below(2) == 0 {
                    job
                } else {
                    self.some_job()
                };
                self.cancel(target, n).await?;
            }
            for job in [job, self.some_job(), self.some_job()] {
                self.read(job).await?;
            }
        }
        Ok(())
    }

    /// Of a hundred: 45 creations, 30 deletions, 25 live reads.
    fn submission(&self, n: u32) -> Submission {
        let clusters = &self.load.clusters;
        let cluster = &clusters[usize::try_from(self.rng.below(clusters.len() as u64)).unwrap()];
        let name = format!("p-{}", self.rng.below(NAMES));
        let profile = format!("{cluster}/{name}");
        match self.rng.below(100) {
            // Without a name, the job makes one: a creation that is made twice would show.
            0..5 => self.change(n, Method::POST, cluster.clone(), Some(body(None))),
            5..45 => self.change(n, Method::POST, cluster.clone(), Some(body(Some(&name)))),
            45..72 => self.change(n, Method::DELETE, profile, None),
            72..75 => self.change(n, Method::DELETE, format!("{profile}?wait=false"), None),
            75..90 => self.live_read(profile),
            _ => self.live_read(cluster.clone()),
        }
    }

    fn change(&self, n: u32, method: Method, path: String, body: Option<Value>) -> Submission {
        let key = format!("client-{}-{n}", self.number);
        Submission {
            method,
            path,
            headers: vec![("Idempotency-Key", key.clone())],
            body,
            key: Some(key),
        }
    }

    /// Held, or answered with the job at once.
    fn live_read(&self, path: String) -> Submission {
        let held = self.rng.below(2) == 0;
        let prefer = if held { "wait=5" } else { "respond-async" };
        Submission {
            method: Method::GET,
            path,
            headers: vec![("Prefer", prefer.to_owned())],
            body: None,
            key: None,
        }
    }

    /// Submits until it is answered. The job, if the answer is one.
    async fn submit(&self, wanted: &Submission) -> anyhow::Result<Option<Uuid>> {
        let Submission {
            method,
            path,
            headers,
            body,
            key,
        } = wanted;
        let request = self
            .caller
            .answered(method.clone(), path, headers, body.as_ref());
        let answer = request.await?;
        if key.is_none() && answer.status != StatusCode::ACCEPTED {
            let known = [StatusCode::OK, StatusCode::NOT_FOUND].contains(&answer.status);
            ensure!(known, "{method} {path}: {} {}", answer.status, answer.body);
            return Ok(None);
        }
        ensure!(
            answer.status.is_success(),
            "{method} {path}: {} {}",
            answer.status,
            answer.body
        );
        let job = job_id(&answer.body)?;
        let key = key.clone().unwrap_or_else(|| format!("read {job}"));
        let seen = seen(&answer);
        self.wrote(job, &answer, What::Enqueued { key, seen });
        self.load.known.lock().unwrap().push(job);
        Ok(Some(job))
    }

    async fn read(&self, job: Uuid) -> anyhow::Result<()> {
        let path = format!("/v1/jobs/{job}");
        let answer = self.caller.answered(Method::GET, &path, &[], None).await?;
        let what = match answer.status {
            StatusCode::OK => What::Read(seen(&answer)),
            StatusCode::NOT_FOUND => What::Missing,
            status => anyhow::bail!("{path}: {status} {}", answer.body),
        };
        self.wrote(job, &answer, what);
        Ok(())
    }

    async fn cancel(&self, job: Uuid, n: u32) -> anyhow::Result<()> {
        let now = self.load.began.elapsed();
        self.keep(Event {
            client: self.number,
            job,
            sent: now,
            answered: now,
            what: What::CancelSent,
        });
        let path = format!("/v1/jobs/{job}/cancel");
        let key = [("Idempotency-Key", format!("cancel-{}-{n}", self.number))];
        let answer = self
            .caller
            .answered(Method::POST, &path, &key, None)
            .await?;
        let what = match answer.status {
            StatusCode::OK | StatusCode::ACCEPTED => What::Canceled {
                seen: seen(&answer),
                too_late: is_too_late(&answer.body),
            },
            StatusCode::CONFLICT => What::HadEnded,
            StatusCode::NOT_FOUND => What::Missing,
            status => anyhow::bail!("{path}: {status} {}", answer.body),
        };
        self.wrote(job, &answer, what);
        Ok(())
    }

    /// A job that somebody enqueued lately.
    fn some_job(&self) -> Uuid {
        let known = self.load.known.lock().unwrap();
        let back = self.rng.below(known.len().min(100) as u64);
        known[known.len() - 1 - usize::try_from(back).unwrap()]
    }

    fn wrote(&self, job: Uuid, answer: &Answer, what: What) {
        self.keep(Event {
            client: self.number,
            job,
            sent: answer.sent - self.load.began,
            answered: answer.answered - self.load.began,
            what,
        });
    }

    fn keep(&self, event: Event) {
        self.load.history.lock().unwrap().push(event);
    }
}

/// The same name always comes with the same profile: a second creation adopts it.
fn body(name: Option<&str>) -> Value {
    let selectors = json!([{"namespace": name.unwrap_or("unnamed")}]);
    match name {
        Some(name) => json!({"name": name, "selectors": selectors}),
        None => json!({"selectors": selectors}),
    }
}

fn job_id(body: &Value) -> anyhow::Result<Uuid> {
    let id = body["id"]
        .as_str()
        .with_context(|| format!("no job: {body}"))?;
    Ok(id.parse()?)
}

fn seen(answer: &Answer) -> Seen {
    Seen {
        state: answer.body["state"].as_str().unwrap_or_default().to_owned(),
        version: answer.version,
    }
}

fn is_too_late(job: &Value) -> bool {
    let warnings = job["warnings"].as_array();
    warnings.is_some_and(|known| known.iter().any(|w| w["code"] == "cancel_too_late"))
}
