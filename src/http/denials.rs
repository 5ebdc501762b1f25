//! Changes that were refused, for the audit trail: because the caller may not make them, or may not
//! see what they are about.
//!
//! An answer never waits for it: a refusal is counted in memory, and one task writes. The first of a
//! kind (caller, operation, account) is written at once; those that follow are counted and written as
//! one row when its window is over. Windows grow from 5 seconds to 5 minutes while refusals go on.
//! A caller has at most [`KINDS_A_CALLER`] kinds with an account each; what is beyond counts
//! without one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::{HttpMessage as _, HttpRequest};
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::auth::Caller;
use super::openapi;
use super::problem::Problem;
use crate::clock::Clock;
use crate::database::Share;
use crate::db::audit::{self, AuditEvent, Refusals};
use crate::domain::ErrorCode;

/// The first window, and the longest.
const WINDOWS: [Duration; 2] = [Duration::from_secs(5), Duration::from_mins(5)];
/// Between two looks for windows that are over.
const LOOK: Duration = Duration::from_millis(500);
/// How long one writing may take.
const PATIENCE: Duration = Duration::from_secs(5);
const KINDS_A_CALLER: usize = 20;
/// Of all callers together.
const KINDS: usize = 2_000;
/// In characters.
const LONGEST_REASON: usize = 512;
/// In bytes, as in the document.
const LONGEST_RESOURCE: usize = 2_048;

/// What is alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    owner: String,
    action: &'static str,
    account_id: Option<String>,
}

struct Window {
    /// The newest refusal.
    event: AuditEvent,
    /// Refusals that are not written.
    count: u64,
    ends: Instant,
    length: Duration,
}

/// The refusals that are not written yet.
pub(super) struct Denials {
    clock: Clock,
    windows: Mutex<HashMap<Kind, Window>>,
    noted: Notify,
}

/// The caller of a request, for whoever sees its answer.
#[derive(Clone)]
pub(super) struct CalledBy(pub Caller);

impl Denials {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            windows: Mutex::default(),
            noted: Notify::new(),
        }
    }

    /// Looks at an answer, before its problem is written.
    pub(super) fn look<B>(&self, response: &ServiceResponse<B>, request_id: &str) {
        let request = response.request();
        let Some(problem) = denial(response) else {
            return;
        };
        let Some(CalledBy(caller)) = request.extensions().get::<CalledBy>().cloned() else {
            return;
        };
        let Some(action) = action(request) else {
            return;
        };
        let event = event(request, &problem, action, &caller, request_id);
        self.note(caller.key_owner(), event);
    }

    fn note(&self, owner: String, mut event: AuditEvent) {
        let mut windows = self.lock();
        let mut kind = Kind {
            owner,
            action: event.action,
            account_id: event.account_id.clone(),
        };
        if !windows.contains_key(&kind) {
            let others = windows.keys().filter(|other| other.owner == kind.owner);
            if others.count() >= KINDS_A_CALLER {
                (kind.account_id, event.account_id) = (None, None);
            }
        }
        if let Some(window) = windows.get_mut(&kind) {
            window.count = window.count.saturating_add(1);
            window.event = event;
            return;
        }
        if windows.len() >= KINDS {
            tracing::warn!(
                audit.action = event.action,
                "too many callers are refused at once; one refusal is not in the audit trail"
            );
            return;
        }
        let window = Window {
            event,
            count: 1,
            ends: self.clock.monotonic(),
            length: WINDOWS[0],
        };
        windows.insert(kind, window);
        self.noted.notify_one();
    }

    /// What is to be written now, or at the end all that is not.
    fn due(&self, all: bool) -> Vec<Refusals> {
        let now = self.clock.monotonic();
        let mut due = Vec::new();
        self.lock().retain(|_, window| {
            if window.ends > now && !all {
                return true;
            }
            if window.count == 0 {
                return false;
            }
            due.push(Refusals {
                event: window.event.clone(),
                count: std::mem::take(&mut window.count),
            });
            window.ends = now + window.length;
            window.length = (window.length * 2).min(WINDOWS[1]);
            true
        });
        due
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Kind, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes, until the process ends.
    pub(super) async fn write(&self, share: &Share, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let quiet = self.lock().is_empty();
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.noted.notified() => {}
                () = tokio::time::sleep(LOOK), if !quiet => {}
            }
            self.write_due(share, false).await;
        }
        // Requests under way may be refused yet.
        tokio::time::sleep(LOOK).await;
        self.write_due(share, true).await;
    }

    async fn write_due(&self, share: &Share, all: bool) {
        let due = self.due(all);
        if due.is_empty() {
            return;
        }
        let writing = async {
            let mut connection = share.connection().await?;
            audit::record_refusals(&mut connection, &due).await
        };
        match tokio::time::timeout(PATIENCE, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    refusals = due.len(),
                    "writing refusals to the audit trail"
                );
            }
            Err(_) => tracing::warn!(
                refusals = due.len(),
                "writing refusals to the audit trail took too long"
            ),
        }
    }
}

/// The problem of a change that was refused to its caller.
fn denial<B>(response: &ServiceResponse<B>) -> Option<Problem> {
    let method = response.request().method();
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
        return None;
    }
    let problem = response.response().extensions().get::<Problem>().cloned()?;
    let hidden = problem.code == ErrorCode::NotFound && problem.resource.is_some();
    (hidden || problem.code == ErrorCode::PermissionDenied).then_some(problem)
}

fn action(request: &HttpRequest) -> Option<&'static str> {
    let pattern = request.match_pattern()?;
    let method = request.method().as_str();
    let route = openapi::routes()
        .iter()
        .find(|route| route.path == pattern && route.method == method)?;
    Some(&route.operation_id)
}

fn event(
    request: &HttpRequest,
    problem: &Problem,
    action: &'static str,
    caller: &Caller,
    request_id: &str,
) -> AuditEvent {
    let account = request.match_info().get("accountId");
    let account = account.filter(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()));
    let path = request.path();
    let reason: String = problem.detail.chars().take(LONGEST_REASON).collect();
    AuditEvent {
        actor: caller.name.clone(),
        actor_kind: caller.kind(),
        actor_id: caller.token_id(),
        on_behalf_of: caller.on_behalf_of.clone(),
        action,
        account_id: account.map(str::to_owned),
        resource: path.get(..LONGEST_RESOURCE).unwrap_or(path).to_owned(),
        subject_id: None,
        request_id: Some(request_id.to_owned()),
        detail: json!({
            "status": problem.status,
            "code": problem.code,
            "reason": reason,
        }),
    }
}
