//! Histories that can be true, and histories that can't.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use super::history::{Event, Seen, What, check};

const JOB: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

/// An event that was sent at the second `at` and answered half a second later.
fn event(at: u64, what: What) -> Event {
    Event {
        client: 0,
        job: JOB,
        sent: Duration::from_secs(at),
        answered: Duration::from_millis(at * 1_000 + 500),
        what,
    }
}

fn seen(state: &str, version: i64) -> Seen {
    Seen {
        state: state.to_owned(),
        version: Some(version),
    }
}

fn read(at: u64, state: &str, version: i64) -> Event {
    event(at, What::Read(seen(state, version)))
}

fn enqueued(at: u64, key: &str) -> Event {
    let seen = seen("queued", 1);
    let key = key.to_owned();
    event(at, What::Enqueued { key, seen })
}

fn canceled(at: u64, state: &str, version: i64, too_late: bool) -> Event {
    let seen = seen(state, version);
    event(at, What::Canceled { seen, too_late })
}

fn wrong(history: &[Event]) -> Vec<String> {
    check(history, &HashSet::new())
}

#[track_caller]
fn assert_refused(history: &[Event], words: &str) {
    let wrong = wrong(history);
    assert!(wrong.iter().any(|found| found.contains(words)), "{wrong:?}");
}

#[test]
fn a_life_from_queued_to_its_end_is_fine() {
    let history = [
        enqueued(0, "a"),
        read(1, "running", 2),
        read(2, "waiting", 3),
        read(3, "running", 4),
        read(4, "succeeded", 5),
        read(5, "succeeded", 5),
        enqueued_again(6),
    ];
    assert_eq!(wrong(&history), Vec::<String>::new());
}

/// A repeated submission shows the job as it is by then.
fn enqueued_again(at: u64) -> Event {
    let seen = seen("succeeded", 5);
    let key = "a".to_owned();
    event(at, What::Enqueued { key, seen })
}

#[test]
fn reads_that_overlap_in_time_have_no_order() {
    let mut slow = read(1, "queued", 1);
    slow.answered = Duration::from_secs(9);
    let history = [enqueued(0, "a"), slow, read(2, "failed", 4)];
    assert_eq!(wrong(&history), Vec::<String>::new());
}

#[test]
fn a_job_that_is_queued_again_is_refused() {
    let history = [
        enqueued(0, "a"),
        read(1, "running", 2),
        read(2, "queued", 3),
        read(3, "failed", 4),
    ];
    assert_refused(&history, "running (version 2)");
}

#[test]
fn a_version_that_falls_is_refused() {
    let history = [
        enqueued(0, "a"),
        read(1, "running", 7),
        read(2, "waiting", 6),
        read(3, "failed", 8),
    ];
    assert_refused(&history, "version 6");
}

#[test]
fn a_version_with_two_states_is_refused() {
    let history = [
        enqueued(0, "a"),
        read(1, "running", 2),
        read(2, "waiting", 2),
        read(3, "failed", 8),
    ];
    assert_refused(&history, "version 2 was running and waiting");
}

#[test]
fn an_end_that_changes_is_refused_even_without_an_order() {
    let mut slow = read(1, "failed", 3);
    slow.answered = Duration::from_secs(9);
    let history = [enqueued(0, "a"), slow, read(2, "succeeded", 4)];
    assert_refused(&history, "ended more than once");
}

#[test]
fn a_job_that_comes_back_to_life_is_refused() {
    let history = [
        enqueued(0, "a"),
        read(1, "failed", 3),
        read(2, "waiting", 4),
    ];
    assert_refused(&history, "failed (version 3)");
}

#[test]
fn a_job_that_is_not_found_after_its_acknowledgement_is_refused() {
    let history = [
        enqueued(0, "a"),
        event(1, What::Missing),
        read(2, "failed", 3),
    ];
    assert_refused(&history, "not found");
}

#[test]
fn a_job_that_never_ends_is_refused() {
    assert_refused(&[enqueued(0, "a"), read(1, "waiting", 2)], "never ended");
}

#[test]
fn a_key_that_makes_two_jobs_is_refused_and_so_is_a_job_of_two_keys() {
    let mut second = enqueued(1, "a");
    second.job = OTHER;
    assert_refused(&[enqueued(0, "a"), second], "key a made 2 jobs");
    assert_refused(&[enqueued(0, "a"), enqueued(1, "b")], "several keys");
}

#[test]
fn a_cancel_that_nobody_asked_for_is_refused() {
    assert_refused(&[enqueued(0, "a"), read(1, "canceled", 2)], "nobody asked");
}

#[test]
fn a_cancel_that_was_too_late_and_came_true_is_refused() {
    let history = [
        enqueued(0, "a"),
        event(1, What::CancelSent),
        canceled(2, "waiting", 4, true),
        read(3, "canceled", 5),
    ];
    assert_refused(&history, "too late");
}

#[test]
fn a_canceled_job_of_which_aws_accepted_a_change_is_refused() {
    let history = [
        enqueued(0, "a"),
        event(1, What::CancelSent),
        canceled(2, "canceled", 4, false),
    ];
    assert_eq!(wrong(&history), Vec::<String>::new());
    let found = check(&history, &HashSet::from([JOB]));
    assert!(found[0].contains("AWS has accepted"), "{found:?}");
}

#[test]
fn a_job_that_lives_after_a_cancel_heard_of_its_end_is_refused() {
    let history = [
        enqueued(0, "a"),
        event(1, What::CancelSent),
        event(2, What::HadEnded),
        read(3, "waiting", 3),
        read(4, "failed", 4),
    ];
    assert_refused(&history, "heard that it had ended");
}
