//! EKS clusters, their add-ons and nodegroups, in the domain's types.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_eks::operation::update_cluster_config::builders::UpdateClusterConfigFluentBuilder;
use aws_sdk_eks::types;

use super::caller::{Caller, Service};
use super::clients::Clients;
use super::convert::{time, unanswered};
use super::eks::tags;
use super::refusal::{Class, Refusal};
use crate::domain::{Addon, ClusterView, HealthIssue, Nodegroup};

/// The clusters of a region, seen through one session by one step of a job.
pub struct Clusters {
    caller: Caller,
}

/// An add-on to be made or changed. What is not given stays as it is, or is AWS's default.
#[derive(Debug, Clone)]
pub struct AddonInput {
    /// Such as `coredns`.
    pub name: String,
    /// Such as `v1.11.4-eksbuild.2`.
    pub version: Option<String>,
    /// JSON, as the add-on's schema has it.
    pub configuration_values: Option<String>,
    /// The role of its service account.
    pub service_account_role_arn: Option<String>,
    /// Roles of its service accounts by EKS Pod Identity: name and role. Of a new one only.
    pub pod_identities: Vec<(String, String)>,
    /// Its namespace, in place of its own. Of a new one only.
    pub namespace: Option<String>,
    /// What wins where the add-on's objects have been changed by others.
    pub resolve_conflicts: Option<ResolveConflicts>,
    /// Of a new one only.
    pub tags: BTreeMap<String, String>,
    /// The same token never makes two.
    pub client_request_token: String,
}

/// What wins where an add-on's objects have been changed by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolveConflicts {
    /// The change fails.
    None,
    /// EKS' values.
    Overwrite,
    /// The others' values.
    Preserve,
}

/// A change of a cluster's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterUpdate {
    /// `InProgress`, `Successful`, `Failed` or `Cancelled`; unknown ones pass through.
    pub status: String,
    /// Why it failed, in AWS's words.
    pub errors: Vec<String>,
}

impl Clusters {
    pub(super) const fn new(caller: Caller) -> Self {
        Self { caller }
    }

    pub(super) const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The names of all clusters of the region, over all pages.
    pub async fn cluster_names(&self) -> Result<Vec<String>, Refusal> {
        let mut names = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.eks
                .list_clusters()
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        self.caller
            .pages(Service::Eks, "ListClusters", call, |page| {
                names.extend(page.clusters.unwrap_or_default());
                page.next_token
            })
            .await?;
        Ok(names)
    }

    /// One cluster; none when there is none of that name.
    pub async fn cluster(&self, name: &str) -> Result<Option<ClusterView>, Refusal> {
        const ACTION: &str = "DescribeCluster";
        let answer = self
            .caller
            .read(Service::Eks, ACTION, |aws| {
                aws.eks.describe_cluster().name(name).send()
            })
            .await;
        match answer {
            Ok(answer) => {
                let found = answer.cluster.ok_or_else(|| unanswered(ACTION))?;
                Ok(Some(view(found)))
            }
            Err(refusal) => none_if(refusal, &[Class::ClusterNotFound, Class::NotFound]),
        }
    }

    /// Asks for a cluster to be deleted: the control plane alone.
    pub async fn delete_cluster(&self, name: &str) -> Result<(), Refusal> {
        self.caller
            .mutate(Service::Eks, "DeleteCluster", |aws| {
                aws.eks.delete_cluster().name(name).send()
            })
            .await
            .map(drop)
    }

    /// Asks for a cluster's deletion protection to be turned off; answers the id of that update.
    pub async fn lift_deletion_protection(
        &self,
        name: &str,
        client_request_token: &str,
    ) -> Result<String, Refusal> {
        self.change_config((name, client_request_token), |request| {
            request.deletion_protection(false)
        })
        .await
    }

    /// Asks for a cluster's Kubernetes API to be reached from inside its VPC alone; answers the id of
    /// that update.
    pub async fn close_endpoint(
        &self,
        name: &str,
        client_request_token: &str,
    ) -> Result<String, Refusal> {
        let access = types::VpcConfigRequest::builder()
            .endpoint_public_access(false)
            .endpoint_private_access(true)
            .build();
        self.change_config((name, client_request_token), |request| {
            request.resources_vpc_config(access)
        })
        .await
    }

