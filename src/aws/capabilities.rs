//! The capabilities of a cluster: what EKS runs for it, outside of it.

use std::sync::Arc;

use super::caller::{Caller, Service};
use super::clients::Clients;
use super::convert::unanswered;
use super::refusal::{Class, Refusal};

/// The capabilities of a cluster, seen through one session by one step of a job.
pub struct Capabilities {
    caller: Caller,
    cluster: String,
}

/// A capability, as far as its deletion has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityState {
    /// `ACTIVE`, `DELETING`, or a value that AWS adds later.
    pub status: String,
    /// What is wrong with it, in AWS's words.
    pub issues: Vec<String>,
}

impl Capabilities {
    pub(super) const fn new(caller: Caller, cluster: String) -> Self {
        Self { caller, cluster }
    }

    /// The names of all, over all pages.
    pub async fn names(&self) -> Result<Vec<String>, Refusal> {
        let mut names = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.eks
                .list_capabilities()
                .cluster_name(&self.cluster)
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        self.caller
            .pages(Service::Eks, "ListCapabilities", call, |page| {
                let found = page.capabilities.unwrap_or_default().into_iter();
                names.extend(found.filter_map(|one| one.capability_name));
                page.next_token
            })
            .await?;
        Ok(names)
    }

    /// One of them; none when there is none of the name.
    pub async fn state(&self, name: &str) -> Result<Option<CapabilityState>, Refusal> {
        const ACTION: &str = "DescribeCapability";
        let answer = self
            .caller
            .read(Service::Eks, ACTION, |aws| {
                aws.eks
                    .describe_capability()
                    .cluster_name(&self.cluster)
                    .capability_name(name)
                    .send()
            })
            .await;
        let found = match answer {
            Ok(answer) => answer.capability.ok_or_else(|| unanswered(ACTION))?,
            Err(refusal) if is_gone(refusal.class) => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        let issues = found.health.and_then(|health| health.issues);
        let issues = issues.unwrap_or_default().into_iter();
        Ok(Some(CapabilityState {
            status: found
                .status
                .map_or_else(String::new, |status| status.as_str().to_owned()),
            issues: issues.filter_map(|issue| issue.message).collect(),
        }))
    }

    /// Asks for one to be deleted.
    pub async fn delete(&self, name: &str) -> Result<(), Refusal> {
        self.caller
            .mutate(Service::Eks, "DeleteCapability", |aws| {
                aws.eks
                    .delete_capability()
                    .cluster_name(&self.cluster)
                    .capability_name(name)
                    .send()
            })
            .await
            .map(drop)
    }
}

const fn is_gone(class: Class) -> bool {
    matches!(class, Class::ClusterNotFound | Class::NotFound)
}
