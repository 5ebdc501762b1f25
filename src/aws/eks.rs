//! The EKS calls that jobs make, in the domain's types.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use aws_sdk_eks::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eks::operation::RequestId;
use aws_sdk_eks::types;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use chrono::{DateTime, SubsecRound as _, Utc};

use super::Aws;
use super::classify;
use super::pacing::{Draw, Patience};
use super::policy::Access;
use super::refusal::{Class, Refusal};
use super::sessions::SessionKey;
use crate::domain::selector::Selector;
use crate::domain::{FargateProfile, HealthIssue};

/// A cluster at EKS, seen through one session by one step of a job.
pub struct Eks {
    aws: Aws,
    session: SessionKey,
    cluster: String,
    patience: Patience,
    /// Whether the first read has its place in the budget already.
    admitted: AtomicBool,
}

/// A profile to be made.
#[derive(Debug, Clone)]
pub struct NewProfile {
    /// Its name.
    pub name: String,
    /// The role of its pods.
    pub pod_execution_role_arn: String,
    /// What it catches.
    pub selectors: Vec<Selector>,
    /// Empty: EKS picks the cluster's private subnets.
    pub subnets: Vec<String>,
    /// Free to use.
    pub tags: BTreeMap<String, String>,
    /// The same token never makes two.
    pub client_request_token: String,
}

impl Eks {
    pub(super) fn new(aws: Aws, session: SessionKey, cluster: String) -> Self {
        Self {
            aws,
            session,
            cluster,
            patience: Patience::default(),
            admitted: AtomicBool::new(false),
        }
    }

    /// Makes sure that the session stands, without calling EKS. True when STS gave it just now;
    /// `anew` asks STS in any case.
    ///
    /// Takes the step's first read from the budget: whoever has to stay away needs no session.
    pub async fn open(&self, anew: bool) -> Result<bool, Refusal> {
        self.admit("AssumeRole", Draw::Read).await?;
        let sessions = &self.aws.inner.sessions;
        let (_, asked) = sessions.session(&self.session, anew).await?;
        self.admitted.store(true, Relaxed);
        Ok(asked)
    }

    /// The job has ended: forgets its session, unless other reads share it.
    pub async fn close(&self) {
        if self.session.access != Access::Read {
            self.aws.inner.sessions.forget(&self.session).await;
        }
    }

    /// The cluster's status, such as `ACTIVE`.
    pub async fn cluster_status(&self) -> Result<String, Refusal> {
        let answer = self
            .read("DescribeCluster", |eks| {
                eks.describe_cluster().name(&self.cluster).send()
            })
            .await?;
        let status = answer.cluster.and_then(|cluster| cluster.status);
        Ok(status.map_or_else(|| "UNKNOWN".to_owned(), |status| status.as_str().to_owned()))
    }

    /// One profile.
    pub async fn profile(&self, name: &str) -> Result<FargateProfile, Refusal> {
        const ACTION: &str = "DescribeFargateProfile";
        let answer = self
            .read(ACTION, |eks| {
                eks.describe_fargate_profile()
                    .cluster_name(&self.cluster)
                    .fargate_profile_name(name)
                    .send()
            })
            .await?;
        answer
            .fargate_profile
            .map(profile)
            .ok_or_else(|| empty(ACTION))
    }

    /// The names of all profiles, in AWS's order, over however many pages.
    pub async fn profile_names(&self) -> Result<Vec<String>, Refusal> {
        /// A cluster has 10 by default; a token that never ends must not keep a worker.
        const MOST_PAGES: usize = 1_000;
        let mut names = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = self
                .read("ListFargateProfiles", |eks| {
                    eks.list_fargate_profiles()
                        .cluster_name(&self.cluster)
                        .max_results(100)
                        .set_next_token(token.clone())
                        .send()
                })
                .await?;
            names.extend(page.fargate_profile_names.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        Ok(names)
    }

    /// Asks for a new profile.
    pub async fn create_profile(&self, new: NewProfile) -> Result<FargateProfile, Refusal> {
        const ACTION: &str = "CreateFargateProfile";
        let (eks, made) = self.client(ACTION, Draw::Mutate).await?;
        let mut request = eks
            .create_fargate_profile()
            .cluster_name(&self.cluster)
            .fargate_profile_name(new.name)
            .pod_execution_role_arn(new.pod_execution_role_arn)
            .client_request_token(new.client_request_token)
            .set_selectors(Some(new.selectors.into_iter().map(selector).collect()));
        if !new.subnets.is_empty() {
            request = request.set_subnets(Some(new.subnets));
        }
        if !new.tags.is_empty() {
            request = request.set_tags(Some(new.tags.into_iter().collect()));
        }
        let answer = self
            .judged(ACTION, (Draw::Mutate, made), request.send().await)
            .await?;
        answer
            .fargate_profile
            .map(profile)
            .ok_or_else(|| empty(ACTION))
    }

    /// Asks for a profile to be deleted.
    pub async fn delete_profile(&self, name: &str) -> Result<(), Refusal> {
        const ACTION: &str = "DeleteFargateProfile";
        let (eks, made) = self.client(ACTION, Draw::Mutate).await?;
        let call = eks
            .delete_fargate_profile()
            .cluster_name(&self.cluster)
            .fargate_profile_name(name)
            .send()
            .await;
        self.judged(ACTION, (Draw::Mutate, made), call)
            .await
            .map(drop)
    }

    /// Makes a call that changes nothing; again in place when AWS says "slower", as long as the
    /// budget, which has shrunk by then, and the step's patience allow.
    async fn read<T, E, F>(
        &self,
        action: &'static str,
        call: impl Fn(aws_sdk_eks::Client) -> F,
    ) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        const TRIES: u32 = 8;
        let mut tried = 0;
        loop {
            let (eks, made) = self.client(action, Draw::Read).await?;
            let answer = call(eks).await;
            tried += 1;
            match self.judged(action, (Draw::Read, made), answer).await {
                Err(refusal) if refusal.class == Class::Throttled && tried < TRIES => {}
                judged => return judged,
            }
        }
    }

