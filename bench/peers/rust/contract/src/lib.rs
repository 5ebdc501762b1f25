//! What every peer program shares: the command line, the jobs, the checks, the line of JSON.
//! The same stands in `node/contract.cjs` and in `python/contract.py`; `../README.md` describes it.

mod record;
mod report;

use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde::{Deserialize, Serialize};

pub use record::{Record, Samples};
pub use report::{report_drain, report_latency};

/// Its best settings, or those it comes with.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Batched,
    Default,
}

/// The command line.
#[derive(Clone, Parser)]
pub struct Arguments {
    /// An empty database
    #[arg(long)]
    pub url: String,
    #[arg(long, value_enum, default_value = "batched")]
    pub mode: Mode,
    #[arg(long, default_value_t = 100_000)]
    pub jobs: usize,
    /// Job i has key i mod this; 0 means no keys
    #[arg(long, default_value_t = 0)]
    pub keys: usize,
    /// How long a job sleeps; 0 means not at all
    #[arg(long, default_value_t = 0)]
    pub duration_ms: u64,
    #[arg(long, default_value_t = 24)]
    pub concurrency: usize,
    /// Measure the way from enqueue to first statement so often, instead of a drain
    #[arg(long, default_value_t = 0)]
    pub latency: usize,
}

impl Arguments {
    /// The command line, or an exit with what is wrong in it.
    pub fn read() -> Self {
        Self::parse()
    }

    pub fn duration(&self) -> Duration {
        Duration::from_millis(self.duration_ms)
    }

    /// Numbers of jobs in batches of at most `size`, each key at most once a batch: what one
    /// statement enqueues may get equal times and shuffled ids.
    pub fn batches(&self, size: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let size = if self.keys == 0 {
            size
        } else {
            size.min(self.keys)
        };
        let jobs = self.jobs;
        (0..jobs)
            .step_by(size)
            .map(move |first| first..(first + size).min(jobs))
    }
}

/// What a job carries: about 400 bytes of JSON.
#[derive(Clone, Serialize, Deserialize)]
pub struct Payload {
    pub number: usize,
    /// -1 without keys
    pub key: i64,
    pub filler: String,
}

impl Payload {
    pub fn new(number: usize, keys: usize) -> Self {
        let key = if keys == 0 {
            -1
        } else {
            (number % keys).cast_signed() as i64
        };
        Self {
            number,
            key,
            filler: "x".repeat(350),
        }
    }
}

/// 5 to 25 ms.
pub async fn pause() {
    let milliseconds = rand::random_range(5..=25);
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}
