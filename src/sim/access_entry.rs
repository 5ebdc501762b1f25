//! An access entry as EKS takes it: who it may be of, what goes with which type, and what EKS adds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::authorize;
use super::arn::{Arn, partition};
use super::caller::Caller;
use super::clock::{epoch_seconds, wall};
use super::error::AwsError;
use super::page::{PageRequest, with_next};
use super::tags;

const TYPES: [&str; 7] = [
    "STANDARD",
    "FARGATE_LINUX",
    "EC2_LINUX",
    "EC2_WINDOWS",
    "EC2",
    "HYBRID_LINUX",
    "HYPERPOD_LINUX",
];

/// What neither names nor groups may begin with.
const RESERVED: [&str; 5] = ["system:", "eks:", "aws:", "amazon:", "iam:"];

/// The access policies that there are.
const POLICIES: [&str; 23] = [
    "AmazonEKSACKPolicy",
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSArgoCDClusterPolicy",
    "AmazonEKSArgoCDPolicy",
    "AmazonEKSAutoNodePolicy",
    "AmazonEKSBlockStorageClusterPolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSComputeClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSHybridPolicy",
    "AmazonEKSKROPolicy",
    "AmazonEKSLoadBalancingClusterPolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingClusterPolicy",
    "AmazonEKSNetworkingPolicy",
    "AmazonEKSViewPolicy",
    "AmazonEMRJobPolicy",
    "AmazonSagemakerHyperpodClusterPolicy",
    "AmazonSagemakerHyperpodControllerPolicy",
    "AmazonSagemakerHyperpodSystemNamespacePolicy",
];

/// Those that only service-linked roles get.
const OF_SERVICES: [&str; 2] = [
    "AmazonEKSBlockStorageClusterPolicy",
    "AmazonEKSComputeClusterPolicy",
];

