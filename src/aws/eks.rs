//! The EKS calls that jobs make, in the domain's types.

use std::collections::{BTreeMap, HashMap};

use aws_config::Region;
use aws_sdk_eks::config::Credentials;
use aws_sdk_eks::config::retry::RetryPartition;
use aws_sdk_eks::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eks::operation::RequestId;
use aws_sdk_eks::types;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use chrono::{DateTime, SubsecRound as _, Utc};

use super::Aws;
use super::classify;
use super::credentials::SessionCredentials;
use super::pacing::Draw;
use super::refusal::{Class, Refusal};
use super::sessions::SessionKey;
use crate::domain::selector::Selector;
use crate::domain::{FargateProfile, HealthIssue};

/// EKS in one account and region, seen through one session.
#[derive(Clone)]
pub struct Eks {
    aws: Aws,
    session: SessionKey,
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
    pub(super) fn new(aws: Aws, session: SessionKey) -> Self {
        Self { aws, session }
    }

    /// Makes sure that the session stands, without calling EKS. True when STS gave it just now;
    /// `anew` asks STS in any case.
    pub async fn open(&self, anew: bool) -> Result<bool, Refusal> {
        let sessions = &self.aws.inner.sessions;
        sessions
            .session(&self.session, anew)
            .await
            .map(|(_, asked)| asked)
    }

    /// The cluster's status, such as `ACTIVE`.
    pub async fn cluster_status(&self) -> Result<String, Refusal> {
        let client = self.client("DescribeCluster", Draw::Read).await?;
        let call = client
            .describe_cluster()
            .name(&self.session.cluster)
            .send()
            .await;
        let answer = self.judged("DescribeCluster", Draw::Read, call).await?;
        let status = answer.cluster.and_then(|cluster| cluster.status);
        Ok(status.map_or_else(|| "UNKNOWN".to_owned(), |status| status.as_str().to_owned()))
    }

    /// One profile.
    pub async fn profile(&self, name: &str) -> Result<FargateProfile, Refusal> {
        const ACTION: &str = "DescribeFargateProfile";
        let client = self.client(ACTION, Draw::Read).await?;
        let call = client
            .describe_fargate_profile()
            .cluster_name(&self.session.cluster)
            .fargate_profile_name(name)
            .send()
            .await;
        let answer = self.judged(ACTION, Draw::Read, call).await?;
        answer
            .fargate_profile
            .map(profile)
            .ok_or_else(|| empty(ACTION))
    }

    /// The names of all profiles, in AWS's order, over however many pages.
    pub async fn profile_names(&self) -> Result<Vec<String>, Refusal> {
        const ACTION: &str = "ListFargateProfiles";
        /// A cluster has 10 by default; a token that never ends must not keep a worker.
        const MOST_PAGES: usize = 1_000;
        let mut names = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let client = self.client(ACTION, Draw::Read).await?;
            let call = client
                .list_fargate_profiles()
                .cluster_name(&self.session.cluster)
                .max_results(100)
                .set_next_token(token)
                .send()
                .await;
            let page = self.judged(ACTION, Draw::Read, call).await?;
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
        let client = self.client(ACTION, Draw::Mutate).await?;
        let mut request = client
            .create_fargate_profile()
            .cluster_name(&self.session.cluster)
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
            .judged(ACTION, Draw::Mutate, request.send().await)
            .await?;
        answer
            .fargate_profile
            .map(profile)
            .ok_or_else(|| empty(ACTION))
    }

    /// Asks for a profile to be deleted.
    pub async fn delete_profile(&self, name: &str) -> Result<(), Refusal> {
        const ACTION: &str = "DeleteFargateProfile";
        let client = self.client(ACTION, Draw::Mutate).await?;
        let call = client
            .delete_fargate_profile()
            .cluster_name(&self.session.cluster)
            .fargate_profile_name(name)
            .send()
            .await;
        self.judged(ACTION, Draw::Mutate, call).await.map(drop)
    }

    /// A client for one call: within the budget, with credentials that hold.
    async fn client(
        &self,
        action: &'static str,
        draw: Draw,
    ) -> Result<aws_sdk_eks::Client, Refusal> {
        let session = &self.session;
        let inner = &self.aws.inner;
        let now = inner.sessions.monotonic();
        inner
            .pacing
            .take(&session.account_id, &session.region, draw, now)
            .map_err(|wait| Refusal {
                action,
                class: Class::OverBudget(wait),
                code: None,
                message: "the account's budget of calls is used up for the moment".to_owned(),
                request_id: None,
            })?;
        let credentials = inner.sessions.credentials(session).await?;
        Ok(self.client_with(credentials))
    }

    fn client_with(&self, credentials: Credentials) -> aws_sdk_eks::Client {
        let partition = format!("{} {}", self.session.account_id, self.session.region);
        let config = aws_sdk_eks::config::Builder::from(&self.aws.inner.config)
            .region(Region::new(self.session.region.clone()))
            // The SDK's own partition is the region, shared by all accounts.
            .retry_partition(RetryPartition::custom(partition).build())
            .credentials_provider(SessionCredentials(credentials))
            .build();
        aws_sdk_eks::Client::from_conf(config)
    }

    /// Classifies what went wrong, and tells the budget and the sessions of it.
    async fn judged<T, E>(
        &self,
        action: &'static str,
        draw: Draw,
        call: Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, Refusal>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let refusal = match call {
            Ok(answer) => return Ok(answer),
            Err(error) => classify::refusal(action, &error),
        };
        let inner = &self.aws.inner;
        let (account, region) = (&self.session.account_id, &self.session.region);
        match refusal.class {
            Class::Throttled => {
                inner
                    .pacing
                    .throttled(account, region, draw, inner.sessions.monotonic());
            }
            Class::SessionExpired => inner.sessions.forget(&self.session).await,
            _ => {}
        }
        Err(refusal)
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
