//! EKS's operations on capabilities, which stacks make: what EKS runs for a cluster, outside of it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::access::authorize;
use super::access_entry::NewEntry;
use super::access_policies::Association;
use super::arn::partition;
use super::caller::Caller;
use super::clock::{epoch_seconds, fresh_id, wall};
use super::cluster::Cluster;
use super::eks::cluster_arn;
use super::error::AwsError;
use super::page::{PageRequest, with_next};
use super::world::{Arrival, World};

/// The service that their roles must trust.
const SERVICE: &str = "capabilities.eks.amazonaws.com";

/// How long a deletion takes that is asked of EKS itself.
const DELETION: Duration = Duration::from_mins(5);

/// The namespace of Argo CD when nothing is said of it.
const NAMESPACE: &str = "argocd";

/// One capability.
#[derive(Debug, Clone)]
pub(super) struct Capability {
    pub arn: String,
    pub kind: String,
    pub role_arn: String,
    pub status: &'static str,
    /// When a deletion that was asked of EKS itself ends.
    pub until: Option<Duration>,
    configuration: Option<Value>,
    tags: BTreeMap<String, String>,
    created_at: DateTime<Utc>,
    modified_at: DateTime<Utc>,
}

/// A capability that is asked for.
pub(super) struct NewCapability {
    pub name: String,
    pub kind: String,
    pub role_arn: String,
    /// `Configuration`, as CloudFormation has it.
    pub configuration: Option<Value>,
    pub tags: BTreeMap<String, String>,
}

impl NewCapability {
    /// The access policies that EKS gives its role, and the namespaces for which.
    fn policies(&self) -> Vec<(&'static str, Option<Vec<String>>)> {
        match self.kind.as_str() {
            "ACK" => vec![("AmazonEKSACKPolicy", None)],
            "KRO" => vec![("AmazonEKSKROPolicy", None)],
            _ => vec![
                ("AmazonEKSArgoCDClusterPolicy", None),
                ("AmazonEKSArgoCDPolicy", Some(vec![self.namespace()])),
            ],
        }
    }

    fn argo_cd(&self) -> Option<&Value> {
        self.configuration.as_ref()?.get("ArgoCd")
    }

    fn namespace(&self) -> String {
        let given = self.argo_cd().and_then(|one| one["Namespace"].as_str());
        given.unwrap_or(NAMESPACE).to_owned()
    }

    /// As EKS answers it.
    fn described(&self, region: &str) -> Option<Value> {
        let asked = self.argo_cd()?;
        let of = |value: &Value, name: &str| value[name].clone();
        let mappings = asked["RbacRoleMappings"].as_array().into_iter().flatten();
        let mappings: Vec<Value> = mappings
            .map(|one| {
                let identities = one["Identities"].as_array().into_iter().flatten();
                let identities: Vec<Value> = identities
                    .map(|one| json!({"id": of(one, "Id"), "type": of(one, "Type")}))
                    .collect();
                json!({"role": of(one, "Role"), "identities": identities})
            })
            .collect();
        let instance = &asked["AwsIdc"];
        let place = instance["IdcRegion"].as_str().unwrap_or(region);
        let mut argo_cd = json!({
            "namespace": self.namespace(),
            "awsIdc": {"idcInstanceArn": of(instance, "IdcInstanceArn"), "idcRegion": place},
            "rbacRoleMappings": mappings,
            "serverUrl": format!("https://{}.eks-capabilities.{region}.amazonaws.com", fresh_id().simple()),
        });
        if let Some(network) = asked.get("NetworkAccess") {
            argo_cd["networkAccess"] = json!({"vpceIds": of(network, "VpceIds")});
        }
        Some(json!({ "argoCd": argo_cd }))
    }
}

impl Capability {
    fn view(&self, cluster: &str, name: &str) -> Value {
        let mut view = json!({
            "capabilityName": name,
            "arn": self.arn,
            "clusterName": cluster,
            "type": self.kind,
            "roleArn": self.role_arn,
            "status": self.status,
            "version": "1.0.0",
            "tags": self.tags,
            "health": {"issues": []},
            "createdAt": epoch_seconds(self.created_at),
            "modifiedAt": epoch_seconds(self.modified_at),
            "deletePropagationPolicy": "RETAIN",
        });
        if let Some(configuration) = &self.configuration {
            view["configuration"] = configuration.clone();
        }
        view
    }

    fn summary(&self, name: &str) -> Value {
        json!({
            "capabilityName": name,
            "arn": self.arn,
            "type": self.kind,
            "status": self.status,
            "version": "1.0.0",
            "createdAt": epoch_seconds(self.created_at),
            "modifiedAt": epoch_seconds(self.modified_at),
        })
    }
}

