//! Circuit breakers: one for each (account, region, service), and one for the worker's own
//! credentials.
//!
//! Promises: a few failures in a row open a breaker, and any answer closes it; while it is open one
//! call at a time goes through as a probe, and none before its time; the pauses between probes grow
//! to minutes; a probe whose step was stopped lets the next caller probe; the log has one line when a
//! breaker opens and one when it closes.
//!
//! A breaker lives in its process: each worker process probes for itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::pacing::Service;
use super::refusal::{Class, Refusal};
use super::sessions::SessionKey;
use crate::queue::backoff::Backoff;

/// Between probes, by AWS's clock.
const PROBES: Backoff = Backoff::millis(&[
    2_000, 3_000, 5_000, 8_000, 12_000, 20_000, 30_000, 45_000, 60_000, 90_000, 120_000,
]);
/// Failures in a row that open the breaker of a service. One alone may be a broken connection.
const FAILURES_TO_OPEN: u32 = 3;
/// What a breaker's last failure says about now; after that nobody has tried for long.
const SAYS_SOMETHING: Duration = Duration::from_mins(10);

/// What a breaker is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Circuit {
    /// A service in one region, called for one account.
    Service {
        account_id: String,
        region: String,
        service: Service,
    },
    /// The worker's own credentials, with which it assumes every account's role.
    WorkerCredentials,
}

impl Circuit {
    /// The service's breaker for a session.
    pub(super) fn of(session: &SessionKey, service: Service) -> Self {
        Self::Service {
            account_id: session.account_id.clone(),
            region: session.region.clone(),
            service,
        }
    }

    const fn failures_to_open(&self) -> u32 {
        match self {
            Self::Service { .. } => FAILURES_TO_OPEN,
            // They are the same for everybody: one refusal is enough.
            Self::WorkerCredentials => 1,
        }
    }

    fn opened(&self, cause: &str) {
        match self {
            Self::Service {
                account_id,
                region,
                service,
            } => tracing::warn!(
                account.id = %account_id,
                region = %region,
                service = service.name(),
                cause,
                "AWS does not answer; jobs wait, one call at a time probes"
            ),
            Self::WorkerCredentials => tracing::error!(
                cause,
                "the worker's own AWS credentials can't be used; all jobs wait until they can"
            ),
        }
    }

    fn closed(&self, lasted: Duration) {
        let seconds = lasted.as_secs();
        match self {
            Self::Service {
                account_id,
                region,
                service,
            } => tracing::info!(
                account.id = %account_id,
                region = %region,
                service = service.name(),
                seconds,
                "AWS answers again"
            ),
            Self::WorkerCredentials => {
                tracing::info!(seconds, "the worker's own AWS credentials work again");
            }
        }
    }
}

/// The breakers of a process.
pub(super) struct Breakers {
    states: Mutex<HashMap<Circuit, State>>,
    time_scale: f64,
}

/// What has failed lately; a breaker without a state is closed.
#[derive(Debug, Default)]
struct State {
    /// In a row, while it is closed.
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    since: Instant,
    last_failure: Instant,
    /// In the words of the last failure.
    cause: String,
    failed_probes: u32,
    /// The next probe goes through then.
    probe_at: Instant,
    /// A probe is under way.
    probing: bool,
}

/// A call that may not be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocked {
    /// How long to stay away.
    pub(super) wait: Duration,
    /// Why the breaker is open.
    pub(super) cause: String,
}

impl Blocked {
    pub(super) fn refusal(self, action: &'static str) -> Refusal {
        Refusal {
            action,
            class: Class::CircuitOpen(self.wait),
            code: None,
            message: self.cause,
            request_id: None,
        }
    }
}

/// The right to make one call. Dropped without a word it says nothing about the service.
pub(super) struct Pass {
    breakers: Arc<Breakers>,
    circuit: Circuit,
    probe: bool,
}

