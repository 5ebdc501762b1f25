//! The worst caller at work: requests of one kind, many at a time, each followed by the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::kinds::{Kind, Target};
use crate::faults::caller::Tally;

/// It goes on until it is stopped.
pub struct Worst {
    over: CancellationToken,
    tally: Tally,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Worst {
    pub fn start(kind: Kind, target: Arc<Target>, short: bool) -> anyhow::Result<Self> {
        let (over, tally) = (CancellationToken::new(), Tally::default());
        let work = work(
            kind,
            target,
            kind.at_once(short),
            over.clone(),
            tally.clone(),
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("worst".to_owned())
            .spawn(move || runtime.block_on(work))?;
        Ok(Self {
            over,
            tally,
            thread,
        })
    }

    /// How it was answered. What was under way is hung up.
    pub async fn stop(self) -> anyhow::Result<Tally> {
        self.over.cancel();
        let thread = self.thread;
        tokio::task::spawn_blocking(move || thread.join().expect("the worst caller panicked"))
            .await??;
        Ok(self.tally)
    }
}

async fn work(
    kind: Kind,
    target: Arc<Target>,
    at_once: usize,
    over: CancellationToken,
    tally: Tally,
) -> anyhow::Result<()> {
    let client = Client::builder().timeout(Duration::from_mins(2)).build()?;
    let count = AtomicUsize::new(0);
    let one = || async {
        loop {
            let n = count.fetch_add(1, Ordering::Relaxed);
            tally.add(&answered(kind.request(&client, &target, n)).await);
        }
    };
    let all = join_all((0..at_once).map(|_| one()));
    let _: Option<Vec<()>> = over.run_until_cancelled(all).await;
    Ok(())
}

/// Its status, and of a refusal why; an event stream has its status counted when it ends.
async fn answered(request: reqwest::RequestBuilder) -> String {
    let answer = async {
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        reqwest::Result::Ok((status, answer.bytes().await?))
    };
    match answer.await {
        Ok((status, body)) if status >= 400 => {
            let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
            format!(
                "{status} {}",
                problem["code"].as_str().unwrap_or("without a code")
            )
        }
        Ok((status, _)) => status.to_string(),
        Err(error) if error.is_timeout() => "hung up".to_owned(),
        Err(_) => {
            tokio::time::sleep(Duration::from_millis(10)).await;
            "no answer".to_owned()
        }
    }
}
