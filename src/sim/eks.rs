//! EKS's operations: what each does to the world, and what it answers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::access::authorize;
use super::access_entry::list_access_policies;
use super::accounts::Accounts;
use super::action::{Action, Target};
use super::addon_roles::describe_addon_configuration;
use super::arn::{self, Arn};
use super::caller::Caller;
use super::cluster::Cluster;
use super::error::AwsError;
use super::faults::Fault;
use super::lookups::{describe_addon_versions, describe_cluster_versions};
use super::model;
use super::page::{PageRequest, with_next};
use super::tags;
use super::wire::Inbound;
use super::world::{Arrival, World};

#[derive(Deserialize)]
struct TagRequest {
    tags: Option<BTreeMap<String, String>>,
}

impl World {
    /// Serves one call of a caller whose credentials are good.
    pub(super) fn eks(
        &mut self,
        inbound: &Inbound,
        arrival: &Arrival,
        target: &Target,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        self.throttle(caller, "eks", target.action.is_mutation())?;
        model::check_rest(inbound)?;
        let cluster = target.cluster.as_deref().unwrap_or_default();
        let profile = target.profile.as_deref().unwrap_or_default();
        let set_status = arrival.fault.set_status.as_deref();
        let resource = target.resource.as_deref().unwrap_or_default();
        match target.action {
            Action::ListClusters => self.list_clusters(caller, &inbound.query),
            Action::DescribeCluster => self.describe_cluster(caller, cluster, set_status),
            Action::ListFargateProfiles => self.list_profiles(caller, cluster, &inbound.query),
            Action::DescribeFargateProfile => {
                self.describe_profile(caller, cluster, profile, &arrival.fault)
            }
            Action::CreateFargateProfile => self.create_profile(arrival, cluster, &inbound.body),
            Action::DeleteFargateProfile => self.delete_profile(arrival, cluster, profile),
            Action::TagResource | Action::UntagResource | Action::ListTagsForResource => {
                self.tagging(caller, target, inbound)
            }
            Action::DeleteCluster => self.delete_cluster(arrival, cluster),
            Action::UpdateClusterConfig => {
                self.update_cluster_config(arrival, cluster, &inbound.body)
            }
            Action::CreateAddon => self.create_addon(arrival, cluster, &inbound.body),
            Action::DescribeAddon => self.describe_addon(arrival, cluster, resource),
            Action::UpdateAddon => self.update_addon(arrival, cluster, resource, &inbound.body),
            Action::ListAddons => self.list_addons(caller, cluster, &inbound.query),
            Action::DeleteAddon => self.delete_addon(arrival, cluster, resource),
            Action::DescribeAddonVersions => describe_addon_versions(caller, &inbound.query),
            Action::DescribeClusterVersions => describe_cluster_versions(caller, &inbound.query),
            Action::DescribeAddonConfiguration => {
                describe_addon_configuration(caller, &inbound.query)
            }
            Action::DescribeUpdate => {
                if let Some(update) = self.provider_update(caller, cluster, resource)? {
                    return Ok(update);
                }
                self.describe_update(caller, cluster, resource, &inbound.query)
            }
            Action::ListUpdates => self.list_updates(caller, cluster, &inbound.query),
            Action::ListAccessPolicies => list_access_policies(caller, &inbound.query),
            Action::ListNodegroups => self.list_nodegroups(caller, cluster, &inbound.query),
            Action::DescribeNodegroup => self.describe_nodegroup(arrival, cluster, resource),
            Action::DeleteNodegroup => self.delete_nodegroup(arrival, cluster, resource),
            Action::ListCapabilities => self.list_capabilities(caller, cluster, &inbound.query),
            Action::DescribeCapability => self.describe_capability(caller, cluster, resource),
            Action::DeleteCapability => self.delete_capability(arrival, cluster, resource),
            _ => self.access_call(inbound, arrival, target),
        }
    }

    /// The calls about access entries.
    fn access_call(
        &mut self,
        inbound: &Inbound,
        arrival: &Arrival,
        target: &Target,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let cluster = target.cluster.as_deref().unwrap_or_default();
        let resource = target.resource.as_deref().unwrap_or_default();
        match target.action {
            Action::CreateAccessEntry => self.create_access_entry(arrival, cluster, &inbound.body),
            Action::DescribeAccessEntry => self.describe_access_entry(caller, cluster, resource),
            Action::ListAccessEntries => self.list_access_entries(caller, cluster, &inbound.query),
            Action::UpdateAccessEntry => {
                self.update_access_entry(arrival, cluster, resource, &inbound.body)
            }
            Action::DeleteAccessEntry => self.delete_access_entry(arrival, cluster, resource),
            Action::AssociateAccessPolicy => {
                self.associate_access_policy(arrival, cluster, resource, &inbound.body)
            }
            Action::DisassociateAccessPolicy => {
                let policy = target.policy.as_deref().unwrap_or_default();
                self.disassociate_access_policy(arrival, cluster, (resource, policy))
            }
            Action::ListAssociatedAccessPolicies => {
                let place = (cluster, resource);
                self.list_associated_access_policies(caller, place, &inbound.query)
            }
            _ => self.identity_call(inbound, arrival, target),
        }
    }

