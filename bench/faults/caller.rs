//! A client as it should be: it repeats a request, with the same key, until it is answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::bail;
use fargate_fleet::rng::Rng;
use reqwest::header::{ETAG, HeaderMap};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

/// Longer than any wait that is asked for here.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How long a request is repeated: longer than any outage of a harness.
const REPEAT_FOR: Duration = Duration::from_mins(2);

/// How often each status, or failure to get one, was met; clones share it.
#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<String, u64>>>);

impl Tally {
    pub fn add(&self, what: &str) {
        *self.0.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.0.lock().unwrap();
        let parts: Vec<String> = known
            .iter()
            .map(|(what, n)| format!("{what}: {n}"))
            .collect();
        f.write_str(&parts.join(", "))
    }
}

/// What came back, and when that request was sent and answered.
pub struct Answer {
    pub status: StatusCode,
    /// The first number of a job's `ETag`.
    pub version: Option<i64>,
    pub body: Value,
    pub sent: Instant,
    pub answered: Instant,
}

/// One client of the API.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    base: String,
    token: String,
    rng: Rng,
    pub tally: Tally,
}

impl Caller {
    pub fn new(base: &str, token: &str, rng: Rng) -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::builder().timeout(ANSWER_WITHIN).build()?,
            base: base.to_owned(),
            token: token.to_owned(),
            rng,
            tally: Tally::default(),
        })
    }

    /// The same client with other dice.
    pub fn with(&self, rng: Rng) -> Self {
        Self {
            rng,
            ..self.clone()
        }
    }

    /// One request, answered or not.
    pub async fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<Answer> {
        self.send(method, path, &[], body).await
    }

    /// Repeats a request until its status is neither 429 nor 5xx.
    pub async fn answered(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let until = Instant::now() + REPEAT_FOR;
        loop {
            let outcome = self.send(method.clone(), path, headers, body).await;
            let met = match &outcome {
                Ok(answer) => answer.status.as_u16().to_string(),
                Err(error) if error.is_timeout() => "no answer in time".to_owned(),
                Err(_) => "no connection".to_owned(),
            };
            self.tally.add(&met);
            match outcome {
                Ok(answer) if !is_to_repeat(answer.status) => return Ok(answer),
                _ if Instant::now() > until => bail!("{method} {path} is not answered: {met}"),
                _ => {}
            }
            let pause = self.rng.jitter(Duration::from_millis(200), 0.5);
            tokio::time::sleep(pause).await;
        }
    }

    /// A streamed answer, to be read piece by piece.
    pub async fn stream(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        let request = self.client.get(format!("{}{path}", self.base));
        request.bearer_auth(&self.token).send().await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Option<&Value>,
    ) -> reqwest::Result<Answer> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let sent = Instant::now();
        let response = request.send().await?;
        let (status, version) = (response.status(), version(response.headers()));
        let text = response.bytes().await?;
        Ok(Answer {
            status,
            version,
            body: serde_json::from_slice(&text).unwrap_or_default(),
            sent,
            answered: Instant::now(),
        })
    }
}

fn is_to_repeat(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn version(headers: &HeaderMap) -> Option<i64> {
    let tag = headers.get(ETAG)?.to_str().ok()?;
    let tag = tag.trim_start_matches("W/").trim_matches('"');
    tag.split('-').next()?.parse().ok()
}