    async fn change_config(
        &self,
        (name, client_request_token): (&str, &str),
        change: impl FnOnce(UpdateClusterConfigFluentBuilder) -> UpdateClusterConfigFluentBuilder,
    ) -> Result<String, Refusal> {
        const ACTION: &str = "UpdateClusterConfig";
        let answer = self
            .caller
            .mutate(Service::Eks, ACTION, |aws| {
                let request = aws.eks.update_cluster_config().name(name);
                change(request.client_request_token(client_request_token)).send()
            })
            .await?;
        let id = answer.update.and_then(|update| update.id);
        id.ok_or_else(|| unanswered(ACTION))
    }

    /// One update of a cluster.
    pub async fn update(&self, name: &str, id: &str) -> Result<ClusterUpdate, Refusal> {
        const ACTION: &str = "DescribeUpdate";
        let answer = self
            .caller
            .read(Service::Eks, ACTION, |aws| {
                aws.eks.describe_update().name(name).update_id(id).send()
            })
            .await?;
        let update = answer.update.ok_or_else(|| unanswered(ACTION))?;
        let status = update.status.as_ref().map(types::UpdateStatus::as_str);
        let errors = update.errors.unwrap_or_default().into_iter();
        Ok(ClusterUpdate {
            status: status.unwrap_or("UNKNOWN").to_owned(),
            errors: errors.filter_map(|error| error.error_message).collect(),
        })
    }

    /// The names of a cluster's add-ons, over all pages.
    pub async fn addon_names(&self, cluster: &str) -> Result<Vec<String>, Refusal> {
        let mut names = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.eks
                .list_addons()
                .cluster_name(cluster)
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        self.caller
            .pages(Service::Eks, "ListAddons", call, |page| {
                names.extend(page.addons.unwrap_or_default());
                page.next_token
            })
            .await?;
        Ok(names)
    }

    /// One add-on; none when the cluster does not have it.
    pub async fn addon(&self, cluster: &str, name: &str) -> Result<Option<Addon>, Refusal> {
        const ACTION: &str = "DescribeAddon";
        let answer = self
            .caller
            .read(Service::Eks, ACTION, |aws| {
                aws.eks
                    .describe_addon()
                    .cluster_name(cluster)
                    .addon_name(name)
                    .send()
            })
            .await;
        match answer {
            Ok(answer) => {
                let found = answer.addon.ok_or_else(|| unanswered(ACTION))?;
                Ok(Some(addon(found)))
            }
            Err(refusal) => none_if(refusal, &[Class::NotFound]),
        }
    }

    /// Asks for an add-on.
    pub async fn create_addon(&self, cluster: &str, new: AddonInput) -> Result<(), Refusal> {
        const ACTION: &str = "CreateAddon";
        let identities = identities(ACTION, new.pod_identities)?;
        let namespace = new.namespace.map(|namespace| {
            types::AddonNamespaceConfigRequest::builder()
                .namespace(namespace)
                .build()
        });
        self.caller
            .mutate(Service::Eks, ACTION, |aws| {
                aws.eks
                    .create_addon()
                    .cluster_name(cluster)
                    .addon_name(new.name)
                    .set_addon_version(new.version)
                    .set_configuration_values(new.configuration_values)
                    .set_service_account_role_arn(new.service_account_role_arn)
                    .set_pod_identity_associations(identities)
                    .set_namespace_config(namespace)
                    .set_resolve_conflicts(new.resolve_conflicts.map(conflicts))
                    .set_tags(tags(new.tags))
                    .client_request_token(new.client_request_token)
                    .send()
            })
            .await
            .map(drop)
    }

    /// Asks for a change of an add-on.
    pub async fn update_addon(&self, cluster: &str, change: AddonInput) -> Result<(), Refusal> {
        self.caller
            .mutate(Service::Eks, "UpdateAddon", |aws| {
                aws.eks
                    .update_addon()
                    .cluster_name(cluster)
                    .addon_name(change.name)
                    .set_addon_version(change.version)
                    .set_configuration_values(change.configuration_values)
                    .set_service_account_role_arn(change.service_account_role_arn)
                    .set_resolve_conflicts(change.resolve_conflicts.map(conflicts))
                    .client_request_token(change.client_request_token)
                    .send()
            })
            .await
            .map(drop)
    }

