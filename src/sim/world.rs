//! Everything the simulated AWS knows, behind one mutex, and how one call finds its way through it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::accounts::Accounts;
use super::action::{Action, Target};
use super::addons::AddonRequest;
use super::arn::Arn;
use super::bucket::Bucket;
use super::caller::{Caller, MANAGEMENT_ACCOUNT};
use super::clock::Clock;
use super::cloudformation::Stacks;
use super::create::CreateRequest;
use super::error::{AwsError, Names};
use super::faults::{Fault, Faults, Subject};
use super::host::Host;
use super::iam::Iam;
use super::kubernetes;
use super::logs::{self, LogGroups};
use super::model;
use super::network::Network;
use super::options::SimOptions;
use super::query::{Form, Service, no_operation};
use super::record::{Call, Recorder};
use super::session::Sessions;
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
    /// The stacks of CloudFormation.
    pub stacks: Stacks,
    /// By account.
    pub iam: HashMap<String, Iam>,
    /// By account and region; made when somebody asks.
    pub networks: HashMap<(String, String), Network>,
    /// The log groups of control planes.
    pub log_groups: LogGroups,
    /// By account, region, service and whether it is for mutations.
    buckets: HashMap<(String, String, &'static str, bool), Bucket>,
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
    Query(Service, Form),
    Kubernetes(kubernetes::Target),
    /// An action of CloudWatch Logs, by its name.
    Logs(String),
    Unknown,
}

impl World {
    pub(super) fn new(options: SimOptions) -> Self {
        Self {
            clock: Clock::new(options.speed),
            accounts: Accounts::of(options.fleet, Host::new(options.speed)),
            initial: options.clone(),
            options,
            sessions: Sessions::default(),
            faults: Faults::default(),
            recorder: Recorder::new(),
            stacks: Stacks::default(),
            iam: HashMap::new(),
            networks: HashMap::new(),
            log_groups: LogGroups::new(),
            buckets: HashMap::new(),
        }
    }

    /// Lets every cluster's API be at this address.
    pub(super) fn listens_at(&mut self, address: SocketAddr) {
        let host = self.accounts.host().clone().listening(address);
        self.accounts.set_host(host);
    }

    /// Back to the initial fleet. Sessions stay valid, numbers of calls go on.
    pub(super) fn reset(&mut self) {
        self.options = self.initial.clone();
        self.accounts = Accounts::of(self.options.fleet, self.accounts.host().clone());
        self.faults.clear();
        self.recorder.clear();
        self.stacks.clear();
        self.iam.clear();
        self.networks.clear();
        self.log_groups.clear();
        self.buckets.clear();
        self.clock.thaw();
    }

    /// Adds all faults or, when one is wrong, none of them.
    pub(super) fn add_faults(&mut self, faults: Vec<Fault>) -> Result<(), String> {
        let second = self.clock.scale(Duration::from_secs(1));
        self.faults.add(faults, (self.clock.now(), second))
    }

