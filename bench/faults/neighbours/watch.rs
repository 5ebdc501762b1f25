//! What is looked at every quarter of a second beside the load: `/readyz`, and the memory of the
//! process.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::Client;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_millis(250);
const A_SECOND: usize = 4;

/// It looks until it is stopped.
pub struct Watch {
    over: CancellationToken,
    looking: JoinHandle<anyhow::Result<Watched>>,
}

/// What it saw.
#[derive(Default)]
pub struct Watched {
    pub looks: usize,
    /// Looks at `/readyz` that were not answered with 200: when, and what it was.
    pub unready: Vec<String>,
    pub memory: Memory,
}

/// Resident memory at each look, in MiB.
#[derive(Default)]
pub struct Memory(Vec<f64>);

impl Watch {
    pub fn start(api_url: &str, process: u32) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(Duration::from_secs(5)).build()?;
        let url = format!("{api_url}/readyz");
        let over = CancellationToken::new();
        let looking = look(client, url, process, over.clone());
        #[expect(clippy::disallowed_methods, reason = "`stop` waits for it")]
        let looking = tokio::spawn(looking);
        Ok(Self { over, looking })
    }

    pub async fn stop(self) -> anyhow::Result<Watched> {
        self.over.cancel();
        self.looking.await?
    }
}

async fn look(
    client: Client,
    url: String,
    process: u32,
    over: CancellationToken,
) -> anyhow::Result<Watched> {
    let (mut watched, began) = (Watched::default(), Instant::now());
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while over.run_until_cancelled(ticks.tick()).await.is_some() {
        watched.memory.0.push(resident(process)?);
        watched.looks += 1;
        let met = match client.get(&url).send().await {
            Ok(answer) if answer.status().as_u16() == 200 => continue,
            Ok(answer) => {
                let status = answer.status();
                format!("{status} {}", answer.text().await.unwrap_or_default())
            }
            Err(error) => format!("{error:?}"),
        };
        let at = began.elapsed().as_secs_f64();
        watched.unready.push(format!("at {at:.1} s: {met}"));
    }
    Ok(watched)
}

/// Returns when the process has used less than half of a processor for half a second, or after 10 s.
pub async fn at_rest(process: u32) -> anyhow::Result<()> {
    let until = Instant::now() + Duration::from_secs(10);
    let mut before = ticks(process)?;
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = ticks(process)?;
        if now - before < 25 {
            return Ok(());
        }
        before = now;
    }
    Ok(())
}

/// Hundredths of a second of a processor that the process has used.
fn ticks(process: u32) -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("a process's name")?;
    let fields = fields.split_whitespace().skip(11).take(2);
    let times: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>()?;
    Ok(times.iter().sum())
}

fn resident(process: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: f64 = kib.context("VmRSS of the service")?.parse()?;
    Ok(kib / 1024.0)
}

impl Memory {
    fn first(&self) -> f64 {
        self.0.first().copied().unwrap_or_default()
    }

    fn most(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }

    fn last(&self) -> f64 {
        self.0.last().copied().unwrap_or_default()
    }

    fn each_second(&self) -> impl Iterator<Item = f64> {
        self.0.iter().copied().step_by(A_SECOND)
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let curve: Vec<String> = self.each_second().map(|mib| format!("{mib:.0}")).collect();
        write!(
            f,
            "{:.0} MiB before, {:.0} at most, {:.0} at the end; each second {}",
            self.first(),
            self.most(),
            self.last(),
            curve.join(" ")
        )
    }
}