impl Breakers {
    /// `time_scale` divides the pauses: for simulators, whose clock runs faster.
    pub(super) fn new(time_scale: f64) -> Arc<Self> {
        Arc::new(Self {
            states: Mutex::default(),
            time_scale: time_scale.max(0.001),
        })
    }

    /// Lets a call through, or says how long to stay away.
    pub(super) fn pass(self: &Arc<Self>, circuit: Circuit, now: Instant) -> Result<Pass, Blocked> {
        let mut states = self.states();
        let open = states
            .get_mut(&circuit)
            .and_then(|state| state.open.as_mut());
        let probe = match open {
            None => false,
            Some(open) => {
                if let Some(blocked) = self.blocked_by(open, now) {
                    return Err(blocked);
                }
                open.probing = true;
                true
            }
        };
        drop(states);
        Ok(Pass {
            breakers: Arc::clone(self),
            circuit,
            probe,
        })
    }

    /// Why a call would not be let through now. Takes no probe.
    pub(super) fn blocked(&self, circuit: &Circuit, now: Instant) -> Option<Blocked> {
        let states = self.states();
        let open = states.get(circuit)?.open.as_ref()?;
        self.blocked_by(open, now)
    }

    /// Why the worker's own credentials can't be used, if that was seen lately.
    pub(super) fn credentials_trouble(&self, now: Instant) -> Option<String> {
        let states = self.states();
        let open = states.get(&Circuit::WorkerCredentials)?.open.as_ref()?;
        let age = now.saturating_duration_since(open.last_failure);
        (age < SAYS_SOMETHING).then(|| open.cause.clone())
    }

    fn blocked_by(&self, open: &Open, now: Instant) -> Option<Blocked> {
        let wait = if open.probing {
            self.pause(open.failed_probes)
        } else {
            open.probe_at.saturating_duration_since(now)
        };
        (open.probing || !wait.is_zero()).then(|| Blocked {
            wait,
            cause: open.cause.clone(),
        })
    }

    fn pause(&self, failed_probes: u32) -> Duration {
        PROBES.delay(failed_probes).div_f64(self.time_scale)
    }

    fn answered(&self, circuit: &Circuit, now: Instant) {
        let Some(state) = self.states().remove(circuit) else {
            return;
        };
        if let Some(open) = state.open {
            let lasted = now.saturating_duration_since(open.since);
            circuit.closed(lasted.mul_f64(self.time_scale));
        }
    }

    fn failed(&self, circuit: &Circuit, probe: bool, now: Instant, cause: &str) {
        let mut states = self.states();
        let state = states.entry(circuit.clone()).or_default();
        match &mut state.open {
            Some(open) if probe => {
                open.failed_probes += 1;
                open.probe_at = now + self.pause(open.failed_probes);
                open.probing = false;
                open.last_failure = now;
                cause.clone_into(&mut open.cause);
            }
            // It was under way when the breaker opened: it says nothing new.
            Some(_) => {}
            None => {
                state.failures += 1;
                if state.failures >= circuit.failures_to_open() {
                    circuit.opened(cause);
                    state.open = Some(Open {
                        since: now,
                        last_failure: now,
                        cause: cause.to_owned(),
                        failed_probes: 0,
                        probe_at: now + self.pause(0),
                        probing: false,
                    });
                }
            }
        }
    }

    fn given_up(&self, circuit: &Circuit) {
        let mut states = self.states();
        if let Some(open) = states
            .get_mut(circuit)
            .and_then(|state| state.open.as_mut())
        {
            open.probing = false;
        }
    }

    fn states(&self) -> MutexGuard<'_, HashMap<Circuit, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// There was an answer, whatever it says.
    pub(super) fn answered(mut self, now: Instant) {
        self.probe = false;
        self.breakers.answered(&self.circuit, now);
    }

    /// There was none, or one that says that the service is in trouble.
    pub(super) fn failed(mut self, now: Instant, cause: &str) {
        self.breakers.failed(&self.circuit, self.probe, now, cause);
        self.probe = false;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe {
            self.breakers.given_up(&self.circuit);
        }
    }
}

#[cfg(test)]
mod tests;