    /// Puts a call on record and picks its fault.
    pub(super) fn arrive(&mut self, inbound: &Inbound) -> Arrival {
        let request = Request::of(inbound);
        let (mut caller, problem) = match &request {
            // A cluster judges tokens itself, in words of its own.
            Request::Kubernetes(target) => (self.kubernetes_caller(inbound, target), None),
            _ => Caller::identify(
                &self.sessions,
                self.accounts.first(),
                inbound.authorization.as_deref(),
                inbound.token.as_deref(),
            ),
        };
        let session = caller.session.as_ref();
        if session.is_some_and(|session| session.about.role == super::sts::FLEET_ROLE) {
            let account = self.accounts.get(&caller.account);
            caller.role = account.and_then(|account| account.settings.role_policy.clone());
        }
        let mut call = describe(&request, &caller, inbound);
        self.name_cluster(&mut call);
        self.faults.expire(self.clock.now());
        let fault = self.faults.take(&Subject {
            action: &call.action,
            service: request.service(),
            account: &call.account_id,
            region: &call.region,
            cluster: call.cluster.as_deref(),
            profile: call.profile.as_deref(),
            stack: call.stack(),
            resource: call.resource(),
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
        self.catch_up(&arrival.caller.account);
        match &arrival.request {
            Request::Unknown => Answer::unknown(&inbound.method, &inbound.path),
            Request::Kubernetes(target) => {
                Answer::kubernetes(self.kubernetes(inbound, target, arrival.seq))
            }
            Request::Query(service, form) => {
                let result = problem.map_or_else(|| self.query(*service, form, arrival), Err);
                Answer::query(*service, form.action(), result)
            }
            Request::Logs(action) => {
                Answer::logs(problem.map_or_else(|| self.logs_call(action, inbound, arrival), Err))
            }
            Request::Eks(target) => {
                let result = problem.map_or_else(|| self.eks(inbound, arrival, target), Err);
                Answer::eks(result, &self.names_of(target, arrival.seq))
            }
        }
    }

    fn query(
        &mut self,
        service: Service,
        form: &Form,
        arrival: &Arrival,
    ) -> Result<String, AwsError> {
        if service == Service::Sts {
            return self.sts(form, &arrival.caller);
        }
        arrival.caller.check_scope(service.name())?;
        let action = Action::parse(form.action()).ok_or_else(|| no_operation(form))?;
        self.throttle(&arrival.caller, service.name(), action.is_mutation())?;
        model::check_form(service, form)?;
        match service {
            Service::CloudFormation => self.cloudformation(form, arrival),
            Service::Iam => self.iam_call(form, arrival),
            Service::Elb | Service::ElbV2 => self.elb_call(service, form, arrival),
            Service::Ec2 | Service::Sts => self.ec2_call(form, arrival),
        }
    }

    /// Calls about a stack are about the cluster that its tags name.
    fn name_cluster(&self, call: &mut Call) {
        let Some(name) = call.stack().filter(|_| call.cluster.is_none()) else {
            return;
        };
        let stack = self.stacks.find(&call.account_id, &call.region, name);
        if let Some(stack) = stack {
            call.cluster = stack.cluster().map(str::to_owned);
            call.set_stack(&stack.name);
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
            Request::Query(service, form) => Answer::query(*service, form.action(), Err(error)),
            Request::Kubernetes(_) => Answer::kubernetes(Err(kubernetes::of_fault(&error))),
            Request::Eks(target) => Answer::eks(Err(error), &self.names_of(target, arrival.seq)),
            Request::Logs(_) => Answer::logs(Err(error)),
            Request::Unknown => return None,
        })
    }

    /// What the errors of a call name.
    fn names_of(&mut self, target: &Target, seq: u64) -> Names {
        let call = self.recorder.find(seq);
        let resource = call.as_ref().and_then(|call| call.resource());
        let of = |kind: &str| {
            let resource = resource.filter(|_| target.action.name().contains(kind));
            resource.map(str::to_owned)
        };
        Names {
            cluster: target.cluster.clone(),
            addon: of("Addon"),
            nodegroup: of("Nodegroup"),
            profile: call.as_ref().and_then(|call| call.profile.clone()),
        }
    }

    /// Takes a token, or refuses the call with 429.
    pub(super) fn throttle(
        &mut self,
        caller: &Caller,
        service: &'static str,
        mutates: bool,
    ) -> Result<(), AwsError> {
        let account = self.accounts.get(&caller.account);
        if service == "eks" && account.is_some_and(|account| account.settings.throttle) {
            return Err(AwsError::throttled());
        }
        let rate = if mutates {
            self.options.mutations_per_second
        } else {
            self.options.reads_per_second
        };
        let now = self.clock.real();
        let key = (
            caller.account.clone(),
            caller.region.clone(),
            service,
            mutates,
        );
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
    /// As in signatures.
    fn service(&self) -> Option<&'static str> {
        match self {
            Self::Eks(_) => Some("eks"),
            Self::Query(service, _) => Some(service.name()),
            Self::Kubernetes(_) => Some("kubernetes"),
            Self::Logs(_) => Some(logs::SERVICE),
            Self::Unknown => None,
        }
    }

    fn of(inbound: &Inbound) -> Self {
        if inbound.path == "/" {
            let target = inbound.target.as_deref();
            if let Some(action) = target.and_then(logs::target) {
                return Self::Logs(action);
            }
            let form = Form::read(inbound);
            let service = Service::of_version(form.get("Version").unwrap_or_default());
            return Self::Query(service, form);
        }
        let (method, path) = (&inbound.method, &inbound.path);
        if let Some(target) = kubernetes::Target::parse(method, path, &inbound.query) {
            return Self::Kubernetes(target);
        }
        Target::parse(method, path).map_or(Self::Unknown, Self::Eks)
    }
}

/// The call as the record has it; `seq` and `at` are the recorder's.
fn describe(request: &Request, caller: &Caller, inbound: &Inbound) -> Call {
    let about = caller.session.as_ref().map(|session| &session.about);
    let mut call = Call::new(&caller.account, &caller.region, "Unknown");
    call.session_name = about.map(|about| about.name.clone());
    call.source_identity = about.and_then(|about| about.source_identity.clone());
    match request {
        Request::Unknown => {}
        Request::Query(service, form) => describe_query(*service, form, caller, &mut call),
        Request::Logs(action) => {
            call.action.clone_from(action);
            if let Some(group) = logs::named_group(inbound) {
                call.cluster = logs::cluster_of(&group).map(str::to_owned);
                call.set_resource(&group);
            }
        }
        Request::Kubernetes(target) => {
            target.action().name().clone_into(&mut call.action);
            call.cluster = Some(target.cluster.clone());
            if let Some(resource) = target.resource() {
                call.set_resource(&resource);
            }
        }
        Request::Eks(target) => {
            target.action.name().clone_into(&mut call.action);
            call.cluster.clone_from(&target.cluster);
            call.profile.clone_from(&target.profile);
            match (&target.cluster, &target.resource) {
                (Some(_), Some(resource)) => call.set_resource(resource),
                (None, Some(tagged)) => {
                    let parts = Arn::parse(tagged).map(|arn| arn.resource.split('/').skip(1));
                    let mut names = parts.into_iter().flatten().map(str::to_owned);
                    (call.cluster, call.profile) = (names.next(), names.next());
                }
                _ => {}
            }
            if target.action == Action::CreateFargateProfile {
                let body = CreateRequest::parse(&inbound.body).unwrap_or_default();
                call.profile = body.fargate_profile_name;
            }
            if target.action == Action::CreateAddon {
                let body = AddonRequest::parse(&inbound.body).unwrap_or_default();
                if let Some(name) = body.addon_name {
                    call.set_resource(&name);
                }
            }
        }
    }
    call
}

fn describe_query(service: Service, form: &Form, caller: &Caller, call: &mut Call) {
    form.get("Action")
        .unwrap_or("Unknown")
        .clone_into(&mut call.action);
    if service == Service::Sts {
        if caller.session.is_none() {
            MANAGEMENT_ACCOUNT.clone_into(&mut call.account_id);
        }
        return form.describe_role(call);
    }
    if let Some(name) = form.filled("StackName") {
        call.set_stack(name);
    }
    let tags = form.tags("Tags.member");
    call.cluster = tags.get("alpha.eksctl.io/cluster-name").cloned();
    let names = [
        "RoleName",
        "Url",
        "OpenIDConnectProviderArn",
        "NetworkInterfaceId",
        "GroupId",
    ];
    if let Some(name) = names.into_iter().find_map(|field| form.filled(field)) {
        call.set_resource(name);
    }
}