    /// The names of a cluster's managed nodegroups, over all pages.
    pub async fn nodegroup_names(&self, cluster: &str) -> Result<Vec<String>, Refusal> {
        let mut names = Vec::new();
        let call = |aws: Arc<Clients>, token| {
            aws.eks
                .list_nodegroups()
                .cluster_name(cluster)
                .max_results(100)
                .set_next_token(token)
                .send()
        };
        self.caller
            .pages(Service::Eks, "ListNodegroups", call, |page| {
                names.extend(page.nodegroups.unwrap_or_default());
                page.next_token
            })
            .await?;
        Ok(names)
    }

    /// One managed nodegroup; none when the cluster does not have it.
    pub async fn nodegroup(&self, cluster: &str, name: &str) -> Result<Option<Nodegroup>, Refusal> {
        const ACTION: &str = "DescribeNodegroup";
        let answer = self
            .caller
            .read(Service::Eks, ACTION, |aws| {
                aws.eks
                    .describe_nodegroup()
                    .cluster_name(cluster)
                    .nodegroup_name(name)
                    .send()
            })
            .await;
        match answer {
            Ok(answer) => {
                let found = answer.nodegroup.ok_or_else(|| unanswered(ACTION))?;
                Ok(Some(nodegroup(found)))
            }
            Err(refusal) => none_if(refusal, &[Class::NotFound]),
        }
    }

    /// Asks for a managed nodegroup to be deleted.
    pub async fn delete_nodegroup(&self, cluster: &str, name: &str) -> Result<(), Refusal> {
        self.caller
            .mutate(Service::Eks, "DeleteNodegroup", |aws| {
                aws.eks
                    .delete_nodegroup()
                    .cluster_name(cluster)
                    .nodegroup_name(name)
                    .send()
            })
            .await
            .map(drop)
    }
}

/// None rather than an empty list, which EKS takes for one.
fn identities(
    action: &'static str,
    pairs: Vec<(String, String)>,
) -> Result<Option<Vec<types::AddonPodIdentityAssociations>>, Refusal> {
    let pairs = pairs.into_iter().map(|(account, role)| {
        types::AddonPodIdentityAssociations::builder()
            .service_account(account)
            .role_arn(role)
            .build()
    });
    let pairs: Result<Vec<_>, _> = pairs.collect();
    let pairs = pairs.map_err(|error| Refusal {
        action,
        class: Class::OurFault,
        code: None,
        message: error.to_string(),
        request_id: None,
    })?;
    Ok((!pairs.is_empty()).then_some(pairs))
}

fn none_if<T>(refusal: Refusal, classes: &[Class]) -> Result<Option<T>, Refusal> {
    if classes.contains(&refusal.class) {
        Ok(None)
    } else {
        Err(refusal)
    }
}

const fn conflicts(conflicts: ResolveConflicts) -> types::ResolveConflicts {
    match conflicts {
        ResolveConflicts::None => types::ResolveConflicts::None,
        ResolveConflicts::Overwrite => types::ResolveConflicts::Overwrite,
        ResolveConflicts::Preserve => types::ResolveConflicts::Preserve,
    }
}

