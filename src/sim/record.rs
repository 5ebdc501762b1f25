//! The record: every call when it arrives, its status when it is answered, and every overlap.

use std::collections::VecDeque;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use tokio::sync::watch;

use super::clock::wall;

/// How many calls, and how many overlaps, are kept.
const MOST_KEPT: usize = 200_000;

/// One call to AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Counts the calls since the start.
    pub seq: u64,
    /// When it arrived.
    #[serde(serialize_with = "rfc3339")]
    pub at: DateTime<Utc>,
    /// The account that it is about: for `AssumeRole` that of the role.
    pub account_id: String,
    /// The region that it was signed for.
    pub region: String,
    /// AWS's name of the operation.
    pub action: String,
    /// The cluster, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The profile, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What else it is about. Most calls have nothing of it, and there are many.
    #[serde(flatten)]
    about: Option<Box<About>>,
    /// The HTTP status; none before the answer and when the answer was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether it made something (a profile, a stack...) or began to delete or update one, answered or not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
    /// The name of the role session: for `AssumeRole` that of the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// The source identity of that session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

/// What only calls about clusters' stacks and parts have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct About {
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
}

impl Call {
    /// A call to an operation; what else there is to say follows.
    pub(super) fn new(account_id: &str, region: &str, action: &str) -> Self {
        Self {
            seq: 0,
            at: DateTime::UNIX_EPOCH,
            account_id: account_id.to_owned(),
            region: region.to_owned(),
            action: action.to_owned(),
            cluster: None,
            profile: None,
            about: None,
            status: None,
            changed: false,
            session_name: None,
            source_identity: None,
        }
    }

    /// The stack of CloudFormation, where there is one.
    #[must_use]
    pub fn stack(&self) -> Option<&str> {
        self.about.as_ref()?.stack.as_deref()
    }

    /// The add-on, nodegroup, role or identity provider, where there is one.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.about.as_ref()?.resource.as_deref()
    }

    pub(super) fn set_stack(&mut self, stack: &str) {
        self.about.get_or_insert_default().stack = Some(stack.to_owned());
    }

    pub(super) fn set_resource(&mut self, resource: &str) {
        self.about.get_or_insert_default().resource = Some(resource.to_owned());
    }
}

/// A mutation of a cluster that was tried while another was under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overlap {
    /// The call that tried.
    pub seq: u64,
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub at: DateTime<Utc>,
    /// Where.
    pub account_id: String,
    /// Where.
    pub region: String,
    /// Where.
    pub cluster: String,
    /// What was tried.
    pub action: String,
    /// On which profile.
    pub profile: String,
    /// The profile that was in motion, or `update:<id>` for an update of the cluster.
    pub blocked_by: String,
    /// Who tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
}

/// A copy of what is on record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Record {
    /// In order of arrival.
    pub calls: Vec<Call>,
    /// In order.
    pub overlaps: Vec<Overlap>,
}

