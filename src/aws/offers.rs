//! What EKS offers: versions of Kubernetes, and of add-ons.

use std::sync::Arc;

use aws_sdk_eks::types::VersionStatus;

use super::caller::Service;
use super::clients::Clients;
use super::clusters::Clusters;
use super::refusal::Refusal;
use crate::domain::cluster::OfferedVersion;
use crate::domain::cluster::addon_access::RecommendedRole;

/// A version of an add-on that fits a Kubernetes version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedAddon {
    /// Such as `v1.20.1-eksbuild.3`.
    pub version: String,
    /// Whether it is what one gets without naming a version.
    pub is_default: bool,
    /// Whether it calls AWS.
    pub requires_iam: bool,
}

impl Clusters {
    /// The versions of Kubernetes that EKS knows, also those that are no longer supported.
    pub async fn kubernetes_versions(&self) -> Result<Vec<OfferedVersion>, Refusal> {
        let mut versions = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.eks
                .describe_cluster_versions()
                .include_all(true)
                .set_next_token(token)
                .send()
        };
        self.caller()
            .pages(Service::Eks, "DescribeClusterVersions", call, |page| {
                let found = page.cluster_versions.unwrap_or_default().into_iter();
                versions.extend(found.filter_map(|found| {
                    Some(OfferedVersion {
                        supported: found.version_status != Some(VersionStatus::Unsupported),
                        version: found.cluster_version?,
                    })
                }));
                page.next_token
            })
            .await?;
        Ok(versions)
    }

    /// The versions of an add-on that fit a Kubernetes version; none when EKS has no such add-on.
    pub async fn addon_versions(
        &self,
        addon: &str,
        kubernetes: &str,
    ) -> Result<Vec<OfferedAddon>, Refusal> {
        let mut versions = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.eks
                .describe_addon_versions()
                .addon_name(addon)
                .kubernetes_version(kubernetes)
                .set_next_token(token)
                .send()
        };
        self.caller()
            .pages(Service::Eks, "DescribeAddonVersions", call, |page| {
                let found = page.addons.unwrap_or_default().into_iter();
                let found = found.filter(|found| found.addon_name.as_deref() == Some(addon));
                let found = found.flat_map(|found| found.addon_versions.unwrap_or_default());
                versions.extend(found.filter_map(|found| {
                    let mut fits = found.compatibilities.unwrap_or_default().into_iter();
                    Some(OfferedAddon {
                        requires_iam: found.requires_iam_permissions,
                        is_default: fits.any(|fit| fit.default_version),
                        version: found.addon_version?,
                    })
                }));
                page.next_token
            })
            .await?;
        Ok(versions)
    }

    /// The roles that the service accounts of an add-on are recommended to have by EKS Pod Identity; none
    /// where the add-on does not know it.
    pub async fn recommended_roles(
        &self,
        addon: &str,
        version: &str,
    ) -> Result<Vec<RecommendedRole>, Refusal> {
        let answer = self
            .caller()
            .read(Service::Eks, "DescribeAddonConfiguration", |aws| {
                aws.eks
                    .describe_addon_configuration()
                    .addon_name(addon)
                    .addon_version(version)
                    .send()
            })
            .await?;
        let found = answer.pod_identity_configuration.unwrap_or_default();
        let roles = found.into_iter().map(|one| RecommendedRole {
            service_account: one.service_account.unwrap_or_default(),
            policy_arns: one.recommended_managed_policies.unwrap_or_default(),
        });
        Ok(roles.collect())
    }
}
