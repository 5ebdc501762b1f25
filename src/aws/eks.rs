//! The EKS calls that jobs make for Fargate profiles, in the domain's types.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_sdk_eks::types;

use super::caller::{Caller, Service};
use super::clients::Clients;
use super::convert::{time, unanswered};
use super::refusal::Refusal;
use crate::domain::selector::Selector;
use crate::domain::{FargateProfile, HealthIssue};

/// A cluster at EKS, seen through one session by one step of a job.
pub struct Eks {
    caller: Caller,
    cluster: String,
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
    pub(super) const fn new(caller: Caller, cluster: String) -> Self {
        Self { caller, cluster }
    }

    /// The step that the calls belong to, for its other services.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Makes sure that the session stands: see [`Caller::open`].
    pub async fn open(&self, anew: bool) -> Result<bool, Refusal> {
        self.caller.open(anew).await
    }

    /// The job has ended: see [`Caller::close`].
    pub async fn close(&self) {
        self.caller.close().await;
    }

    /// The cluster's status, such as `ACTIVE`.
    pub async fn cluster_status(&self) -> Result<String, Refusal> {
        let answer = self
            .caller
            .read(Service::Eks, "DescribeCluster", |aws| {
                aws.eks.describe_cluster().name(&self.cluster).send()
            })
            .await?;
        let status = answer.cluster.and_then(|cluster| cluster.status);
        Ok(status.map_or_else(|| "UNKNOWN".to_owned(), |status| status.as_str().to_owned()))
    }

    /// One profile.
    pub async fn profile(&self, name: &str) -> Result<FargateProfile, Refusal> {
        const ACTION: &str = "DescribeFargateProfile";
        let answer = self
            .caller
            .read(Service::Eks, ACTION, |aws| {
                aws.eks
                    .describe_fargate_profile()
                    .cluster_name(&self.cluster)
                    .fargate_profile_name(name)
                    .send()
            })
            .await?;
        answer
            .fargate_profile
            .map(profile)
            .ok_or_else(|| unanswered(ACTION))
    }

    /// The names of all profiles, in AWS's order, over however many pages.
    pub async fn profile_names(&self) -> Result<Vec<String>, Refusal> {
        let mut names = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.eks
                .list_fargate_profiles()
                .cluster_name(&self.cluster)
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        self.caller
            .pages(Service::Eks, "ListFargateProfiles", call, |page| {
                names.extend(page.fargate_profile_names.unwrap_or_default());
                page.next_token
            })
            .await?;
        Ok(names)
    }

    /// Asks for a new profile.
    pub async fn create_profile(&self, new: NewProfile) -> Result<FargateProfile, Refusal> {
        const ACTION: &str = "CreateFargateProfile";
        let answer = self
            .caller
            .mutate(Service::Eks, ACTION, |aws| {
                let selectors = new.selectors.into_iter().map(selector).collect();
                aws.eks
                    .create_fargate_profile()
                    .cluster_name(&self.cluster)
                    .fargate_profile_name(new.name)
                    .pod_execution_role_arn(new.pod_execution_role_arn)
                    .client_request_token(new.client_request_token)
                    .set_selectors(Some(selectors))
                    .set_subnets((!new.subnets.is_empty()).then_some(new.subnets))
                    .set_tags(tags(new.tags))
                    .send()
            })
            .await?;
        answer
            .fargate_profile
            .map(profile)
            .ok_or_else(|| unanswered(ACTION))
    }

    /// Adds tags to a profile that was looked at.
    pub async fn tag_profile(
        &self,
        profile: &FargateProfile,
        new: BTreeMap<String, String>,
    ) -> Result<(), Refusal> {
        let Some(arn) = &profile.arn else {
            return Err(unanswered("DescribeFargateProfile"));
        };
        self.caller
            .mutate(Service::Eks, "TagResource", |aws| {
                let request = aws.eks.tag_resource().resource_arn(arn);
                request.set_tags(tags(new)).send()
            })
            .await
            .map(drop)
    }

    /// Asks for a profile to be deleted.
    pub async fn delete_profile(&self, name: &str) -> Result<(), Refusal> {
        const ACTION: &str = "DeleteFargateProfile";
        self.caller
            .mutate(Service::Eks, ACTION, |aws| {
                aws.eks
                    .delete_fargate_profile()
                    .cluster_name(&self.cluster)
                    .fargate_profile_name(name)
                    .send()
            })
            .await
            .map(drop)
    }
}

/// None rather than an empty map: some actions refuse the latter.
pub(super) fn tags(tags: BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    (!tags.is_empty()).then(|| tags.into_iter().collect())
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
