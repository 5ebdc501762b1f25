//! The load of the soak: creations, deletions and live reads, and callers who poll, who hold a
//! long poll, and who follow events.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use fargate_fleet::rng::Rng;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::faults::caller::Caller;

/// Names of profiles that are made and deleted over and over on each cluster.
const NAMES: u64 = 3;

/// What every request draws from.
pub struct Load {
    pub caller: Caller,
    clusters: Vec<String>,
    rng: Rng,
}

impl Load {
    pub fn new(caller: Caller, clusters: Vec<String>, rng: Rng) -> Self {
        Self {
            caller,
            clusters,
            rng,
        }
    }

    /// Begins `rate` requests a second for so long, and waits for the last of them.
    pub async fn run(self: &Arc<Self>, rate: f64, length: Duration) -> anyhow::Result<()> {
        let mut requests = JoinSet::new();
        let (began, pause) = (Instant::now(), Duration::from_secs_f64(1.0 / rate));
        let mut next = began;
        while next < began + length {
            sleep_until(next).await;
            next += pause;
            let load = Arc::clone(self);
            requests.spawn(async move { load.request().await });
            while let Some(ended) = requests.try_join_next() {
                ended??;
            }
        }
        while let Some(ended) = requests.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Of a hundred: 35 creations, 30 deletions, 35 live reads.
    async fn request(&self) -> anyhow::Result<()> {
        let index = usize::try_from(self.rng.below(self.clusters.len() as u64))?;
        let cluster = &self.clusters[index];
        let name = format!("p-{}", self.rng.below(NAMES));
        let profile = format!("{cluster}/{name}");
        match self.rng.below(100) {
            0..35 => {
                let body = json!({"name": name, "selectors": [{"namespace": name}]});
                self.change(Method::POST, cluster, Some(&body)).await
            }
            35..65 => self.change(Method::DELETE, &profile, None).await,
            65..85 => self.read(&profile).await,
            _ => self.read(cluster).await,
        }
    }

    async fn change(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<()> {
        let answer = self.caller.answered(method, path, &[], body).await?;
        ensure!(
            answer.status.is_success(),
            "{path}: {} {}",
            answer.status,
            answer.body
        );
        let own = answer.body["links"]["self"]
            .as_str()
            .context("a job's link")?;
        match self.rng.below(3) {
            0 => self.follow(own).await,
            1 => self.hold(own).await,
            _ => self.ask(own).await,
        }
    }

    async fn read(&self, path: &str) -> anyhow::Result<()> {
        let answer = self.caller.answered(Method::GET, path, &[], None).await?;
        let fine = answer.status.is_success() || answer.status == StatusCode::NOT_FOUND;
        ensure!(fine, "{path}: {} {}", answer.status, answer.body);
        Ok(())
    }

    /// Server-sent events to the last.
    async fn follow(&self, job: &str) -> anyhow::Result<()> {
        let mut events = self.caller.stream(&format!("{job}/events")).await?;
        while events.chunk().await?.is_some() {}
        Ok(())
    }

    /// One long poll.
    async fn hold(&self, job: &str) -> anyhow::Result<()> {
        self.read(&format!("{job}?waitSeconds=10")).await
    }

    /// Some short polls.
    async fn ask(&self, job: &str) -> anyhow::Result<()> {
        for _ in 0..3 {
            self.read(job).await?;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Ok(())
    }
}
