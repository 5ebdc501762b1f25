//! EKS Pod Identity: which Kubernetes `ServiceAccounts` act under which roles.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::caller::Service;
use super::clients::Clients;
use super::clusters::Clusters;
use super::convert::unanswered;
use super::eks::tags;
use super::refusal::{Class, Refusal};

/// An association to be made.
#[derive(Debug, Clone)]
pub struct NewAssociation {
    /// The namespace of the `ServiceAccount`.
    pub namespace: String,
    /// Its name.
    pub service_account: String,
    /// Its role.
    pub role_arn: String,
    /// A role of another account that its pods act under in the end.
    pub target_role_arn: Option<String>,
    /// Whether sessions get no tags; EKS's default if absent.
    pub disable_session_tags: Option<bool>,
    /// A policy that narrows the role.
    pub policy: Option<String>,
    /// Free to use.
    pub tags: BTreeMap<String, String>,
    /// The same token never makes two.
    pub client_request_token: String,
}

/// An association that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Association {
    /// `a-...`.
    pub id: String,
    /// The role.
    pub role_arn: String,
}

impl Clusters {
    /// The association of a `ServiceAccount`, given by namespace and name; none when it has none.
    pub async fn pod_identity(
        &self,
        cluster: &str,
        (namespace, account): (&str, &str),
    ) -> Result<Option<Association>, Refusal> {
        const ACTION: &str = "DescribePodIdentityAssociation";
        let mut ids = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.eks
                .list_pod_identity_associations()
                .cluster_name(cluster)
                .namespace(namespace)
                .service_account(account)
                .set_next_token(token)
                .send()
        };
        self.caller()
            .pages(Service::Eks, "ListPodIdentityAssociations", call, |page| {
                let found = page.associations.unwrap_or_default().into_iter();
                ids.extend(found.filter_map(|one| one.association_id));
                page.next_token
            })
            .await?;
        let Some(id) = ids.into_iter().next() else {
            return Ok(None);
        };
        let answer = self
            .caller()
            .read(Service::Eks, ACTION, |aws| {
                aws.eks
                    .describe_pod_identity_association()
                    .cluster_name(cluster)
                    .association_id(&id)
                    .send()
            })
            .await;
        match answer {
            Ok(answer) => {
                let found = answer.association.ok_or_else(|| unanswered(ACTION))?;
                Ok(Some(Association {
                    id,
                    role_arn: found.role_arn.unwrap_or_default(),
                }))
            }
            // It went between the two looks.
            Err(refusal) if refusal.class == Class::NotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Asks for an association.
    pub async fn create_pod_identity(
        &self,
        cluster: &str,
        new: NewAssociation,
    ) -> Result<(), Refusal> {
        self.caller()
            .mutate(Service::Eks, "CreatePodIdentityAssociation", |aws| {
                aws.eks
                    .create_pod_identity_association()
                    .cluster_name(cluster)
                    .namespace(new.namespace)
                    .service_account(new.service_account)
                    .role_arn(new.role_arn)
                    .set_target_role_arn(new.target_role_arn)
                    .set_disable_session_tags(new.disable_session_tags)
                    .set_policy(new.policy)
                    .set_tags(tags(new.tags))
                    .client_request_token(new.client_request_token)
                    .send()
            })
            .await
            .map(drop)
    }
}
