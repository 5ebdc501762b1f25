//! Budgets of calls, one an (account, region, service, read or mutate), and how long a step waits for one.
//!
//! A short wait is waited in place: to park a job and to claim it again costs more than it. Whoever
//! has begun to ask AWS waits longer, because a step that is parked starts anew and asks for all of
//! it again. Both are bounded: a call that is waited for is taken from the budget at once, so that
//! few can wait in place for the calls of an account that AWS throttles, and its jobs don't fill
//! the worker.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::queue::budget::{Budgets, Rates};

/// How long a step waits in place, in all, before AWS has answered it anything.
const AT_FIRST: Duration = Duration::from_millis(250);
/// And from then on, for one call.
const FOR_A_CALL: Duration = Duration::from_secs(5);
/// How long it waits in place in all: well within the time that a step has.
const IN_ALL: Duration = Duration::from_mins(1);

/// A service of AWS that is asked through a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Security Token Service: it has no budget, since sessions are kept.
    Sts,
    /// Elastic Kubernetes Service.
    Eks,
    /// CloudFormation.
    CloudFormation,
    /// Elastic Compute Cloud: its zones and networks.
    Ec2,
    /// Identity and Access Management.
    Iam,
    /// Elastic Load Balancing.
    Elb,
    /// CloudWatch Logs.
    Logs,
}

impl Service {
    /// As people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sts => "STS",
            Self::Eks => "EKS",
            Self::CloudFormation => "CloudFormation",
            Self::Ec2 => "EC2",
            Self::Iam => "IAM",
            Self::Elb => "Elastic Load Balancing",
            Self::Logs => "CloudWatch Logs",
        }
    }
}

/// Which of the two budgets a call draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Draw {
    /// Describes and lists.
    Read,
    /// Creates and deletes.
    Mutate,
}

/// Whose budget it is: AWS counts the calls of each service by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// 12 digits.
    pub account_id: &'a str,
    /// AWS region.
    pub region: &'a str,
    /// What is called.
    pub service: Service,
}

type Key = (String, String, Service, Draw);

/// The budgets of a process.
pub struct Pacing {
    budgets: Mutex<Budgets<Key>>,
    time_scale: f64,
}

impl Pacing {
    /// `time_scale` multiplies the rates: for simulators, whose clock runs faster.
    #[must_use]
    pub fn new(time_scale: f64) -> Self {
        Self {
            budgets: Mutex::default(),
            time_scale,
        }
    }

    /// Takes one call, to be made after the wait that is answered, or says how long to stay away.
    pub fn take(
        &self,
        place: Place<'_>,
        draw: Draw,
        now: Instant,
        patience: Duration,
    ) -> Result<Duration, Duration> {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets
            .of(key(place, draw), self.rates(draw), now)
            .take(now, patience)
    }

    /// Whether a call that was promised at `at` may still be made.
    pub fn stands(&self, place: Place<'_>, draw: Draw, at: Instant) -> bool {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets
            .of(key(place, draw), self.rates(draw), at)
            .stands(at)
    }

    /// AWS answered a call that was made at `made`: it took it, or said "slower".
    pub fn answered(
        &self,
        place: Place<'_>,
        draw: Draw,
        (made, now): (Instant, Instant),
        throttled: bool,
    ) {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = budgets.of(key(place, draw), self.rates(draw), now);
        if throttled {
            budget.throttled(made, now);
        } else {
            budget.taken(made);
        }
    }

    fn rates(&self, draw: Draw) -> Rates {
        let Rates {
            start,
            most,
            least,
            burst,
        } = match draw {
            Draw::Read => Rates::READ,
            Draw::Mutate => Rates::MUTATE,
        };
        let scale = self.time_scale;
        Rates {
            start: start * scale,
            most: most * scale,
            least: least * scale,
            burst: burst * scale,
        }
    }
}

fn key(place: Place<'_>, draw: Draw) -> Key {
    let (account_id, region) = (place.account_id.to_owned(), place.region.to_owned());
    (account_id, region, place.service, draw)
}

/// The patience of one step.
#[derive(Debug, Default)]
pub struct Patience {
    begun: AtomicBool,
    waited_ms: AtomicU64,
}

impl Patience {
    /// How long the step waits in place for its next call.
    #[must_use]
    pub fn left(&self) -> Duration {
        let waited = Duration::from_millis(self.waited_ms.load(Relaxed));
        if self.begun.load(Relaxed) {
            FOR_A_CALL.min(IN_ALL.saturating_sub(waited))
        } else {
            AT_FIRST.saturating_sub(waited)
        }
    }

    /// AWS has answered the step.
    pub fn begin(&self) {
        self.begun.store(true, Relaxed);
    }

    /// Waits in place.
    pub async fn wait(&self, time: Duration) {
        if time > Duration::ZERO {
            let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            self.waited_ms.fetch_add(ms, Relaxed);
            tokio::time::sleep(time).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_more_patient_once_it_has_begun_but_not_for_ever() {
        let patience = Patience::default();
        assert_eq!(patience.left(), AT_FIRST);
        patience.begin();
        assert_eq!(patience.left(), FOR_A_CALL);
        patience.waited_ms.store(59_000, Relaxed);
        assert_eq!(patience.left(), Duration::from_secs(1));
        patience.waited_ms.store(70_000, Relaxed);
        assert_eq!(patience.left(), Duration::ZERO);
    }

    #[test]
    fn one_services_throttling_slows_no_other() {
        let (pacing, now) = (Pacing::new(1.0), Instant::now());
        let place = |service| Place {
            account_id: "111111111111",
            region: "eu-central-1",
            service,
        };
        let take = |service| pacing.take(place(service), Draw::Read, now, Duration::ZERO);
        for service in [Service::CloudFormation, Service::Eks] {
            assert_eq!(take(service), Ok(Duration::ZERO));
        }
        let stacks = place(Service::CloudFormation);
        pacing.answered(stacks, Draw::Read, (now, now), true);
        assert!(take(Service::CloudFormation).is_err());
        assert_eq!(take(Service::Eks), Ok(Duration::ZERO));
    }
}
