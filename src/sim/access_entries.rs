//! EKS's operations on access entries and their access policies.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::access::authorize;
use super::access_entry::{
    NewEntry, check_names, check_policy, identity, invalid_principal, namespaces,
};
use super::access_policies::Association;
use super::arn::{Arn, partition};
use super::caller::Caller;
use super::clock::{epoch_seconds, wall};
use super::cluster::Cluster;
use super::eks::{cluster_arn, page};
use super::error::AwsError;
use super::page::{PageRequest, with_next};
use super::roles::Trust;
use super::world::{Arrival, World};

const ID_UNKNOWN: &str = "00000000-0000-0000-0000-000000000000";

/// The body of `CreateAccessEntry` and `UpdateAccessEntry`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryRequest {
    principal_arn: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    kubernetes_groups: Option<Vec<String>>,
    username: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

/// The body of `AssociateAccessPolicy`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyRequest {
    policy_arn: Option<String>,
    access_scope: Option<ScopeRequest>,
}

#[derive(Debug, Default, Deserialize)]
struct ScopeRequest {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    namespaces: Vec<String>,
}

impl World {
    /// `CreateAccessEntry`.
    pub(super) fn create_access_entry(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let request: EntryRequest = parsed(body)?;
        authorize(
            caller,
            "eks:CreateAccessEntry",
            &cluster_arn(caller, cluster),
        )?;
        let new = NewEntry {
            principal: request.principal_arn.unwrap_or_default(),
            kind: request.kind.unwrap_or_else(|| "STANDARD".to_owned()),
            groups: request.kubernetes_groups.unwrap_or_default(),
            username: request.username,
            tags: request.tags.unwrap_or_default(),
        };
        if !new.tags.is_empty() {
            let resource = entry_arn(caller, cluster, &new.principal);
            authorize(caller, "eks:TagResource", &resource)?;
        }
        self.with_entries(caller, cluster)?;
        new.check(&caller.account, partition(&caller.region))?;
        self.check_principal(&new.principal)?;
        let there = self.settled(caller, cluster)?;
        there.add_entry(&new).ok_or_else(|| {
            let why = "The specified access entry resource is already in use on this cluster.";
            AwsError::in_use(why)
        })?;
        let entry = view_of(there, &new.principal)?;
        self.recorder.changed(arrival.seq);
        Ok(json!({ "accessEntry": entry }))
    }

    /// A role has to be there, and known to EKS.
    fn check_principal(&self, principal: &str) -> Result<(), AwsError> {
        self.check_principal_exists(principal)?;
        match self.trust(principal, "", "") {
            Trust::Spreading => Err(invalid_principal()),
            _ => Ok(()),
        }
    }

    /// A role has to be there; of accounts that are not simulated nothing is known.
    pub(super) fn check_principal_exists(&self, principal: &str) -> Result<(), AwsError> {
        let arn = Arn::parse(principal).filter(|arn| arn.role().is_some());
        let known = arn.is_some_and(|arn| self.accounts.get(arn.account).is_some());
        if known && self.role(principal).is_none() {
            return Err(invalid_principal());
        }
        Ok(())
    }

    /// `DescribeAccessEntry`.
    pub(super) fn describe_access_entry(
        &mut self,
        caller: &Caller,
        cluster: &str,
        principal: &str,
    ) -> Result<Value, AwsError> {
        let there = self.entry(caller, "DescribeAccessEntry", (cluster, principal))?;
        let entry = view_of(there, principal)?;
        Ok(json!({ "accessEntry": entry }))
    }

    /// `ListAccessEntries`.
    pub(super) fn list_access_entries(
        &mut self,
        caller: &Caller,
        cluster: &str,
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        authorize(
            caller,
            "eks:ListAccessEntries",
            &cluster_arn(caller, cluster),
        )?;
        let request = PageRequest::parse(query)?;
        let policy = query.iter().find(|(key, _)| key == "associatedPolicyArn");
        let there = self.with_entries(caller, cluster)?;
        let scope = format!("{}/access-entries", there.arn);
        let details = there.details();
        let policies = &details.access_policies;
        let has = |principal: &&String| {
            let of_entry = policies.get(*principal).into_iter().flatten();
            policy.is_none_or(|(_, arn)| of_entry.into_iter().any(|one| one.policy_arn == *arn))
        };
        let principals = details.access_entries.keys().filter(has);
        let (principals, next) = request.cut(&scope, principals.map(String::as_str))?;
        Ok(page("accessEntries", &principals, next))
    }

