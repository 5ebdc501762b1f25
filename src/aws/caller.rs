//! The one way to make a call: a session, its place in the budgets, and what refusals mean.
//!
//! Every service's calls go through it, so that all of them wait, classify and forget alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use aws_sdk_eks::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eks::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::access_entries::AccessEntries;
use super::breaker::{Circuit, Pass};
use super::capabilities::Capabilities;
use super::clients::Clients;
use super::cloudformation::CloudFormation;
use super::clusters::Clusters;
use super::ec2::Ec2;
use super::eks::Eks;
use super::elb::Elb;
use super::iam::Iam;
use super::logs::Logs;
pub use super::pacing::Service;
use super::pacing::{Draw, Patience, Place};
use super::query::Query;
use super::refusal::{Class, Refusal};
use super::sessions::SessionKey;
use super::{Aws, classify};

/// AWS through one session, by one step of a job. Clones are the same step's: they share its
/// patience.
#[derive(Clone)]
pub struct Caller {
    step: Arc<Step>,
}

/// A call that may be made now.
struct Admitted {
    made: Instant,
    pass: Pass,
}

struct Step {
    aws: Aws,
    session: SessionKey,
    patience: Patience,
    /// Whether the first read of EKS has its place in the budget already.
    admitted: AtomicBool,
}

impl Caller {
    pub(super) fn new(aws: Aws, session: SessionKey) -> Self {
        let step = Step {
            aws,
            session,
            patience: Patience::default(),
            admitted: AtomicBool::new(false),
        };
        Self {
            step: Arc::new(step),
        }
    }

    /// The Fargate profiles of a cluster.
    #[must_use]
    pub fn eks(&self, cluster: String) -> Eks {
        Eks::new(self.clone(), cluster)
    }

    /// The clusters of the region, their add-ons and nodegroups.
    #[must_use]
    pub fn clusters(&self) -> Clusters {
        Clusters::new(self.clone())
    }

    /// The access entries of a cluster.
    #[must_use]
    pub fn access_entries(&self, cluster: String) -> AccessEntries {
        AccessEntries::new(self.clone(), cluster)
    }

    /// The EKS capabilities of a cluster.
    #[must_use]
    pub fn capabilities(&self, cluster: String) -> Capabilities {
        Capabilities::new(self.clone(), cluster)
    }

    /// The stacks of the region.
    #[must_use]
    pub fn cloudformation(&self) -> CloudFormation {
        CloudFormation::new(self.clone())
    }

    /// The zones and subnets of the region.
    #[must_use]
    pub fn ec2(&self) -> Ec2 {
        Ec2::new(self.clone())
    }

    /// The load balancers of the region.
    #[must_use]
    pub fn elb(&self) -> Elb {
        Elb::new(self.clone())
    }

    /// The identity providers of the account.
    #[must_use]
    pub fn iam(&self) -> Iam {
        Iam::new(self.clone())
    }

    /// The log groups of the region.
    #[must_use]
    pub fn logs(&self) -> Logs {
        Logs::new(self.clone())
    }

    /// Makes sure that the session stands, without calling EKS. True when STS gave it just now;
    /// `anew` asks STS in any case.
    ///
    /// Takes the step's first read from the budget: whoever has to stay away needs no session.
    pub async fn open(&self, anew: bool) -> Result<bool, Refusal> {
        let circuit = Circuit::of(&self.step.session, Service::Eks);
        let inner = &self.step.aws.inner;
        let now = inner.sessions.monotonic();
        if let Some(blocked) = inner.breakers.blocked(&circuit, now) {
            return Err(blocked.refusal("AssumeRole"));
        }
        self.admit(Service::Eks, "AssumeRole", Draw::Read).await?;
        let sessions = &self.step.aws.inner.sessions;
        let (_, asked) = sessions.session(&self.step.session, anew).await?;
        self.step.admitted.store(true, Relaxed);
        Ok(asked)
    }

    /// The job has ended: forgets its session, unless other reads share it.
    pub async fn close(&self) {
        if !self.step.session.access.is_read() {
            self.forget().await;
        }
    }

    /// A token that a cluster's Kubernetes API takes for a minute, as the session's role. Asks
    /// nobody but STS for the session.
    pub async fn kubernetes_token(&self, cluster: &str) -> Result<String, Refusal> {
        let sessions = &self.step.aws.inner.sessions;
        let clients = sessions.clients(&self.step.session).await?;
        clients
            .kubernetes_token(cluster, sessions.time_of_day())
            .await
    }

    /// Whether AWS is a simulator, or a test: then addresses may be plain HTTP.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.step.aws.is_simulated()
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &SessionKey {
        &self.step.session
    }