    /// Serves a call about roles of pods, or about who else is known in a cluster.
    fn identity_call(
        &mut self,
        inbound: &Inbound,
        arrival: &Arrival,
        target: &Target,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let cluster = target.cluster.as_deref().unwrap_or_default();
        let resource = target.resource.as_deref().unwrap_or_default();
        let (body, query) = (&inbound.body, &inbound.query);
        match target.action {
            Action::CreatePodIdentityAssociation => {
                self.create_pod_identity(arrival, cluster, body)
            }
            Action::DescribePodIdentityAssociation => {
                self.describe_pod_identity(caller, cluster, resource)
            }
            Action::ListPodIdentityAssociations => self.list_pod_identities(caller, cluster, query),
            Action::UpdatePodIdentityAssociation => {
                self.update_pod_identity(arrival, (cluster, resource), body)
            }
            Action::DeletePodIdentityAssociation => {
                self.delete_pod_identity(arrival, (cluster, resource))
            }
            Action::AssociateIdentityProviderConfig => {
                self.associate_provider(arrival, cluster, body)
            }
            Action::DescribeIdentityProviderConfig => self.describe_provider(caller, cluster, body),
            Action::ListIdentityProviderConfigs => self.list_providers_of(caller, cluster, query),
            Action::DisassociateIdentityProviderConfig => {
                self.disassociate_provider(arrival, cluster, body)
            }
            _ => Err(AwsError::new(
                404,
                "UnknownOperationException",
                "This is no operation of EKS",
            )),
        }
    }

    /// The cluster as it is now.
    pub(super) fn settled(
        &mut self,
        caller: &Caller,
        name: &str,
    ) -> Result<&mut Cluster, AwsError> {
        let (now, settle) = (self.clock.now(), self.clock.scale(self.options.settle_time));
        let cluster = self
            .accounts
            .cluster(&caller.account, &caller.region, name)
            .ok_or_else(|| AwsError::no_cluster(name))?;
        cluster.settle(now, settle);
        Ok(cluster)
    }

    fn list_clusters(
        &self,
        caller: &Caller,
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        let Caller {
            account, region, ..
        } = caller;
        authorize(
            caller,
            "eks:ListClusters",
            &arn::cluster(account, region, "*"),
        )?;
        let names = self.accounts.cluster_names(account, region);
        let scope = format!("{account}/{region}");
        let (clusters, next) = PageRequest::parse(query)?.cut(&scope, names)?;
        Ok(page("clusters", &clusters, next))
    }

    fn describe_cluster(
        &mut self,
        caller: &Caller,
        name: &str,
        set_status: Option<&str>,
    ) -> Result<Value, AwsError> {
        authorize(caller, "eks:DescribeCluster", &cluster_arn(caller, name))?;
        let mut view = self.settled(caller, name)?.view();
        if let Some(status) = set_status {
            view["status"] = Value::from(status);
        }
        Ok(json!({ "cluster": view }))
    }

    fn list_profiles(
        &mut self,
        caller: &Caller,
        cluster: &str,
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        authorize(
            caller,
            "eks:ListFargateProfiles",
            &cluster_arn(caller, cluster),
        )?;
        let request = PageRequest::parse(query)?;
        let cluster = self.settled(caller, cluster)?;
        let names = cluster.profiles.keys().map(String::as_str);
        let (names, next) = request.cut(&cluster.arn, names)?;
        Ok(page("fargateProfileNames", &names, next))
    }

    fn describe_profile(
        &mut self,
        caller: &Caller,
        cluster: &str,
        name: &str,
        fault: &Fault,
    ) -> Result<Value, AwsError> {
        let resource = self.profile_arn(caller, cluster, name);
        authorize(caller, "eks:DescribeFargateProfile", &resource)?;
        let cluster = self.settled(caller, cluster)?;
        let profile = cluster
            .profiles
            .get(name)
            .ok_or_else(|| AwsError::no_profile(name))?;
        let mut view = profile.view(&cluster.name, name);
        if let Some(status) = &fault.set_status {
            view.status.clone_from(status);
        }
        if !fault.health.is_empty() {
            view.health.issues.clone_from(&fault.health);
        }
        Ok(json!({ "fargateProfile": view }))
    }

    /// The ARN by which policies know a profile, also one that doesn't exist.
    pub(super) fn profile_arn(&mut self, caller: &Caller, cluster: &str, name: &str) -> String {
        let cluster_arn = cluster_arn(caller, cluster);
        let known = self
            .settled(caller, cluster)
            .ok()
            .and_then(|c| c.profiles.get(name));
        known.map_or_else(
            || arn::profile(&cluster_arn, name, "00000000-0000-0000-0000-000000000000"),
            |profile| profile.arn.clone(),
        )
    }