    /// `UpdateAccessEntry`.
    pub(super) fn update_access_entry(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        principal: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let request: EntryRequest = parsed(body)?;
        let there = self.entry(caller, "UpdateAccessEntry", (cluster, principal))?;
        let entries = &mut there.details().access_entries;
        let entry = entries.get_mut(principal).ok_or_else(no_entry)?;
        let kind = entry["type"].as_str().unwrap_or_default();
        if kind != "STANDARD" {
            return Err(AwsError::invalid_request(format!(
                "The username and kubernetesGroups can't be set for an access entry of type {kind}"
            )));
        }
        let groups = request.kubernetes_groups;
        check_names(
            request.username.as_deref(),
            groups.as_deref().unwrap_or_default(),
        )?;
        if let Some(groups) = groups {
            entry["kubernetesGroups"] = json!(groups);
        }
        if let Some(username) = request.username {
            entry["username"] = json!(username);
        }
        entry["modifiedAt"] = json!(epoch_seconds(wall()));
        let entry = view_of(there, principal)?;
        self.recorder.changed(arrival.seq);
        Ok(json!({ "accessEntry": entry }))
    }

    /// `DeleteAccessEntry`.
    pub(super) fn delete_access_entry(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        principal: &str,
    ) -> Result<Value, AwsError> {
        let there = self.entry(&arrival.caller, "DeleteAccessEntry", (cluster, principal))?;
        there.remove_entry(principal).ok_or_else(no_entry)?;
        self.recorder.changed(arrival.seq);
        Ok(json!({}))
    }

    /// `AssociateAccessPolicy`: a second time it changes the scope.
    pub(super) fn associate_access_policy(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        principal: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let request: PolicyRequest = parsed(body)?;
        let there = self.entry(caller, "AssociateAccessPolicy", (cluster, principal))?;
        let details = there.details();
        let entry = details.access_entries.get(principal).ok_or_else(no_entry)?;
        let kind = entry["type"].as_str().unwrap_or_default();
        let arn = request.policy_arn.unwrap_or_default();
        check_policy(&arn, partition(&caller.region), kind)?;
        let scope = request.access_scope.unwrap_or_default();
        let policy = Association {
            policy_arn: arn,
            namespaces: namespaces(&scope.kind, scope.namespaces)?,
            associated_at: wall(),
        };
        let view = policy_view(&policy);
        associate(
            details
                .access_policies
                .entry(principal.to_owned())
                .or_default(),
            policy,
        );
        self.recorder.changed(arrival.seq);
        Ok(json!({
            "clusterName": cluster,
            "principalArn": principal,
            "associatedAccessPolicy": view,
        }))
    }

    /// `DisassociateAccessPolicy`.
    pub(super) fn disassociate_access_policy(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        (principal, policy): (&str, &str),
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let there = self.entry(caller, "DisassociateAccessPolicy", (cluster, principal))?;
        let details = there.details();
        details.access_entries.get(principal).ok_or_else(no_entry)?;
        let policies = details.access_policies.get_mut(principal);
        let before = policies.as_ref().map_or(0, |policies| policies.len());
        let after = policies.map_or(0, |policies| {
            policies.retain(|one| one.policy_arn != policy);
            policies.len()
        });
        if before == after {
            let why = "The specified policyArn is not associated with the access entry.";
            return Err(AwsError::new(404, "ResourceNotFoundException", why));
        }
        self.recorder.changed(arrival.seq);
        Ok(json!({}))
    }

    /// `ListAssociatedAccessPolicies`.
    pub(super) fn list_associated_access_policies(
        &mut self,
        caller: &Caller,
        (cluster, principal): (&str, &str),
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        let there = self.entry(caller, "ListAssociatedAccessPolicies", (cluster, principal))?;
        let scope = format!("{}/access-entries/{principal}", there.arn);
        let details = there.details();
        details.access_entries.get(principal).ok_or_else(no_entry)?;
        let policies = details.access_policies.get(principal);
        let policies: BTreeMap<&str, &Association> = policies
            .into_iter()
            .flatten()
            .map(|one| (one.policy_arn.as_str(), one))
            .collect();
        let names = policies.keys().copied();
        let (names, next) = PageRequest::parse(query)?.cut(&scope, names)?;
        let views = names.iter().filter_map(|name| policies.get(name.as_str()));
        let answer = json!({
            "clusterName": cluster,
            "principalArn": principal,
            "associatedAccessPolicies": views.map(|one| policy_view(one)).collect::<Vec<_>>(),
        });
        Ok(with_next(answer, next))
    }

