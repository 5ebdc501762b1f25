//! The line of JSON.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use serde_json::json;

use crate::{Arguments, Record};

pub fn report_drain(
    peer: &str,
    version: &str,
    arguments: &Arguments,
    record: &Record,
    took: Duration,
) {
    let seconds = took.as_secs_f64();
    let line = json!({
        "peer": peer,
        "version": version,
        "jobs": arguments.jobs,
        "seconds": seconds,
        "jobs_per_second": arguments.jobs as f64 / seconds,
        "overlaps": record.overlaps.load(SeqCst),
        "out_of_order": record.out_of_order.load(SeqCst),
    });
    println!("{line}");
}

pub fn report_latency(peer: &str, version: &str, mut samples: Vec<Duration>) {
    samples.sort_unstable();
    let percentile = |part: f64| {
        let at = (samples.len() as f64 * part).ceil() as usize;
        samples[at.saturating_sub(1)].as_micros() as u64
    };
    let line = json!({
        "peer": peer,
        "version": version,
        "samples": samples.len(),
        "p50_us": percentile(0.5),
        "p95_us": percentile(0.95),
    });
    println!("{line}");
}
