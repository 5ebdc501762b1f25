//! Long-polls: an answer is held until the job has ended, time runs out, the process drains, or the
//! caller's token ends; that is seen at the next look.

use std::time::Duration;

use actix_web::http::header::HeaderMap;
use tokio::time::Instant;
use uuid::Uuid;

use super::auth::Caller;
use super::extract::find_job;
use super::problem::Problem;
use super::query::WaitSeconds;
use super::state::State;
use super::submit::Made;
use super::tenure::Tenure;
use crate::db::jobs::JobRow;
use crate::domain::ErrorCode;

/// Between looks without a hint: the first, and the longest. Each is twice the last, or a thousand
/// callers who wait would ask a thousand times a second.
const POLL: Duration = Duration::from_secs(1);
const LONGEST_POLL: Duration = Duration::from_secs(8);

/// How long a caller wants to wait, and what to say about that.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    pub seconds: u8,
    /// For `Preference-Applied`.
    pub applied: Option<String>,
}

impl Patience {
    /// The query's `waitSeconds` wins over `Prefer: wait=N`, and that over `respond-async`.
    pub(super) fn of(query: Option<WaitSeconds>, headers: &HeaderMap, default: u8) -> Self {
        if let Some(WaitSeconds(seconds)) = query {
            return Self {
                seconds,
                applied: None,
            };
        }
        let (mut wait, mut at_once) = (None, false);
        for preference in preferences(headers) {
            if preference.eq_ignore_ascii_case("respond-async") {
                at_once = true;
            } else if let Some(seconds) = wait_of(&preference) {
                wait = wait.or(Some(seconds));
            }
        }
        match (wait, at_once) {
            (Some(seconds), _) => Self {
                seconds,
                applied: Some(format!("wait={seconds}")),
            },
            (None, true) => Self {
                seconds: 0,
                applied: Some("respond-async".to_owned()),
            },
            (None, false) => Self {
                seconds: default,
                applied: None,
            },
        }
    }
}

fn preferences(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all("prefer")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|preference| preference.trim().to_owned())
        .collect()
}

/// A wish beyond 60 seconds is lowered; what is no number is not a preference we know.
fn wait_of(preference: &str) -> Option<u8> {
    let (name, value) = preference.split_once('=')?;
    let seconds: u32 = value.trim().trim_matches('"').parse().ok()?;
    let known = name.trim().eq_ignore_ascii_case("wait");
    known.then(|| u8::try_from(seconds.min(60)).unwrap_or(60))
}

impl State {
    /// Reads a job, again and again, until it has ended or `seconds` have passed.
    pub(super) async fn job_within(
        &self,
        caller: &Caller,
        job_id: Uuid,
        seconds: u8,
    ) -> Result<JobRow, Problem> {
        let until = Instant::now() + Duration::from_secs(seconds.into());
        self.job_until(caller, job_id, until).await
    }

    /// The same for a job that is being made: it is read when there is news of it, not before. Where
    /// another job is shared, it is that one.
    pub(super) async fn new_job_within(
        &self,
        caller: &Caller,
        (job_id, made): (Uuid, impl Future<Output = Result<Made, Problem>>),
        seconds: u8,
    ) -> Result<JobRow, Problem> {
        let watch = self.watchers.watch(job_id);
        let news = watch.listen();
        let made = made.await?;
        let now = Instant::now();
        let until = now + Duration::from_secs(seconds.into());
        if made.subject_id != job_id {
            return self.job_until(caller, made.subject_id, until).await;
        }
        tokio::select! {
            () = news => {}
            () = tokio::time::sleep_until(until.min(now + POLL)) => {}
            () = self.draining.cancelled() => {}
        }
        self.job_until(caller, job_id, until).await
    }

    async fn job_until(
        &self,
        caller: &Caller,
        job_id: Uuid,
        until: Instant,
    ) -> Result<JobRow, Problem> {
        let watch = self.watchers.watch(job_id);
        let (mut poll, mut tenure) = (POLL, Tenure::of(self, caller));
        loop {
            // Listening begins before reading, so that no change falls between the two.
            let changed = watch.listen();
            let found = find_job(self, caller, job_id).await;
            let now = Instant::now();
            let over = now >= until || self.draining.is_cancelled() || tenure.is_over().await;
            match found {
                Ok(job) if job.finished_at.is_some() || over => return Ok(job),
                // The job runs on; a caller who was sent away would only make another. So it is for
                // one who has too many reads under way.
                Err(problem)
                    if over
                        || !(problem.status_code().is_server_error()
                            || problem.code == ErrorCode::RateLimited) =>
                {
                    return Err(problem);
                }
                // What was read is not kept while the caller waits.
                found => drop(found),
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(until.min(now + poll)) => {}
                () = self.draining.cancelled() => {}
            }
            poll = (poll * 2).min(LONGEST_POLL);
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn patience(query: Option<u8>, prefer: &[&'static str]) -> (u8, Option<String>) {
        let mut headers = HeaderMap::new();
        for value in prefer {
            headers.append(
                HeaderName::from_static("prefer"),
                HeaderValue::from_static(value),
            );
        }
        let patience = Patience::of(query.map(WaitSeconds), &headers, 20);
        (patience.seconds, patience.applied)
    }

    #[test]
    fn the_query_wins_over_the_header_and_that_over_the_default() {
        let applied = |text: &str| Some(text.to_owned());
        assert_eq!(patience(None, &[]), (20, None));
        assert_eq!(patience(Some(3), &["wait=9"]), (3, None));
        assert_eq!(
            patience(None, &["respond-async, wait=9"]),
            (9, applied("wait=9"))
        );
        assert_eq!(patience(None, &["Wait = 900"]), (60, applied("wait=60")));
        assert_eq!(
            patience(None, &["respond-async"]),
            (0, applied("respond-async"))
        );
        assert_eq!(patience(None, &["handling=strict", "wait=x"]), (20, None));
    }
}