    /// The cluster with its entry, where the caller may do this to it.
    fn entry(
        &mut self,
        caller: &Caller,
        action: &str,
        (cluster, principal): (&str, &str),
    ) -> Result<&mut Cluster, AwsError> {
        let known = self.settled(caller, cluster).ok().and_then(|there| {
            let entry = there.details().access_entries.get(principal)?;
            Some(entry["accessEntryArn"].as_str()?.to_owned())
        });
        let resource = known.unwrap_or_else(|| entry_arn(caller, cluster, principal));
        authorize(caller, &format!("eks:{action}"), &resource)?;
        self.with_entries(caller, cluster)
    }

    /// The cluster, if its authentication mode knows access entries.
    fn with_entries(&mut self, caller: &Caller, cluster: &str) -> Result<&mut Cluster, AwsError> {
        let there = self.settled(caller, cluster)?;
        there.takes_entries()?;
        if matches!(there.status.as_str(), "CREATING" | "DELETING" | "FAILED") {
            let (name, status) = (&there.name, &there.status);
            return Err(AwsError::invalid_request(format!(
                "Cluster '{name}' is not in ACTIVE status; it is {status}"
            )));
        }
        Ok(there)
    }
}

impl Cluster {
    /// Whether its authentication mode knows access entries.
    pub(super) fn takes_entries(&self) -> Result<(), AwsError> {
        if self.view().pointer("/accessConfig/authenticationMode") == Some(&json!("CONFIG_MAP")) {
            return Err(AwsError::invalid_request(
                "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] \
                 to perform this operation.",
            ));
        }
        Ok(())
    }

    /// The ARN of a new entry; none when the principal has one.
    pub(super) fn add_entry(&mut self, new: &NewEntry) -> Option<String> {
        let base = self.arn.replacen(":cluster/", ":access-entry/", 1);
        let id = super::clock::fresh_id();
        let arn = format!("{base}/{}/{id}", identity(&new.principal));
        let view = new.view(&self.name, &arn);
        let details = self.details();
        if details.access_entries.contains_key(&new.principal) {
            return None;
        }
        details.access_entries.insert(new.principal.clone(), view);
        details.access_tags.insert(arn.clone(), new.tags.clone());
        Some(arn)
    }

    /// Adds a policy to an entry.
    pub(super) fn add_policy(&mut self, principal: &str, policy: Association) {
        let policies = &mut self.details().access_policies;
        associate(policies.entry(principal.to_owned()).or_default(), policy);
    }

    /// None when there is no such entry.
    pub(super) fn remove_entry(&mut self, principal: &str) -> Option<()> {
        let details = self.details();
        let entry = details.access_entries.remove(principal)?;
        details.access_policies.remove(principal);
        let arn = entry["accessEntryArn"].as_str().unwrap_or_default();
        details.access_tags.remove(arn);
        Some(())
    }
}

fn associate(policies: &mut Vec<Association>, policy: Association) {
    policies.retain(|one| one.policy_arn != policy.policy_arn);
    policies.push(policy);
}

fn parsed<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, AwsError> {
    serde_json::from_slice(body)
        .map_err(|error| AwsError::invalid_parameter(format!("Malformed: {error}")))
}

/// The ARN by which policies know an entry that doesn't exist.
fn entry_arn(caller: &Caller, cluster: &str, principal: &str) -> String {
    let base = cluster_arn(caller, cluster).replacen(":cluster/", ":access-entry/", 1);
    format!("{base}/{}/{ID_UNKNOWN}", identity(principal))
}

fn view_of(cluster: &mut Cluster, principal: &str) -> Result<Value, AwsError> {
    let details = cluster.details();
    let entry = details.access_entries.get(principal).ok_or_else(no_entry)?;
    let mut view = entry.clone();
    let arn = entry["accessEntryArn"].as_str().unwrap_or_default();
    view["tags"] = json!(details.access_tags.get(arn).cloned().unwrap_or_default());
    Ok(view)
}

fn policy_view(policy: &Association) -> Value {
    let scope = match &policy.namespaces {
        None => json!({"type": "cluster", "namespaces": []}),
        Some(namespaces) => json!({"type": "namespace", "namespaces": namespaces}),
    };
    json!({
        "policyArn": policy.policy_arn,
        "accessScope": scope,
        "associatedAt": epoch_seconds(policy.associated_at),
        "modifiedAt": epoch_seconds(policy.associated_at),
    })
}

fn no_entry() -> AwsError {
    let why = "The specified principalArn could not be found. You can view your available access \
               entries with 'list-access-entries'.";
    AwsError::new(404, "ResourceNotFoundException", why)
}