fn rfc3339<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// Keeps the last calls and tells who waits for one.
#[derive(Debug)]
pub(super) struct Recorder {
    calls: VecDeque<Call>,
    overlaps: VecDeque<Overlap>,
    next_seq: u64,
    changed: watch::Sender<u64>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        let (changed, _) = watch::channel(0);
        Self {
            calls: VecDeque::new(),
            overlaps: VecDeque::new(),
            next_seq: 1,
            changed,
        }
    }

    /// Puts a call on record and answers its number; `seq` and `at` are set here.
    pub(super) fn arrived(&mut self, mut call: Call) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        call.seq = seq;
        call.at = wall();
        keep(&mut self.calls, call);
        self.changed.send_modify(|version| *version += 1);
        seq
    }

    pub(super) fn answered(&mut self, seq: u64, status: u16) {
        if let Some(call) = self.find(seq) {
            call.status = Some(status);
            self.changed.send_modify(|version| *version += 1);
        }
    }

    /// The call made a profile, or began to delete one.
    pub(super) fn changed(&mut self, seq: u64) {
        if let Some(call) = self.find(seq) {
            call.changed = true;
            self.changed.send_modify(|version| *version += 1);
        }
    }

    /// Puts an overlap on record for a call that is there.
    pub(super) fn overlap(&mut self, seq: u64, profile: &str, blocked_by: String) {
        let Some(call) = self.find(seq).cloned() else {
            return;
        };
        let overlap = Overlap {
            seq,
            at: wall(),
            account_id: call.account_id,
            region: call.region,
            cluster: call.cluster.unwrap_or_default(),
            action: call.action,
            profile: profile.to_owned(),
            blocked_by,
            session_name: call.session_name,
        };
        keep(&mut self.overlaps, overlap);
    }

    pub(super) fn find(&mut self, seq: u64) -> Option<&mut Call> {
        let first = self.calls.front()?.seq;
        let index = usize::try_from(seq.checked_sub(first)?).ok()?;
        self.calls.get_mut(index)
    }

    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.overlaps.clear();
    }

    pub(super) fn copy(&self, after: u64) -> Record {
        Record {
            calls: self
                .calls
                .iter()
                .filter(|call| call.seq > after)
                .cloned()
                .collect(),
            overlaps: self
                .overlaps
                .iter()
                .filter(|overlap| overlap.seq > after)
                .cloned()
                .collect(),
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The first call from number `from` on that `wanted` takes; else from where to look next time,
    /// which is the first call that is still without an answer.
    pub(super) fn search(&self, from: u64, wanted: impl Fn(&Call) -> bool) -> Result<Call, u64> {
        let first = self.calls.front().map_or(from, |call| call.seq);
        let known = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        let mut open = None;
        for call in self.calls.iter().skip(known) {
            if wanted(call) {
                return Ok(call.clone());
            }
            if call.status.is_none() {
                open.get_or_insert(call.seq);
            }
        }
        Err(open.unwrap_or(self.next_seq))
    }
}

fn keep<T>(kept: &mut VecDeque<T>, one: T) {
    if kept.len() >= MOST_KEPT {
        kept.pop_front();
    }
    kept.push_back(one);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(action: &str) -> Call {
        Call {
            cluster: Some("prod-1".into()),
            session_name: Some("job".into()),
            ..Call::new("111111111111", "eu-central-1", action)
        }
    }

    #[test]
    fn a_call_is_on_record_before_it_is_answered() {
        let mut recorder = Recorder::new();
        let seq = recorder.arrived(call("ListClusters"));
        assert_eq!(recorder.copy(0).calls[0].status, None);
        recorder.answered(seq, 200);
        assert_eq!(recorder.copy(0).calls[0].status, Some(200));
        assert!(recorder.copy(seq).calls.is_empty());
    }

    #[test]
    fn numbers_go_on_after_a_clear_and_late_answers_find_nothing() {
        let mut recorder = Recorder::new();
        let first = recorder.arrived(call("ListClusters"));
        recorder.clear();
        let second = recorder.arrived(call("DescribeCluster"));
        recorder.answered(first, 500);
        assert_eq!(second, first + 1);
        assert_eq!(recorder.copy(0).calls[0].status, None);
    }

    #[test]
    fn a_search_comes_back_to_calls_without_an_answer() {
        let mut recorder = Recorder::new();
        let open = recorder.arrived(call("ListClusters"));
        let answered = |call: &Call| call.status == Some(200);
        assert_eq!(recorder.search(0, answered), Err(open));
        recorder.answered(open, 200);
        assert_eq!(recorder.search(open, answered).unwrap().seq, open);
        assert_eq!(recorder.search(0, |call| call.action == "x"), Err(open + 1));
    }

    #[test]
    fn whoever_waits_for_a_call_is_woken_by_all_that_becomes_of_it() {
        let mut recorder = Recorder::new();
        let waiting = recorder.subscribe();
        let seq = recorder.arrived(call("CreateFargateProfile"));
        let arrived = *waiting.borrow();
        recorder.changed(seq);
        let changed = *waiting.borrow();
        recorder.answered(seq, 200);
        assert!(0 < arrived && arrived < changed && changed < *waiting.borrow());
    }

    #[test]
    fn an_overlap_says_who_tried_what_and_why_not() {
        let mut recorder = Recorder::new();
        let seq = recorder.arrived(call("CreateFargateProfile"));
        recorder.overlap(seq, "b", "a".into());
        let overlap = &recorder.copy(0).overlaps[0];
        assert_eq!(
            (overlap.profile.as_str(), overlap.blocked_by.as_str()),
            ("b", "a")
        );
        assert_eq!(overlap.session_name.as_deref(), Some("job"));
    }
}