/// Every field of an answer is optional; unknown values pass through.
fn view(cluster: types::Cluster) -> ClusterView {
    let vpc = cluster.resources_vpc_config;
    let (public, private) = vpc.as_ref().map_or((None, None), |vpc| {
        (
            Some(vpc.endpoint_public_access),
            Some(vpc.endpoint_private_access),
        )
    });
    let (vpc_id, subnets, groups, own_group) = vpc.map_or((None, None, None, None), |vpc| {
        (
            vpc.vpc_id,
            vpc.subnet_ids,
            vpc.security_group_ids,
            vpc.cluster_security_group_id,
        )
    });
    let identity = cluster.identity.and_then(|identity| identity.oidc);
    let network = cluster.kubernetes_network_config;
    let mode = cluster
        .access_config
        .and_then(|config| config.authentication_mode);
    let issues = cluster.health.and_then(|health| health.issues);
    ClusterView {
        name: cluster.name.unwrap_or_default(),
        account_id: None,
        region: None,
        arn: cluster.arn,
        status: cluster.status.map(|status| status.as_str().to_owned()),
        version: cluster.version,
        platform_version: cluster.platform_version,
        endpoint: cluster.endpoint,
        certificate_authority: cluster.certificate_authority.and_then(|ca| ca.data),
        oidc_issuer: identity.and_then(|oidc| oidc.issuer),
        role_arn: cluster.role_arn,
        vpc_id,
        subnets: subnets.unwrap_or_default(),
        security_groups: groups.unwrap_or_default(),
        cluster_security_group: own_group,
        service_cidr: network
            .and_then(|network| network.service_ipv4_cidr.or(network.service_ipv6_cidr)),
        authentication_mode: mode.map(|mode| mode.as_str().to_owned()),
        endpoint_public_access: public,
        endpoint_private_access: private,
        deletion_protection: cluster.deletion_protection,
        tags: cluster.tags.unwrap_or_default().into_iter().collect(),
        created_at: cluster.created_at.and_then(time),
        health_issues: health_issues(issues, |issue| {
            let code = issue.code.map(|code| code.as_str().to_owned());
            (code, issue.message, issue.resource_ids)
        }),
    }
}

fn addon(addon: types::Addon) -> Addon {
    let issues = addon.health.and_then(|health| health.issues);
    Addon {
        name: addon.addon_name.unwrap_or_default(),
        status: addon.status.map(|status| status.as_str().to_owned()),
        version: addon.addon_version,
        arn: addon.addon_arn,
        configuration_values: addon.configuration_values,
        service_account_role_arn: addon.service_account_role_arn,
        tags: addon.tags.unwrap_or_default().into_iter().collect(),
        created_at: addon.created_at.and_then(time),
        health_issues: health_issues(issues, |issue| {
            let code = issue.code.map(|code| code.as_str().to_owned());
            (code, issue.message, issue.resource_ids)
        }),
    }
}

fn nodegroup(nodegroup: types::Nodegroup) -> Nodegroup {
    let issues = nodegroup.health.and_then(|health| health.issues);
    let scaling = nodegroup.scaling_config;
    Nodegroup {
        name: nodegroup.nodegroup_name.unwrap_or_default(),
        status: nodegroup.status.map(|status| status.as_str().to_owned()),
        version: nodegroup.version,
        arn: nodegroup.nodegroup_arn,
        instance_types: nodegroup.instance_types.unwrap_or_default(),
        desired_size: scaling.as_ref().and_then(|scaling| scaling.desired_size),
        min_size: scaling.as_ref().and_then(|scaling| scaling.min_size),
        max_size: scaling.as_ref().and_then(|scaling| scaling.max_size),
        node_role: nodegroup.node_role,
        subnets: nodegroup.subnets.unwrap_or_default(),
        labels: nodegroup.labels.unwrap_or_default().into_iter().collect(),
        tags: nodegroup.tags.unwrap_or_default().into_iter().collect(),
        created_at: nodegroup.created_at.and_then(time),
        health_issues: health_issues(issues, |issue| {
            let code = issue.code.map(|code| code.as_str().to_owned());
            (code, issue.message, issue.resource_ids)
        }),
    }
}

/// Of its code, its words and its resources.
type Issue = (Option<String>, Option<String>, Option<Vec<String>>);

fn health_issues<T>(issues: Option<Vec<T>>, parts: impl Fn(T) -> Issue) -> Vec<HealthIssue> {
    let issues = issues.unwrap_or_default().into_iter().map(parts);
    issues
        .map(|(code, message, resource_ids)| HealthIssue {
            code: code.unwrap_or_else(|| "Unknown".to_owned()),
            message: message.unwrap_or_default(),
            resource_ids: resource_ids.unwrap_or_default(),
        })
        .collect()
}
