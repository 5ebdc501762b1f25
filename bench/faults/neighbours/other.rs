//! The other caller: it creates profiles and is timed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use super::seed;
use crate::faults::stage::{Stage, profiles};
use crate::figures::percentile;
use fargate_fleet::domain::Role;

/// Requests under way at once.
const CONNECTIONS: usize = 4;

/// The caller, with a token of its account alone.
pub struct Other {
    client: Client,
    urls: Vec<String>,
    token: String,
    made: AtomicUsize,
}

/// What one side showed.
#[derive(Clone, Default)]
pub struct Side {
    accepted: u32,
    /// 5xx, and requests that got no answer.
    pub failed: u32,
    pub answers: String,
    p50: Duration,
    pub p99: Duration,
    length: Duration,
}

impl Other {
    pub async fn of(stage: &Stage) -> anyhow::Result<Self> {
        let account = &stage.accounts[1];
        let clusters = account.clusters.iter();
        let urls = clusters.map(|(region, cluster)| {
            let path = profiles(&account.account_id, region, cluster);
            format!("{}{path}", stage.api_url)
        });
        Ok(Self {
            client: Client::builder().timeout(Duration::from_secs(15)).build()?,
            urls: urls.collect(),
            token: seed::token(stage, "other", Role::Operator, &account.account_id).await?,
            made: AtomicUsize::new(0),
        })
    }

    /// One side: so long, in a closed loop.
    pub async fn run(&self, length: Duration) -> anyhow::Result<Side> {
        let began = Instant::now();
        let loops = (0..CONNECTIONS).map(|_| self.one(began + length));
        let seen: Vec<(String, Duration)> = join_all(loops).await.into_iter().flatten().collect();
        let length = began.elapsed();
        let mut times: Vec<Duration> = seen.iter().map(|(_, took)| *took).collect();
        let mut answers: BTreeMap<&str, u32> = BTreeMap::new();
        for (met, _) in &seen {
            *answers.entry(met).or_default() += 1;
        }
        let failed = |met: &&str| met.starts_with('5') || met.starts_with("no answer");
        let mut side = Side {
            accepted: answers.get("202").copied().unwrap_or_default(),
            failed: answers
                .iter()
                .filter(|(met, _)| failed(met))
                .map(|(_, count)| count)
                .sum(),
            length,
            ..Side::default()
        };
        let words = answers.iter().map(|(met, count)| format!("{met}: {count}"));
        side.answers = words.collect::<Vec<_>>().join(", ");
        side.p50 = percentile(&mut times, 0.5);
        side.p99 = percentile(&mut times, 0.99);
        times.first().context("the other asked nothing")?;
        Ok(side)
    }

    async fn one(&self, until: Instant) -> Vec<(String, Duration)> {
        let mut seen = Vec::new();
        while Instant::now() < until {
            let n = self.made.fetch_add(1, Ordering::Relaxed);
            let name = format!("f12-{n}");
            let body = json!({"name": name, "selectors": [{"namespace": name}]});
            let request = self.client.post(&self.urls[n % self.urls.len()]);
            let sent = Instant::now();
            let answer = request.bearer_auth(&self.token).json(&body).send().await;
            let met = match answer {
                Ok(answer) => {
                    let status = answer.status();
                    let text = answer.text().await.unwrap_or_default();
                    told(status, &text)
                }
                Err(error) => format!("no answer: {error:?}"),
            };
            seen.push((met, sent.elapsed()));
        }
        seen
    }
}

/// The status, and of a 5xx what it said.
fn told(status: StatusCode, text: &str) -> String {
    if status.is_server_error() {
        format!("{} {text}", status.as_u16())
    } else {
        status.as_u16().to_string()
    }
}

impl Side {
    /// Accepted a second.
    pub fn rate(&self) -> f64 {
        f64::from(self.accepted) / self.length.as_secs_f64()
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            f,
            "{:.0}/s, {:.1} ms, {:.1} ms",
            self.rate(),
            milliseconds(self.p50),
            milliseconds(self.p99)
        )?;
        if self.answers.contains(',') {
            write!(f, " ({})", self.answers)?;
        }
        Ok(())
    }
}
