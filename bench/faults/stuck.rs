//! The sampler of `stuck_jobs`: once a second, jobs that nothing would ever touch again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// A lane that loses its head by a crash between two statements gets a new one in the next round
/// of repairs, which comes every other second here; more samples in a row than this are a bug.
const IN_PASSING: u32 = 5;
const HEADLESS: &str = "blocked in a lane that has no head";

/// What was seen.
#[derive(Default)]
pub struct Samples {
    seen: u32,
    away: u32,
    /// Jobs in a lane without a head: in how many samples in a row, at most and now.
    headless: BTreeMap<String, (u32, u32)>,
    /// Every other reason, with its jobs.
    stuck: BTreeSet<String>,
}

/// Samples until everything has settled.
pub async fn sample(pool: &PgPool, settled: &CancellationToken) -> anyhow::Result<Samples> {
    let mut samples = Samples::default();
    let mut next = Instant::now();
    while !settled.is_cancelled() {
        sleep_until(next).await;
        next += Duration::from_secs(1);
        let stuck = sqlx::query_as("select job_id::text, why from stuck_jobs");
        match stuck.fetch_all(pool).await {
            Ok(stuck) => samples.add(stuck),
            Err(_) => samples.away += 1,
        }
    }
    Ok(samples)
}

impl Samples {
    fn add(&mut self, stuck: Vec<(String, String)>) {
        self.seen += 1;
        let (headless, others): (Vec<_>, Vec<_>) =
            stuck.into_iter().partition(|(_, why)| why == HEADLESS);
        for (job, (_, now)) in &mut self.headless {
            if !headless.iter().any(|(known, _)| known == job) {
                *now = 0;
            }
        }
        for (job, _) in headless {
            let (most, now) = self.headless.entry(job).or_default();
            *now += 1;
            *most = (*most).max(*now);
        }
        let told = others
            .into_iter()
            .map(|(job, why)| format!("job {job}: {why}"));
        self.stuck.extend(told);
    }

    /// In words.
    pub fn wrong(&self) -> Vec<String> {
        let stayed = self
            .headless
            .iter()
            .filter(|(_, (most, _))| *most > IN_PASSING);
        let stayed = stayed.map(|(job, (most, _))| format!("job {job}: {HEADLESS}, {most} times"));
        self.stuck.iter().cloned().chain(stayed).collect()
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.headless.values().map(|(most, _)| *most).max();
        write!(
            f,
            "{} samples: {} stuck jobs; {} in a lane without a head, {} samples in a row at most; \
             Postgres was away {} times",
            self.seen,
            self.stuck.len(),
            self.headless.len(),
            longest.unwrap_or(0),
            self.away,
        )
    }
}
