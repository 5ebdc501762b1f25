//! What clients asked for and saw, and whether it can be true: a pure check of a recorded history.
//!
//! Rules:
//! - a key makes one job, and a job comes of one key;
//! - from its acknowledgement on a job is found by every read;
//! - what was seen later is not earlier in the job's life: queued, then begun, then ended; its
//!   version never falls, and one version shows one state;
//! - a job that has ended keeps its state, and every acknowledged job is seen to end;
//! - nobody's job is canceled unasked; a cancel that came too late is true; and of a job that ended
//!   canceled AWS has accepted nothing.
//!
//! "Later" means: sent after the other was answered. What overlaps in time has no order.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use uuid::Uuid;

/// One answered request about one job.
#[derive(Debug, Clone)]
pub struct Event {
    pub client: usize,
    pub job: Uuid,
    /// Since the run's beginning; of the attempt that was answered.
    pub sent: Duration,
    pub answered: Duration,
    pub what: What,
}

/// What was asked, and what was seen.
#[derive(Debug, Clone)]
pub enum What {
    /// 202 or 200 to a submission with this key.
    Enqueued { key: String, seen: Seen },
    /// The job was read.
    Read(Seen),
    /// 404.
    Missing,
    /// A cancel was sent: from now on it may happen.
    CancelSent,
    /// 200 or 202 to a cancel.
    Canceled { seen: Seen, too_late: bool },
    /// 409 to a cancel: the job had ended.
    HadEnded,
}

/// A job as an answer showed it; lists show no version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub state: String,
    pub version: Option<i64>,
}

impl Seen {
    fn is_end(&self) -> bool {
        matches!(self.state.as_str(), "succeeded" | "failed" | "canceled")
    }

    fn age(&self) -> u8 {
        match self.state.as_str() {
            "queued" => 0,
            _ if self.is_end() => 2,
            _ => 1,
        }
    }
}

/// Everything that breaks a rule, in words. `accepted` are the jobs of which AWS has accepted a
/// change.
pub fn check(history: &[Event], accepted: &HashSet<Uuid>) -> Vec<String> {
    let mut wrong = keys(history);
    let mut jobs: BTreeMap<Uuid, Vec<&Event>> = BTreeMap::new();
    for event in history {
        jobs.entry(event.job).or_default().push(event);
    }
    for (job, mut events) in jobs {
        events.sort_by_key(|event| event.sent);
        let found = [
            lost(&events),
            backward(&events),
            versions(&events),
            endings(&events),
            cancels(&events, accepted.contains(&job)),
        ];
        let told = found.into_iter().flatten();
        wrong.extend(told.map(|words| format!("job {job}: {words}")));
    }
    wrong
}

fn keys(history: &[Event]) -> Vec<String> {
    let mut jobs_of: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    let mut keys_of: BTreeMap<Uuid, BTreeSet<&str>> = BTreeMap::new();
    for event in history {
        if let What::Enqueued { key, .. } = &event.what {
            jobs_of.entry(key).or_default().insert(event.job);
            keys_of.entry(event.job).or_default().insert(key);
        }
    }
    let doubled = jobs_of.iter().filter(|(_, jobs)| jobs.len() > 1);
    let shared = keys_of.iter().filter(|(_, keys)| keys.len() > 1);
    doubled
        .map(|(key, jobs)| format!("key {key} made {} jobs: {jobs:?}", jobs.len()))
        .chain(shared.map(|(job, keys)| format!("job {job} came of several keys: {keys:?}")))
        .collect()
}

/// What an event shows of the job.
fn seen(event: &Event) -> Option<&Seen> {
    match &event.what {
        What::Enqueued { seen, .. } | What::Read(seen) | What::Canceled { seen, .. } => Some(seen),
        What::Missing | What::CancelSent | What::HadEnded => None,
    }
}

fn lost(events: &[&Event]) -> Vec<String> {
    let known = events
        .iter()
        .filter(|event| matches!(event.what, What::Enqueued { .. }))
        .map(|event| event.answered)
        .min();
    events
        .iter()
        .filter(|event| matches!(event.what, What::Missing))
        .filter(|event| known.is_some_and(|known| known <= event.sent))
        .map(|event| format!("not found at {:?}, acknowledged before", event.sent))
        .collect()
}

/// Compares each sight with the furthest of those that were over before it was asked for.
fn backward(events: &[&Event]) -> Vec<String> {
    let mut wrong = Vec::new();
    let sights: Vec<(&Event, &Seen)> = sights(events);
    for (later, after) in &sights {
        for (earlier, before) in &sights {
            if earlier.answered > later.sent {
                continue;
            }
            let changed_end = before.is_end() && before.state != after.state;
            let older = matches!((before.version, after.version), (Some(b), Some(a)) if a < b);
            if after.age() < before.age() || changed_end || older {
                wrong.push(format!(
                    "{} by {}",
                    step(earlier, before),
                    step(later, after)
                ));
            }
        }
    }
    wrong
}

fn step(event: &Event, seen: &Seen) -> String {
    let Seen { state, version } = seen;
    let version = version.map_or_else(String::new, |version| format!(" (version {version})"));
    let (client, at) = (event.client, event.answered);
    format!("{state}{version}, seen by client {client} at {at:?}")
}

fn sights<'a>(events: &[&'a Event]) -> Vec<(&'a Event, &'a Seen)> {
    events
        .iter()
        .filter_map(|&event| Some((event, seen(event)?)))
        .collect()
}

fn versions(events: &[&Event]) -> Vec<String> {
    let mut states: HashMap<i64, &str> = HashMap::new();
    let mut wrong = Vec::new();
    for (_, seen) in sights(events) {
        let Some(version) = seen.version else {
            continue;
        };
        let known = *states.entry(version).or_insert(&seen.state);
        if known != seen.state {
            wrong.push(format!("version {version} was {known} and {}", seen.state));
        }
    }
    wrong
}

fn endings(events: &[&Event]) -> Vec<String> {
    let ends: BTreeSet<&str> = sights(events)
        .into_iter()
        .filter(|(_, seen)| seen.is_end())
        .map(|(_, seen)| seen.state.as_str())
        .collect();
    match ends.len() {
        0 => vec!["it never ended".to_owned()],
        1 => Vec::new(),
        _ => vec![format!("it ended more than once: {ends:?}")],
    }
}

fn cancels(events: &[&Event], accepted: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let canceled = sights(events)
        .iter()
        .any(|(_, seen)| seen.state == "canceled");
    let asked = events
        .iter()
        .any(|event| matches!(event.what, What::CancelSent));
    let too_late = events
        .iter()
        .any(|event| matches!(event.what, What::Canceled { too_late: true, .. }));
    if canceled && !asked {
        wrong.push("canceled, and nobody asked for it".to_owned());
    }
    if canceled && too_late {
        wrong.push("canceled, after its cancel was told to be too late".to_owned());
    }
    if canceled && accepted {
        wrong.push("canceled, although AWS has accepted a change of it".to_owned());
    }
    for event in events {
        let alive = |(read, seen): &(&Event, &Seen)| event.answered <= read.sent && !seen.is_end();
        if matches!(event.what, What::HadEnded)
            && let Some((_, seen)) = sights(events).iter().find(|sight| alive(sight))
        {
            wrong.push(format!(
                "{} after a cancel heard that it had ended",
                seen.state
            ));
        }
    }
    wrong
}
