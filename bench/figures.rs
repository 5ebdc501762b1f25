//! Figures: medians, percentiles, the ratio of two sides that were run in turn.

use std::time::{Duration, Instant};

/// The middle value; of an even number, the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The value below which `part` (0 to 1) of all lie.
pub fn percentile(values: &mut [Duration], part: f64) -> Duration {
    values.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a list that is not empty"
    )]
    let at = ((values.len() as f64 * part).ceil() as usize).clamp(1, values.len().max(1)) - 1;
    values.get(at).copied().unwrap_or_default()
}

/// Waits, for a minute at most, until nothing else uses the processors; says so when it gives up.
pub async fn idle() {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let before = ticks();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let after = ticks();
        let busy = match before.zip(after) {
            Some(((busy, all), (busy_then, all_then))) if all_then > all => {
                f64::from(busy_then - busy) / f64::from(all_then - all)
            }
            // No /proc: whoever runs it has to know.
            _ => return,
        };
        if busy < 0.1 {
            return;
        }
        if Instant::now() > until {
            println!(
                "the machine is {:.0} % busy with other things",
                busy * 100.0
            );
            return;
        }
    }
}

/// Ticks that the processors were busy, and all ticks.
fn ticks() -> Option<(u32, u32)> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<u64> = stat
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    let all: u64 = ticks.iter().take(8).sum();
    // Idle, and waiting for a disk.
    let busy = all - ticks.get(3)? - ticks.get(4)?;
    // Only differences count.
    let low = |ticks: u64| u32::try_from(ticks % (1 << 31)).ok();
    Some((low(busy)?, low(all)?))
}