/// An access entry that is asked for.
#[derive(Debug, Default)]
pub(super) struct NewEntry {
    pub principal: String,
    pub kind: String,
    pub groups: Vec<String>,
    pub username: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl NewEntry {
    /// Refuses what EKS refuses in an account.
    pub(super) fn check(&self, account: &str, partition: &str) -> Result<(), AwsError> {
        let kind = self.kind.as_str();
        let owner = principal_account(&self.principal, partition).ok_or_else(invalid_principal)?;
        if !TYPES.contains(&kind) {
            return Err(AwsError::invalid_parameter(format!(
                "The specified type {kind} is invalid: valid values are {}",
                TYPES.join(", ")
            )));
        }
        let standard = kind == "STANDARD";
        if !standard && (owner != account || !self.principal.contains(":role/")) {
            return Err(invalid_principal());
        }
        if !standard && (self.username.is_some() || !self.groups.is_empty()) {
            return Err(AwsError::invalid_parameter(format!(
                "The username and kubernetesGroups can't be set for an access entry of type {kind}"
            )));
        }
        check_names(self.username.as_deref(), &self.groups)?;
        tags::check(&BTreeMap::new(), &self.tags).map_err(AwsError::invalid_parameter)
    }

    /// As EKS answers it; its tags are kept apart.
    pub(super) fn view(&self, cluster: &str, entry_arn: &str) -> Value {
        let kind = self.kind.as_str();
        let groups = match kind {
            "EC2_LINUX" | "EC2" | "HYBRID_LINUX" => json!(["system:nodes"]),
            "EC2_WINDOWS" => json!(["eks:kube-proxy-windows", "system:nodes"]),
            _ => json!(self.groups),
        };
        let username = self.username.clone();
        let username = username.unwrap_or_else(|| default_name(kind, &self.principal));
        json!({
            "clusterName": cluster,
            "principalArn": self.principal,
            "kubernetesGroups": groups,
            "accessEntryArn": entry_arn,
            "createdAt": epoch_seconds(wall()),
            "modifiedAt": epoch_seconds(wall()),
            "username": username,
            "type": kind,
        })
    }
}

pub(super) fn invalid_principal() -> AwsError {
    AwsError::invalid_parameter("The specified principalArn is invalid: invalid principal.")
}

/// What EKS has to say to the names of an entry of type `STANDARD`.
pub(super) fn check_names(username: Option<&str>, groups: &[String]) -> Result<(), AwsError> {
    for group in groups {
        if let Some(prefix) = RESERVED.iter().find(|prefix| group.starts_with(**prefix)) {
            return Err(AwsError::invalid_parameter(format!(
                "The kubernetes group name {group} is invalid, it cannot start with {prefix}"
            )));
        }
    }
    let Some(name) = username else { return Ok(()) };
    if let Some(prefix) = RESERVED.iter().find(|prefix| name.starts_with(**prefix)) {
        return Err(AwsError::invalid_parameter(format!(
            "The username {name} is invalid, it cannot start with {prefix}"
        )));
    }
    let before = name.split_once("{{SessionName").map(|(before, _)| before);
    if before.is_some_and(|before| !before.contains(':')) {
        return Err(AwsError::invalid_parameter(format!(
            "The username {name} is invalid: a colon must come before {{{{SessionName}}}}"
        )));
    }
    Ok(())
}

/// `ListAccessPolicies`.
pub(super) fn list_access_policies(
    caller: &Caller,
    query: &[(String, String)],
) -> Result<Value, AwsError> {
    authorize(caller, "eks:ListAccessPolicies", "*")?;
    let request = PageRequest::parse(query)?;
    let (names, next) = request.cut("access-policies", POLICIES.into_iter())?;
    let partition = partition(&caller.region);
    let shown = names.iter().map(|name| {
        json!({
            "name": name,
            "arn": format!("arn:{partition}:eks::aws:cluster-access-policy/{name}"),
        })
    });
    let answer = json!({ "accessPolicies": shown.collect::<Vec<_>>() });
    Ok(with_next(answer, next))
}

/// Refuses an access policy that there is none of, or that an entry of this type can't have.
pub(super) fn check_policy(arn: &str, partition: &str, kind: &str) -> Result<(), AwsError> {
    let prefix = format!("arn:{partition}:eks::aws:cluster-access-policy/");
    let name = arn
        .strip_prefix(&prefix)
        .filter(|name| POLICIES.contains(name));
    let name = name.ok_or_else(|| {
        let why = "The specified policyArn could not be found.";
        AwsError::new(404, "ResourceNotFoundException", why)
    })?;
    if OF_SERVICES.contains(&name) {
        return Err(AwsError::invalid_parameter(
            "The specified policyArn can only be associated with service-linked roles",
        ));
    }
    if !matches!(kind, "STANDARD" | "EC2") {
        return Err(AwsError::invalid_request(format!(
            "Access policies can't be associated with an access entry of type {kind}"
        )));
    }
    Ok(())
}

/// The patterns of the namespaces of a scope; none for the whole cluster.
pub(super) fn namespaces(
    kind: &str,
    namespaces: Vec<String>,
) -> Result<Option<Vec<String>>, AwsError> {
    let why = match kind {
        "cluster" if namespaces.is_empty() => return Ok(None),
        "namespace" if !namespaces.is_empty() => return Ok(Some(namespaces)),
        "cluster" => "The namespaces can't be set when the type of accessScope is cluster",
        "namespace" => "The namespaces must be set when the type of accessScope is namespace",
        _ => "The type of accessScope is invalid: valid values are cluster, namespace",
    };
    Err(AwsError::invalid_parameter(why))
}

/// Part of an entry's ARN: `role/111111111111/name`.
pub(super) fn identity(principal: &str) -> String {
    let (account, resource) = principal
        .split_once(":iam::")
        .and_then(|(_, rest)| rest.split_once(':'))
        .unwrap_or_default();
    let (kind, path) = resource.split_once('/').unwrap_or((resource, resource));
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("{kind}/{account}/{name}")
}

/// The account of an IAM principal that may have an entry.
fn principal_account<'a>(principal: &'a str, partition: &str) -> Option<&'a str> {
    let arn = Arn::parse(principal)?;
    let of_iam = arn.service == "iam" && arn.region.is_empty() && arn.partition == partition;
    let account = arn.account.len() == 12 && arn.account.bytes().all(|b| b.is_ascii_digit());
    let named = match arn.resource.split_once('/') {
        None => arn.resource == "root",
        Some(("role" | "user", path)) => !path.is_empty() && !path.ends_with('/'),
        Some(_) => false,
    };
    let linked = arn.resource.starts_with("role/aws-service-role/");
    (of_iam && account && named && !linked).then_some(arn.account)
}

/// The name that EKS gives.
fn default_name(kind: &str, principal: &str) -> String {
    let name = principal.rsplit('/').next().unwrap_or(principal);
    match kind {
        "STANDARD" if principal.contains(":role/") => {
            let account = Arn::parse(principal).map_or("", |arn| arn.account);
            let partition = Arn::parse(principal).map_or("aws", |arn| arn.partition);
            format!("arn:{partition}:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}")
        }
        "STANDARD" => principal.to_owned(),
        "FARGATE_LINUX" | "HYBRID_LINUX" | "HYPERPOD_LINUX" => {
            "system:node:{{SessionName}}".to_owned()
        }
        _ => "system:node:{{EC2PrivateDNSName}}".to_owned(),
    }
}