    fn tagging(
        &mut self,
        caller: &Caller,
        target: &Target,
        inbound: &Inbound,
    ) -> Result<Value, AwsError> {
        let resource = target.resource.as_deref().unwrap_or_default();
        authorize(caller, &format!("eks:{}", target.action.name()), resource)?;
        let (_, name) = tagged_names(resource)?;
        if let Some(cluster) = name {
            // Whatever is gone by now can't be tagged.
            self.settled(caller, cluster)
                .map_err(|_| not_found(resource))?;
        }
        let there = tagged(&mut self.accounts, caller, resource)?;
        match target.action {
            Action::TagResource => {
                let new = new_tags(&inbound.body)?;
                tags::check(there, &new).map_err(bad_request)?;
                there.extend(new);
            }
            Action::UntagResource => {
                let keys: Vec<&str> = inbound
                    .query
                    .iter()
                    .filter(|(key, _)| key == "tagKeys")
                    .map(|(_, value)| value.as_str())
                    .collect();
                if keys.is_empty() || keys.len() > 50 {
                    return Err(bad_request("tagKeys must hold 1 to 50 keys".to_owned()));
                }
                there.retain(|key, _| !keys.contains(&key.as_str()));
            }
            _ => return Ok(json!({ "tags": there })),
        }
        Ok(json!({}))
    }
}

pub(super) fn cluster_arn(caller: &Caller, name: &str) -> String {
    arn::cluster(&caller.account, &caller.region, name)
}

pub(super) fn page(member: &str, items: &[String], next: Option<String>) -> Value {
    with_next(json!({ member: items }), next)
}

fn new_tags(body: &[u8]) -> Result<BTreeMap<String, String>, AwsError> {
    let request: TagRequest =
        serde_json::from_slice(body).map_err(|error| bad_request(format!("Malformed: {error}")))?;
    let tags = request.tags.unwrap_or_default();
    if tags.is_empty() {
        return Err(bad_request("tags must hold at least one tag".to_owned()));
    }
    Ok(tags)
}

/// The ARN taken apart, and the name of the cluster in it.
fn tagged_names(resource: &str) -> Result<(Arn<'_>, Option<&str>), AwsError> {
    let arn = Arn::parse(resource).filter(|arn| arn.service == "eks");
    let arn = arn.ok_or_else(|| bad_request(format!("Invalid resource ARN: {resource}")))?;
    Ok((arn, arn.resource.split('/').nth(1)))
}

/// The tags of the resource with this ARN. Settle its cluster first.
fn tagged<'a>(
    accounts: &'a mut Accounts,
    caller: &Caller,
    resource: &str,
) -> Result<&'a mut BTreeMap<String, String>, AwsError> {
    let (arn, _) = tagged_names(resource)?;
    let parts: Vec<&str> = arn.resource.split('/').collect();
    let (kind, cluster) = match parts.as_slice() {
        [kind @ "cluster", cluster]
        | [kind @ "fargateprofile", cluster, _, _]
        | [kind @ "access-entry", cluster, _, _, _, _]
        | [kind @ "podidentityassociation", cluster, _]
        | [kind @ "identityproviderconfig", cluster, _, _, _] => (*kind, *cluster),
        _ => return Err(bad_request(format!("Invalid resource ARN: {resource}"))),
    };
    let owned = arn.account == caller.account && arn.region == caller.region;
    let cluster = accounts
        .cluster(&caller.account, &caller.region, cluster)
        .filter(|_| owned)
        .ok_or_else(|| not_found(resource))?;
    if kind == "cluster" {
        return Ok(&mut cluster.tags);
    }
    if kind == "access-entry" {
        let tags = cluster.details().access_tags.get_mut(resource);
        return tags.ok_or_else(|| not_found(resource));
    }
    if kind == "podidentityassociation" {
        let mut all = cluster.details().pod_identities.values_mut();
        let tags = all.find(|one| one.arn == resource).map(|one| &mut one.tags);
        return tags.ok_or_else(|| not_found(resource));
    }
    if kind == "identityproviderconfig" {
        let provider = cluster.details().provider.as_mut();
        let tags = provider
            .filter(|one| one.arn == resource)
            .map(|one| &mut one.tags);
        return tags.ok_or_else(|| not_found(resource));
    }
    let profile = cluster
        .profiles
        .values_mut()
        .find(|profile| profile.arn == resource);
    profile
        .map(|profile| &mut profile.tags)
        .ok_or_else(|| not_found(resource))
}

fn bad_request(message: String) -> AwsError {
    AwsError::new(400, "BadRequestException", message)
}

fn not_found(resource: &str) -> AwsError {
    AwsError::new(
        404,
        "NotFoundException",
        format!("No resource found for ARN: {resource}"),
    )
}