    /// A client for one call: within the budget, with credentials that hold. And when the call is
    /// made, which is now.
    async fn client(
        &self,
        action: &'static str,
        draw: Draw,
    ) -> Result<(aws_sdk_eks::Client, Instant), Refusal> {
        if draw == Draw::Mutate || !self.admitted.swap(false, Relaxed) {
            self.admit(action, draw).await?;
        }
        let sessions = &self.aws.inner.sessions;
        let eks = sessions.eks(&self.session).await?;
        Ok((eks, sessions.monotonic()))
    }

    /// Waits in place until the budget has a call for the step, if that is soon.
    async fn admit(&self, action: &'static str, draw: Draw) -> Result<(), Refusal> {
        let inner = &self.aws.inner;
        loop {
            let (now, patience) = (inner.sessions.monotonic(), self.patience.left());
            let promised = inner.pacing.take(self.place(), draw, now, patience);
            let wait = promised.map_err(|away| Refusal {
                action,
                class: Class::OverBudget(away),
                code: None,
                message: "the account's budget of calls is used up for the moment".to_owned(),
                request_id: None,
            })?;
            self.patience.wait(wait).await;
            if wait.is_zero() || inner.pacing.stands(self.place(), draw, now) {
                return Ok(());
            }
        }
    }

    /// Whose budget it is.
    fn place(&self) -> (&str, &str) {
        (&self.session.account_id, &self.session.region)
    }

    /// Classifies what went wrong, and tells the budget and the sessions of it.
    async fn judged<T, E>(
        &self,
        action: &'static str,
        (draw, made): (Draw, Instant),
        call: Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, Refusal>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let judged = call.map_err(|error| classify::refusal(action, &error));
        let class = judged.as_ref().err().map(|refusal| refusal.class);
        let inner = &self.aws.inner;
        if class != Some(Class::Unavailable) {
            let throttled = class == Some(Class::Throttled);
            let times = (made, inner.sessions.monotonic());
            inner.pacing.answered(self.place(), draw, times, throttled);
            if !throttled {
                self.patience.begin();
            }
        }
        // Denied, too: a session may be what was taken back, and not the right.
        if matches!(class, Some(Class::SessionExpired | Class::AccessDenied)) {
            inner.sessions.forget(&self.session).await;
        }
        judged
    }
}

fn empty(action: &'static str) -> Refusal {
    Refusal {
        action,
        class: Class::Unavailable,
        code: None,
        message: "AWS answered without a profile".to_owned(),
        request_id: None,
    }
}

fn selector(selector: Selector) -> types::FargateProfileSelector {
    let labels: HashMap<String, String> = selector.labels.into_iter().collect();
    types::FargateProfileSelector::builder()
        .namespace(selector.namespace)
        .set_labels((!labels.is_empty()).then_some(labels))
        .build()
}

/// Every field of an answer is optional; unknown values pass through.
fn profile(profile: types::FargateProfile) -> FargateProfile {
    let selectors = profile.selectors.unwrap_or_default();
    let issues = profile
        .health
        .and_then(|health| health.issues)
        .unwrap_or_default();
    FargateProfile {
        name: profile.fargate_profile_name.unwrap_or_default(),
        pod_execution_role_arn: profile.pod_execution_role_arn,
        selectors: selectors
            .into_iter()
            .map(|selector| Selector {
                namespace: selector.namespace.unwrap_or_default(),
                labels: selector.labels.unwrap_or_default().into_iter().collect(),
            })
            .collect(),
        subnets: profile.subnets.unwrap_or_default(),
        tags: profile.tags.unwrap_or_default().into_iter().collect(),
        status: profile.status.map(|status| status.as_str().to_owned()),
        arn: profile.fargate_profile_arn,
        cluster_name: profile.cluster_name,
        created_at: profile.created_at.and_then(time),
        health_issues: issues.into_iter().map(issue).collect(),
    }
}

fn issue(issue: types::FargateProfileIssue) -> HealthIssue {
    HealthIssue {
        code: issue
            .code
            .map_or_else(|| "Unknown".to_owned(), |code| code.as_str().to_owned()),
        message: issue.message.unwrap_or_default(),
        resource_ids: issue.resource_ids.unwrap_or_default(),
    }
}

fn time(at: aws_smithy_types::DateTime) -> Option<DateTime<Utc>> {
    // AWS writes seconds as a float: what is beyond milliseconds is noise.
    DateTime::from_timestamp(at.secs(), at.subsec_nanos()).map(|at| at.round_subsecs(3))
}