impl Cluster {
    /// Makes a capability with the access entry of its role; its ARN. The error says why not.
    pub(super) fn add_capability(&mut self, new: &NewCapability) -> Result<String, AwsError> {
        let region = self.region().to_owned();
        let base = self.arn.replacen(":cluster/", ":capability/", 1);
        let kind = new.kind.to_lowercase();
        let arn = format!("{base}/{kind}/{}/{}", new.name, fresh_id());
        let view = self.view();
        if view["accessConfig"]["authenticationMode"] == "CONFIG_MAP" {
            return Err(AwsError::invalid_request(
                "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to \
                 perform this operation.",
            ));
        }
        if new.kind == "ARGOCD" && new.argo_cd().is_none() {
            return Err(AwsError::invalid_parameter(
                "configuration.argoCd is required for capability type ARGOCD",
            ));
        }
        if new.kind != "ARGOCD" && new.argo_cd().is_some() {
            return Err(AwsError::invalid_parameter(format!(
                "configuration.argoCd is not supported for capability type {}",
                new.kind
            )));
        }
        let capabilities = &mut self.details().capabilities;
        if capabilities.contains_key(&new.name) {
            let why = format!("Capability already exists with name: {}", new.name);
            return Err(AwsError::in_use(why));
        }
        if capabilities.values().any(|one| one.kind == new.kind) {
            let why = format!(
                "A capability of type {} already exists in the cluster",
                new.kind
            );
            return Err(AwsError::in_use(why));
        }
        let capability = Capability {
            arn: arn.clone(),
            kind: new.kind.clone(),
            role_arn: new.role_arn.clone(),
            status: "CREATING",
            until: None,
            configuration: new.described(&region),
            tags: new.tags.clone(),
            created_at: wall(),
            modified_at: wall(),
        };
        capabilities.insert(new.name.clone(), capability);
        self.let_in_capability(new, partition(&region));
        Ok(arn)
    }

    /// As `DescribeCapability` answers it.
    pub(super) fn capability(&mut self, name: &str) -> Option<Value> {
        let cluster = self.name.clone();
        let capability = self.details().capabilities.get(name)?;
        Some(capability.view(&cluster, name))
    }

    /// It runs from now on.
    pub(super) fn activate_capability(&mut self, name: &str) {
        if let Some(capability) = self.details().capabilities.get_mut(name) {
            capability.status = "ACTIVE";
        }
    }

    fn let_in_capability(&mut self, new: &NewCapability, partition: &str) {
        // One that is there stays as it is, and gets the policies besides.
        self.add_entry(&NewEntry {
            principal: new.role_arn.clone(),
            kind: "STANDARD".to_owned(),
            ..NewEntry::default()
        });
        for (name, namespaces) in new.policies() {
            let policy = Association {
                policy_arn: format!("arn:{partition}:eks::aws:cluster-access-policy/{name}"),
                namespaces,
                associated_at: wall(),
            };
            self.add_policy(&new.role_arn, policy);
        }
    }
}

impl World {
    /// Whether capabilities can act under a role.
    pub(super) fn is_for_capabilities(&self, role: &str) -> bool {
        self.role(role).is_some_and(|role| role.trusts(SERVICE, ""))
    }

    /// `ListCapabilities`.
    pub(super) fn list_capabilities(
        &mut self,
        caller: &Caller,
        cluster: &str,
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        authorize(
            caller,
            "eks:ListCapabilities",
            &cluster_arn(caller, cluster),
        )?;
        let request = PageRequest::parse(query)?;
        let cluster = self.settled(caller, cluster)?;
        let scope = format!("{}/capabilities", cluster.arn);
        let all = &cluster.details().capabilities;
        let (names, next) = request.cut(&scope, all.keys().map(String::as_str))?;
        let names = names.iter();
        let page: Vec<Value> = names
            .filter_map(|name| Some(all.get(name)?.summary(name)))
            .collect();
        Ok(with_next(json!({ "capabilities": page }), next))
    }

    /// `DescribeCapability`.
    pub(super) fn describe_capability(
        &mut self,
        caller: &Caller,
        cluster: &str,
        name: &str,
    ) -> Result<Value, AwsError> {
        let resource = self.capability_arn(caller, cluster, name);
        authorize(caller, "eks:DescribeCapability", &resource)?;
        let capabilities = &self.settled(caller, cluster)?.details().capabilities;
        let capability = capabilities.get(name).ok_or_else(|| none(name))?;
        Ok(json!({ "capability": capability.view(cluster, name) }))
    }

    /// `DeleteCapability`.
    pub(super) fn delete_capability(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        name: &str,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let resource = self.capability_arn(caller, cluster, name);
        authorize(caller, "eks:DeleteCapability", &resource)?;
        let until = self.clock.now() + self.clock.scale(DELETION);
        let capabilities = &mut self.settled(caller, cluster)?.details().capabilities;
        let capability = capabilities.get_mut(name).ok_or_else(|| none(name))?;
        if capability.status == "CREATING" {
            let why = format!("Cannot delete capability {name} while it is being created");
            return Err(AwsError::in_use(why));
        }
        let begun = capability.until.is_none();
        capability.until.get_or_insert(until);
        capability.status = "DELETING";
        let view = capability.view(cluster, name);
        if begun {
            self.recorder.changed(arrival.seq);
        }
        Ok(json!({ "capability": view }))
    }

    /// The ARN by which policies know a capability, also one that doesn't exist.
    fn capability_arn(&mut self, caller: &Caller, cluster: &str, name: &str) -> String {
        let known = self.settled(caller, cluster).ok().and_then(|cluster| {
            let capability = cluster.details().capabilities.get(name)?;
            Some(capability.arn.clone())
        });
        let arn = cluster_arn(caller, cluster).replacen(":cluster/", ":capability/", 1);
        known.unwrap_or_else(|| format!("{arn}/*/{name}/*"))
    }
}

fn none(name: &str) -> AwsError {
    let why = format!("No capability found with name: {name}");
    AwsError::new(404, "ResourceNotFoundException", why)
}
