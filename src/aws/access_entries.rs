//! The access entries of a cluster, in the domain's types.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_eks::types;

use super::caller::{Caller, Service};
use super::clients::Clients;
use super::convert::{time, unanswered};
use super::eks::tags;
use super::refusal::{Class, Refusal};
use crate::domain::access_entry::{AccessEntry, AccessEntrySpec, AccessPolicy, AccessScope};

/// The access entries of a cluster, seen through one session by one step of a job.
pub struct AccessEntries {
    caller: Caller,
    cluster: String,
}

impl AccessEntries {
    pub(super) const fn new(caller: Caller, cluster: String) -> Self {
        Self { caller, cluster }
    }

    /// The principals of all entries, over all pages.
    pub async fn principals(&self) -> Result<Vec<String>, Refusal> {
        let mut principals = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.eks
                .list_access_entries()
                .cluster_name(&self.cluster)
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        self.caller
            .pages(Service::Eks, "ListAccessEntries", call, |page| {
                principals.extend(page.access_entries.unwrap_or_default());
                page.next_token
            })
            .await?;
        Ok(principals)
    }

    /// The entry of a principal with its access policies; none when there is none.
    pub async fn entry(&self, principal: &str) -> Result<Option<AccessEntry>, Refusal> {
        const ACTION: &str = "DescribeAccessEntry";
        let answer = self
            .caller
            .read(Service::Eks, ACTION, |aws| {
                aws.eks
                    .describe_access_entry()
                    .cluster_name(&self.cluster)
                    .principal_arn(principal)
                    .send()
            })
            .await;
        let found = match answer {
            Ok(answer) => answer.access_entry.ok_or_else(|| unanswered(ACTION))?,
            Err(refusal) if refusal.class == Class::NotFound => return Ok(None),
            Err(refusal) => return Err(refusal),
        };
        match self.policies(principal).await {
            Ok(policies) => Ok(Some(entry(found, policies))),
            // It went between the two looks.
            Err(refusal) if refusal.class == Class::NotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    async fn policies(&self, principal: &str) -> Result<Vec<AccessPolicy>, Refusal> {
        let mut policies = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.eks
                .list_associated_access_policies()
                .cluster_name(&self.cluster)
                .principal_arn(principal)
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        self.caller
            .pages(Service::Eks, "ListAssociatedAccessPolicies", call, |page| {
                let page_of_policies = page.associated_access_policies.unwrap_or_default();
                policies.extend(page_of_policies.into_iter().map(policy));
                page.next_token
            })
            .await?;
        Ok(policies)
    }

    /// Asks for an entry, without its access policies.
    pub async fn create(&self, new: &AccessEntrySpec, token: String) -> Result<(), Refusal> {
        let groups = new.kubernetes_groups.clone();
        let created = self
            .caller
            .mutate(Service::Eks, "CreateAccessEntry", |aws| {
                aws.eks
                    .create_access_entry()
                    .cluster_name(&self.cluster)
                    .principal_arn(new.principal_arn.as_str())
                    .r#type(new.kind.as_str())
                    .set_kubernetes_groups((!groups.is_empty()).then_some(groups))
                    .set_username(new.kubernetes_username.clone())
                    .set_tags(tags(new.tags.clone()))
                    .client_request_token(token)
                    .send()
            })
            .await;
        created.map(drop).map_err(|refusal| Refusal {
            class: if refusal.message.contains("already in use") {
                Class::AlreadyExists
            } else {
                refusal.class
            },
            ..refusal
        })
    }

    /// Asks for other groups and, where it is given, another name in Kubernetes.
    pub async fn update(
        &self,
        principal: &str,
        groups: Vec<String>,
        username: Option<String>,
    ) -> Result<(), Refusal> {
        self.caller
            .mutate(Service::Eks, "UpdateAccessEntry", |aws| {
                aws.eks
                    .update_access_entry()
                    .cluster_name(&self.cluster)
                    .principal_arn(principal)
                    .set_kubernetes_groups(Some(groups))
                    .set_username(username)
                    .send()
            })
            .await
            .map(drop)
    }

    /// Asks for an entry to be deleted.
    pub async fn delete(&self, principal: &str) -> Result<(), Refusal> {
        self.caller
            .mutate(Service::Eks, "DeleteAccessEntry", |aws| {
                aws.eks
                    .delete_access_entry()
                    .cluster_name(&self.cluster)
                    .principal_arn(principal)
                    .send()
            })
            .await
            .map(drop)
    }

    /// Asks for an access policy of an entry, or for another scope of one that it has.
    pub async fn associate(&self, principal: &str, policy: AccessPolicy) -> Result<(), Refusal> {
        let AccessScope { kind, namespaces } = policy.access_scope;
        let scope = types::AccessScope::builder()
            .r#type(types::AccessScopeType::from(kind.as_str()))
            .set_namespaces((!namespaces.is_empty()).then_some(namespaces))
            .build();
        self.caller
            .mutate(Service::Eks, "AssociateAccessPolicy", |aws| {
                aws.eks
                    .associate_access_policy()
                    .cluster_name(&self.cluster)
                    .principal_arn(principal)
                    .policy_arn(policy.policy_arn)
                    .access_scope(scope)
                    .send()
            })
            .await
            .map(drop)
    }

    /// Asks for an access policy of an entry to be taken away.
    pub async fn disassociate(&self, principal: &str, policy_arn: &str) -> Result<(), Refusal> {
        self.caller
            .mutate(Service::Eks, "DisassociateAccessPolicy", |aws| {
                aws.eks
                    .disassociate_access_policy()
                    .cluster_name(&self.cluster)
                    .principal_arn(principal)
                    .policy_arn(policy_arn)
                    .send()
            })
            .await
            .map(drop)
    }

    /// Adds tags to an entry.
    pub async fn tag(&self, arn: &str, new: BTreeMap<String, String>) -> Result<(), Refusal> {
        self.caller
            .mutate(Service::Eks, "TagResource", |aws| {
                let request = aws.eks.tag_resource().resource_arn(arn);
                request.set_tags(tags(new)).send()
            })
            .await
            .map(drop)
    }

    /// Takes tags from an entry.
    pub async fn untag(&self, arn: &str, keys: Vec<String>) -> Result<(), Refusal> {
        self.caller
            .mutate(Service::Eks, "UntagResource", |aws| {
                let request = aws.eks.untag_resource().resource_arn(arn);
                request.set_tag_keys(Some(keys)).send()
            })
            .await
            .map(drop)
    }
}

/// Every field of an answer is optional; unknown values pass through.
fn entry(entry: types::AccessEntry, access_policies: Vec<AccessPolicy>) -> AccessEntry {
    AccessEntry {
        principal_arn: entry.principal_arn.unwrap_or_default(),
        kind: entry.r#type,
        kubernetes_groups: entry.kubernetes_groups.unwrap_or_default(),
        kubernetes_username: entry.username,
        access_policies,
        tags: entry.tags.unwrap_or_default().into_iter().collect(),
        arn: entry.access_entry_arn,
        created_at: entry.created_at.and_then(time),
        modified_at: entry.modified_at.and_then(time),
    }
}

fn policy(policy: types::AssociatedAccessPolicy) -> AccessPolicy {
    let scope = policy.access_scope;
    let kind = scope.as_ref().and_then(|scope| scope.r#type.clone());
    AccessPolicy {
        policy_arn: policy.policy_arn.unwrap_or_default(),
        access_scope: AccessScope {
            kind: kind.map_or_else(String::new, |kind| kind.as_str().to_owned()),
            namespaces: scope.and_then(|scope| scope.namespaces).unwrap_or_default(),
        },
    }
}
