//! Everything the simulated AWS knows, behind one mutex, and how one call finds its way through it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::DateTime;

use super::accounts::Accounts;
use super::action::{Action, Target};
use super::arn::Arn;
use super::bucket::Bucket;
use super::caller::Caller;
use super::clock::Clock;
use super::create::CreateRequest;
use super::error::AwsError;
use super::faults::{Fault, Faults, Subject};
use super::options::SimOptions;
use super::record::{Call, Recorder};
use super::session::Sessions;
use super::sts;
use super::wire::{Answer, Inbound};

/// The world, shared by the server's threads and the controls.
pub(super) struct Shared(Mutex<World>);

impl Shared {
    pub(super) fn new(options: SimOptions) -> Self {
        Self(Mutex::new(World::new(options)))
    }

    /// A panic while the lock was held leaves a world that is still worth looking at.
    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct World {
    /// As they are now; `initial` is what a reset goes back to.
    pub options: SimOptions,
    initial: SimOptions,
    pub clock: Clock,
    pub accounts: Accounts,
    pub sessions: Sessions,
    pub faults: Faults,
    pub recorder: Recorder,
    buckets: HashMap<(String, String, bool), Bucket>,
    /// By role: when it was first used here, and how often.
    pub propagating: HashMap<String, (Duration, u32)>,
}

/// A call that has arrived and is on record.
pub(super) struct Arrival {
    pub seq: u64,
    pub caller: Caller,
    /// Why the caller must not be served.
    pub problem: Option<AwsError>,
    pub request: Request,
    pub fault: Fault,
}

/// What was asked.
pub(super) enum Request {
    Eks(Target),
    Sts(sts::Form),
    Unknown,
}

impl World {
    pub(super) fn new(options: SimOptions) -> Self {
        Self {
            clock: Clock::new(options.speed),
            accounts: Accounts::of(options.fleet),
            initial: options.clone(),
            options,
            sessions: Sessions::default(),
            faults: Faults::default(),
            recorder: Recorder::new(),
            buckets: HashMap::new(),
            propagating: HashMap::new(),
        }
    }

    /// Back to the initial fleet. Sessions stay valid, numbers of calls go on.
    pub(super) fn reset(&mut self) {
        self.options = self.initial.clone();
        self.accounts = Accounts::of(self.options.fleet);
        self.faults.clear();
        self.recorder.clear();
        self.buckets.clear();
        self.propagating.clear();
        self.clock.thaw();
    }

    /// Puts a call on record and picks its fault.
    pub(super) fn arrive(&mut self, inbound: &Inbound) -> Arrival {
        let (caller, problem) = Caller::identify(
            &self.sessions,
            self.accounts.first(),
            inbound.authorization.as_deref(),
            inbound.token.as_deref(),
        );
        let request = Request::of(inbound);
        let call = describe(&request, &caller, inbound);
        let fault = self.faults.take(&Subject {
            action: &call.action,
            account: &call.account_id,
            region: &call.region,
            cluster: call.cluster.as_deref(),
            profile: call.profile.as_deref(),
        });
        let seq = self.recorder.arrived(call);
        Arrival {
            seq,
            caller,
            problem,
            request,
            fault: fault.unwrap_or_default(),
        }
    }

    /// Lets a call have its effect and answers it.
    pub(super) fn perform(&mut self, inbound: &Inbound, arrival: &Arrival) -> Answer {
        let problem = arrival.problem.clone();
        match &arrival.request {
            Request::Unknown => Answer::unknown(&inbound.method, &inbound.path),
            Request::Sts(form) => {
                let result = problem.map_or_else(|| self.sts(form, &arrival.caller), Err);
                Answer::sts(result)
            }
            Request::Eks(target) => {
                let result = problem.map_or_else(|| self.eks(inbound, arrival, target), Err);
                Answer::eks(
                    result,
                    target.cluster.as_deref(),
                    self.profile_of(arrival.seq).as_deref(),
                )
            }
        }
    }

    /// The answer of a fault that has one of its own.
    pub(super) fn injected(&mut self, arrival: &Arrival) -> Option<Answer> {
        let Fault {
            status,
            code,
            message,
            ..
        } = &arrival.fault;
        if status.is_none() && code.is_none() {
            return None;
        }
        let error = AwsError::injected(*status, code.as_deref(), message.as_deref());
        Some(match &arrival.request {
            Request::Sts(_) => Answer::sts(Err(error)),
            Request::Eks(target) => {
                let profile = self.profile_of(arrival.seq);
                Answer::eks(Err(error), target.cluster.as_deref(), profile.as_deref())
            }
            Request::Unknown => return None,
        })
    }

    fn profile_of(&mut self, seq: u64) -> Option<String> {
        self.recorder
            .find(seq)
            .and_then(|call| call.profile.clone())
    }

    /// Takes a token, or refuses the call with 429.
    pub(super) fn throttle(&mut self, caller: &Caller, action: Action) -> Result<(), AwsError> {
        let account = self.accounts.get(&caller.account);
        if account.is_some_and(|account| account.settings.throttle) {
            return Err(AwsError::throttled());
        }
        let mutates = action.is_mutation();
        let rate = if mutates {
            self.options.mutations_per_second
        } else {
            self.options.reads_per_second
        };
        let now = self.clock.real();
        let key = (caller.account.clone(), caller.region.clone(), mutates);
        let bucket = self
            .buckets
            .entry(key)
            .or_insert_with(|| Bucket::full(rate, now));
        if bucket.take(rate, now) {
            Ok(())
        } else {
            Err(AwsError::throttled())
        }
    }
}

impl Request {
    fn of(inbound: &Inbound) -> Self {
        if inbound.path == "/" {
            return Self::Sts(sts::Form::read(inbound));
        }
        Target::parse(&inbound.method, &inbound.path).map_or(Self::Unknown, Self::Eks)
    }
}

/// The call as the record has it; `seq` and `at` are the recorder's.
fn describe(request: &Request, caller: &Caller, inbound: &Inbound) -> Call {
    let about = caller.session.as_ref().map(|session| &session.about);
    let mut call = Call {
        seq: 0,
        at: DateTime::UNIX_EPOCH,
        account_id: caller.account.clone(),
        region: caller.region.clone(),
        action: "Unknown".to_owned(),
        cluster: None,
        profile: None,
        status: None,
        changed: false,
        session_name: about.map(|about| about.name.clone()),
        source_identity: about.and_then(|about| about.source_identity.clone()),
    };
    match request {
        Request::Unknown => {}
        Request::Sts(form) => form.describe(caller, &mut call),
        Request::Eks(target) => {
            target.action.name().clone_into(&mut call.action);
            call.cluster.clone_from(&target.cluster);
            call.profile.clone_from(&target.profile);
            if let Some(arn) = target.resource.as_deref().and_then(Arn::parse) {
                let mut names = arn.resource.split('/').skip(1).map(str::to_owned);
                (call.cluster, call.profile) = (names.next(), names.next());
            }
            if target.action == Action::CreateFargateProfile {
                let body = CreateRequest::parse(&inbound.body).unwrap_or_default();
                call.profile = body.fargate_profile_name;
            }
        }
    }
    call
}
