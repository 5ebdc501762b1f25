//! The simulator's record of calls, and what it says about jobs.

use std::collections::{BTreeMap, HashSet};

use anyhow::ensure;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Every call, and every overlap.
#[derive(Debug, Deserialize)]
pub struct Record {
    pub calls: Vec<Call>,
    pub overlaps: Vec<Value>,
}

/// One call to the simulator.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the rest is shown when a rule is broken")]
pub struct Call {
    pub seq: u64,
    account_id: String,
    region: String,
    action: String,
    cluster: Option<String>,
    profile: Option<String>,
    /// None: the caller was gone before the answer.
    status: Option<u16>,
    #[serde(default)]
    changed: bool,
    session_name: Option<String>,
}

impl Record {
    /// All of it; it must be complete.
    pub async fn of(sim_url: &str) -> anyhow::Result<Self> {
        let answer = reqwest::get(format!("{sim_url}/_sim/record")).await?;
        let record: Self = serde_json::from_slice(&answer.bytes().await?)?;
        let first = record.calls.first().map_or(1, |call| call.seq);
        ensure!(
            first == 1,
            "the record begins with call {first}: it ran over"
        );
        Ok(record)
    }

    /// The jobs of which AWS has accepted a change, answered or not.
    pub fn accepted(&self) -> HashSet<Uuid> {
        self.changes().filter_map(Call::job).collect()
    }

    /// Jobs of which AWS has accepted more than one change.
    pub fn doubled(&self) -> Vec<String> {
        let mut changes: BTreeMap<Uuid, Vec<&Call>> = BTreeMap::new();
        for call in self.changes() {
            if let Some(job) = call.job() {
                changes.entry(job).or_default().push(call);
            }
        }
        changes
            .into_iter()
            .filter(|(_, calls)| calls.len() > 1)
            .map(|(job, calls)| format!("job {job} changed AWS more than once: {calls:?}"))
            .collect()
    }

    /// Changes that AWS had accepted and was asked for again: whoever asked first died.
    pub fn repeated(&self) -> usize {
        let mut done: HashSet<Uuid> = HashSet::new();
        let mut again: HashSet<Uuid> = HashSet::new();
        for call in &self.calls {
            let Some(job) = call.job() else { continue };
            if call.changed {
                done.insert(job);
            } else if call.is_change() && done.contains(&job) {
                again.insert(job);
            }
        }
        again.len()
    }

    fn changes(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(|call| call.changed)
    }
}

impl Call {
    fn is_change(&self) -> bool {
        ["CreateFargateProfile", "DeleteFargateProfile"].contains(&self.action.as_str())
    }

    /// The job that called, by the name of its session.
    fn job(&self) -> Option<Uuid> {
        let name = self.session_name.as_ref()?;
        name.strip_prefix("job-")?.parse().ok()
    }
}
