//! The end of a chaos run: what the jobs say must be complete, and AWS must agree with it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::{Context as _, ensure};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::caller::Caller;
use super::history::{Event, Seen, What};
use super::stage::profiles;

/// What may go wrong with a job here, by its own fault alone: there is no such profile to read or
/// to delete, or the cluster is full.
const OWN_FAULTS: [&str; 2] = ["not_found", "limit_exceeded"];

/// A job as the list shows it at the end.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub id: Uuid,
    pub kind: String,
    pub state: String,
    account_id: String,
    region: String,
    cluster_name: Option<String>,
    profile_name: Option<String>,
    finished_at: Option<String>,
    error: Option<Value>,
}

/// All jobs that there are.
pub async fn jobs(caller: &Caller) -> anyhow::Result<Vec<Job>> {
    let (mut jobs, mut path) = (Vec::new(), "/v1/jobs?pageSize=1000".to_owned());
    loop {
        let page = caller.answered(Method::GET, &path, &[], None).await?.body;
        jobs.extend(Vec::<Job>::deserialize(&page["items"])?);
        let Some(token) = page["nextPageToken"].as_str() else {
            return Ok(jobs);
        };
        path = format!("/v1/jobs?pageSize=1000&pageToken={token}");
    }
}

/// Whether nothing is left to do.
pub async fn all_have_ended(caller: &Caller) -> anyhow::Result<bool> {
    let path = "/v1/jobs?pageSize=1&state=queued,running,waiting,canceling";
    let page = caller.answered(Method::GET, path, &[], None).await?.body;
    Ok(page["items"]
        .as_array()
        .context("a list of jobs")?
        .is_empty())
}

/// Acknowledged jobs that are not there or have not ended, and changes that are there and were
/// never acknowledged: each of those has a second job for its key.
pub fn lost_or_doubled(jobs: &[Job], history: &[Event]) -> Vec<String> {
    let enqueued = |event: &Event| matches!(event.what, What::Enqueued { .. });
    let acknowledged: HashSet<Uuid> = history
        .iter()
        .filter(|event| enqueued(event))
        .map(|event| event.job)
        .collect();
    let there: HashMap<Uuid, &Job> = jobs.iter().map(|job| (job.id, job)).collect();
    let lost = acknowledged
        .iter()
        .filter(|id| there.get(*id).is_none_or(|job| job.finished_at.is_none()))
        .map(|id| format!("job {id} was acknowledged and is lost or has not ended"));
    let doubled = jobs
        .iter()
        .filter(|job| is_change(job) && !acknowledged.contains(&job.id))
        .map(|job| format!("job {} is there and was never acknowledged", job.id));
    lost.chain(doubled).collect()
}

/// Jobs that failed for what was not their own fault.
pub fn broken(jobs: &[Job]) -> Vec<String> {
    jobs.iter()
        .filter_map(|job| Some((job, job.error.as_ref()?)))
        .filter(|(_, error)| !OWN_FAULTS.contains(&error["code"].as_str().unwrap_or_default()))
        .map(|(job, error)| format!("{} {} failed: {error}", job.kind, job.id))
        .collect()
}

/// Failed jobs of which AWS accepted a change.
pub fn dishonest(jobs: &[Job], accepted: &HashSet<Uuid>) -> Vec<String> {
    jobs.iter()
        .filter(|job| job.state == "failed" && accepted.contains(&job.id))
        .map(|job| format!("job {} failed, and AWS has accepted its change", job.id))
        .collect()
}

/// How many jobs of each kind ended how.
pub fn summary(jobs: &[Job]) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for job in jobs {
        let kind = job.kind.trim_end_matches("_fargate_profile");
        *counts.entry(format!("{kind} {}", job.state)).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(what, n)| format!("{what}: {n}"))
        .collect();
    parts.join(", ")
}

/// Who looked at all jobs at the end.
const JUDGE: usize = 99;

/// The last sight of every job.
pub fn last_sights(jobs: &[Job], now: std::time::Duration) -> impl Iterator<Item = Event> {
    jobs.iter().map(move |job| Event {
        client: JUDGE,
        job: job.id,
        sent: now,
        answered: now,
        what: What::Read(Seen {
            state: job.state.clone(),
            version: None,
        }),
    })
}

/// Clusters whose profiles at AWS are not those that the jobs left behind.
pub async fn disagreements(
    caller: &Caller,
    jobs: &[Job],
    clusters: &[String],
) -> anyhow::Result<Vec<String>> {
    let expected = expected(jobs);
    let mut wrong = Vec::new();
    for cluster in clusters {
        let answer = caller.answered(Method::GET, cluster, &[], None).await?;
        ensure!(
            answer.status == StatusCode::OK,
            "{cluster}: {}",
            answer.body
        );
        let items = answer.body["items"]
            .as_array()
            .context("a list of profiles")?;
        let there: BTreeSet<&str> = items
            .iter()
            .filter_map(|item| item["name"].as_str())
            .collect();
        let should: BTreeSet<&str> = expected
            .get(cluster)
            .map(|names| names.iter().map(String::as_str).collect())
            .unwrap_or_default();
        if there != should {
            wrong.push(format!("{cluster} has {there:?}, its jobs say {should:?}"));
        }
    }
    Ok(wrong)
}

/// What the jobs left on each cluster. A cluster's changes end in the order in which they were
/// made, because it makes one at a time.
fn expected(jobs: &[Job]) -> HashMap<String, BTreeSet<String>> {
    let mut changes: Vec<&Job> = jobs
        .iter()
        .filter(|job| is_change(job) && job.state == "succeeded")
        .collect();
    changes.sort_by_key(|job| job.finished_at.as_ref());
    let mut left: HashMap<String, BTreeSet<String>> = HashMap::new();
    for job in changes {
        let Some((cluster, name)) = job.cluster_name.as_ref().zip(job.profile_name.clone()) else {
            continue;
        };
        let there = left
            .entry(profiles(&job.account_id, &job.region, cluster))
            .or_default();
        if job.kind == "create_fargate_profile" {
            there.insert(name);
        } else {
            there.remove(&name);
        }
    }
    left
}

fn is_change(job: &Job) -> bool {
    matches!(
        job.kind.as_str(),
        "create_fargate_profile" | "delete_fargate_profile"
    )
}