    /// Makes a call that changes nothing; again in place when AWS says "slower", as long as the
    /// budget, which has shrunk by then, and the step's patience allow.
    pub(super) async fn read<T, E, F>(
        &self,
        service: Service,
        action: &'static str,
        call: impl Fn(Arc<Clients>) -> F,
    ) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        const TRIES: u32 = 8;
        let mut tried = 0;
        loop {
            let about = (service, action, Draw::Read);
            let (clients, admitted) = self.clients(about).await?;
            let answer = call(clients).await;
            tried += 1;
            match self.judged(about, admitted, answer).await {
                Err(refusal) if refusal.class == Class::Throttled && tried < TRIES => {}
                judged => return judged,
            }
        }
    }

    /// Reads page after page: `take` keeps what it wants of one and answers the token of the next.
    pub(super) async fn pages<T, E, F>(
        &self,
        service: Service,
        action: &'static str,
        call: impl Fn(Arc<Clients>, Option<String>) -> F,
        mut take: impl FnMut(T) -> Option<String>,
    ) -> Result<(), Refusal>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        /// Lists are short; a token that never ends must not keep a worker.
        const MOST_PAGES: usize = 1_000;
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = self
                .read(service, action, |aws| call(aws, token.clone()))
                .await?;
            token = take(page).filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Makes a call that changes something, once.
    pub(super) async fn mutate<T, E, F>(
        &self,
        service: Service,
        action: &'static str,
        call: impl FnOnce(Arc<Clients>) -> F,
    ) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let about = (service, action, Draw::Mutate);
        let (clients, admitted) = self.clients(about).await?;
        let answer = call(clients).await;
        self.judged(about, admitted, answer).await
    }

    /// [`Self::read`] by the query protocol.
    pub(super) async fn query_read(
        &self,
        service: Service,
        action: &'static str,
        query: Query,
    ) -> Result<String, Refusal> {
        let now = self.step.aws.inner.sessions.time_of_day();
        self.read(service, action, |clients| {
            let query = query.clone();
            async move { clients.query(query, now).await }
        })
        .await
    }

    /// [`Self::mutate`] by the query protocol.
    pub(super) async fn query_mutate(
        &self,
        service: Service,
        action: &'static str,
        query: Query,
    ) -> Result<String, Refusal> {
        let now = self.step.aws.inner.sessions.time_of_day();
        self.mutate(service, action, |clients| async move {
            clients.query(query, now).await
        })
        .await
    }

    /// The clients for one call: let through by the service's breaker, within the budget, with
    /// credentials that hold.
    async fn clients(
        &self,
        (service, action, draw): (Service, &'static str, Draw),
    ) -> Result<(Arc<Clients>, Admitted), Refusal> {
        let first = service == Service::Eks && draw == Draw::Read;
        if !first || !self.step.admitted.swap(false, Relaxed) {
            self.admit(service, action, draw).await?;
        }
        let inner = &self.step.aws.inner;
        let clients = inner.sessions.clients(&self.step.session).await?;
        let made = inner.sessions.monotonic();
        let circuit = Circuit::of(&self.step.session, service);
        let pass = inner.breakers.pass(circuit, made);
        let pass = pass.map_err(|blocked| blocked.refusal(action))?;
        Ok((clients, Admitted { made, pass }))
    }

    /// Waits in place until the budget has a call for the step, if that is soon.
    async fn admit(
        &self,
        service: Service,
        action: &'static str,
        draw: Draw,
    ) -> Result<(), Refusal> {
        let (inner, place) = (&self.step.aws.inner, self.place(service));
        loop {
            let (now, patience) = (inner.sessions.monotonic(), self.step.patience.left());
            let promised = inner.pacing.take(place, draw, now, patience);
            let wait = promised.map_err(|away| Refusal {
                action,
                class: Class::OverBudget(away),
                code: None,
                message: "the account's budget of calls is used up for the moment".to_owned(),
                request_id: None,
            })?;
            self.step.patience.wait(wait).await;
            if wait.is_zero() || inner.pacing.stands(place, draw, now) {
                return Ok(());
            }
        }
    }

    fn place(&self, service: Service) -> Place<'_> {
        let session = &self.step.session;
        Place {
            account_id: &session.account_id,
            region: &session.region,
            service,
        }
    }

    /// Says which service is in trouble, and where.
    fn placed(&self, service: Service, refusal: Refusal) -> Refusal {
        if refusal.class != Class::Unavailable {
            return refusal;
        }
        let (name, region) = (service.name(), &self.step.session.region);
        Refusal {
            message: format!(
                "{name} in {region} does not answer as it should: {}",
                refusal.message
            ),
            ..refusal
        }
    }

    async fn forget(&self) {
        let sessions = &self.step.aws.inner.sessions;
        sessions.forget(&self.step.session).await;
    }

    /// Classifies what went wrong, and tells the budget and the sessions of it.
    async fn judged<T, E>(
        &self,
        (service, action, draw): (Service, &'static str, Draw),
        Admitted { made, pass }: Admitted,
        call: Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, Refusal>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let inner = &self.step.aws.inner;
        let now = inner.sessions.monotonic();
        let judged = call.map_err(|error| {
            let refusal = classify::refusal(action, &error);
            self.placed(service, refusal)
        });
        let class = judged.as_ref().err().map(|refusal| refusal.class);
        match &judged {
            Err(refusal) if refusal.class == Class::Unavailable => {
                pass.failed(now, &refusal.message);
            }
            _ => {
                pass.answered(now);
                let throttled = class == Some(Class::Throttled);
                let place = self.place(service);
                inner.pacing.answered(place, draw, (made, now), throttled);
                if !throttled {
                    self.step.patience.begin();
                }
            }
        }
        // Denied, too: a session may be what was taken back, and not the right.
        if matches!(class, Some(Class::SessionExpired | Class::AccessDenied)) {
            self.forget().await;
        }
        judged
    }
}
