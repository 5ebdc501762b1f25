//! EKS's operations on add-ons.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::access::authorize;
use super::addon::{Addon, Stage, Update, check_configuration};
use super::addon_roles::{AskedNamespace, AskedRole};
use super::arn;
use super::caller::Caller;
use super::catalog;
use super::clock::{fresh_id, wall};
use super::cluster_update::no_update;
use super::eks::{cluster_arn, page};
use super::error::AwsError;
use super::page::PageRequest;
use super::tags;
use super::world::{Arrival, World};

/// How long the changes take at AWS.
const CREATION: Duration = Duration::from_secs(40);
const UPDATE: Duration = Duration::from_secs(30);
const DELETION: Duration = Duration::from_secs(20);

const ID_UNKNOWN: &str = "00000000-0000-0000-0000-000000000000";

/// The body of `CreateAddon` and `UpdateAddon`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddonRequest {
    pub addon_name: Option<String>,
    addon_version: Option<String>,
    service_account_role_arn: Option<String>,
    resolve_conflicts: Option<String>,
    client_request_token: Option<String>,
    configuration_values: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pod_identity_associations: Vec<AskedRole>,
    #[serde(default)]
    namespace_config: AskedNamespace,
}

impl AddonRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, AwsError> {
        serde_json::from_slice(body).map_err(|error| {
            let why = format!("The body is malformed: {error}");
            AwsError::new(400, "SerializationException", why)
        })
    }

    /// Changes an add-on as it is asked for; what `DescribeUpdate` says of it. Only what changes the
    /// template of its pods makes them anew.
    fn apply(self, addon: &mut Addon, now: Duration) -> Vec<Value> {
        let mut params = Vec::new();
        if let Some(version) = self.addon_version {
            params.push(json!({"type": "AddonVersion", "value": version}));
            if addon.version != version {
                addon.roll_out(now);
            }
            addon.version = version;
        }
        if let Some(text) = self.configuration_values {
            params.push(json!({"type": "ConfigurationValues", "value": text}));
            let new = Some(text).filter(|text| !text.is_empty());
            if addon.configuration != new {
                addon.roll_out(now);
            }
            addon.configuration = new;
        }
        if let Some(role) = self.service_account_role_arn {
            params.push(json!({"type": "ServiceAccountRoleArn", "value": role}));
            addon.role_arn = Some(role);
        }
        if let Some(how) = self.resolve_conflicts {
            params.push(json!({"type": "ResolveConflicts", "value": how}));
        }
        params
    }

    fn check(&self, name: &str) -> Result<(), AwsError> {
        let known = ["OVERWRITE", "NONE", "PRESERVE"];
        let conflicts = self.resolve_conflicts.as_deref();
        if conflicts.is_some_and(|how| !known.contains(&how)) {
            let why = "resolveConflicts must be OVERWRITE, NONE or PRESERVE";
            return Err(AwsError::invalid_parameter(why));
        }
        if let Some(text) = self
            .configuration_values
            .as_deref()
            .filter(|text| !text.is_empty())
        {
            check_configuration(name, text).map_err(AwsError::invalid_parameter)?;
        }
        tags::check(
            &BTreeMap::new(),
            self.tags.as_ref().unwrap_or(&BTreeMap::new()),
        )
        .map_err(AwsError::invalid_parameter)
    }
}

/// The version of an add-on that is asked for, or EKS's default, in a region and for a minor version of
/// Kubernetes.
pub(super) fn version_of(
    (region, minor): (&str, u32),
    name: &str,
    asked: Option<&str>,
) -> Result<String, String> {
    let offer = catalog::offer(region, name)
        .ok_or_else(|| format!("Addon {name} specified is not supported"))?;
    let version = match asked {
        Some(asked) => Some(asked).filter(|asked| offer.has(asked, minor)),
        None => offer.default_version(minor),
    };
    version
        .map(str::to_owned)
        .ok_or_else(|| "Addon version specified is not supported".to_owned())
}

impl World {
    /// `CreateAddon`.
    pub(super) fn create_addon(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let request = AddonRequest::parse(body)?;
        authorize(caller, "eks:CreateAddon", &cluster_arn(caller, cluster))?;
        let name = request.addon_name.clone().unwrap_or_default();
        // Which add-ons there are does not depend on the cluster's version.
        if catalog::offer(&caller.region, &name).is_none() {
            let why = format!("Addon {name} specified is not supported");
            return Err(AwsError::invalid_parameter(why));
        }
        request.check(&name)?;
        if let Some(role) = &request.service_account_role_arn {
            authorize(caller, "iam:PassRole", role)?;
            self.check_service_account_role(role)?;
        }
        self.check_addon_roles(caller, &name, &request.pod_identity_associations)?;
        let (now, clock) = (self.clock.now(), self.clock.clone());
        let there = self.settled(caller, cluster)?;
        if !matches!(there.status.as_str(), "ACTIVE" | "UPDATING") {
            return Err(AwsError::invalid_request(format!(
                "Addons cannot be created when cluster is in {} state",
                there.status
            )));
        }
        let place = (caller.region.as_str(), there.minor_version());
        let version = version_of(place, &name, request.addon_version.as_deref())
            .map_err(AwsError::invalid_parameter)?;
        let cluster_arn = there.arn.clone();
        let addons = &mut there.details().addons;
        let token = request.client_request_token;
        let made = addons.get(&name).map(|addon| addon.token.clone());
        if made
            .as_ref()
            .is_some_and(|made| made.is_none() || *made != token)
        {
            return Err(AwsError::in_use("Addon already exists."));
        }
        if made.is_none() {
            let arn = arn::addon(&cluster_arn, &name, &fresh_id().to_string());
            let mut addon = Addon::settled(arn, &name);
            addon.version = version;
            addon.role_arn = request.service_account_role_arn;
            addon.configuration = request.configuration_values.filter(|text| !text.is_empty());
            addon.tags = request.tags.unwrap_or_default();
            addon.begin(now, clock.scale(CREATION), &clock);
            addon.token = token;
            let own = request.namespace_config.namespace;
            addon.namespace.clone_from(&own);
            let owner = addon.arn.clone();
            let roles = request.pod_identity_associations;
            let namespace = own.unwrap_or_else(|| "kube-system".to_owned());
            let made = (namespace.as_str(), roles.as_slice());
            addon.identities = self.associate_addon_roles(caller, (cluster, &owner), made)?;
            let addons = &mut self.settled(caller, cluster)?.details().addons;
            addons.insert(name.clone(), addon);
            self.recorder.changed(arrival.seq);
        }
        self.answer_addon(caller, cluster, &name, None)
    }

    /// The role of an add-on's service account has to be there.
    fn check_service_account_role(&self, role: &str) -> Result<(), AwsError> {
        if self.role(role).is_some() {
            return Ok(());
        }
        let name = role.rsplit('/').next().unwrap_or(role);
        let why = format!("The role with name {name} cannot be found.");
        Err(AwsError::invalid_parameter(why))
    }

    /// `DescribeAddon`.
    pub(super) fn describe_addon(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        name: &str,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let resource = self.addon_arn(caller, cluster, name);
        authorize(caller, "eks:DescribeAddon", &resource)?;
        self.answer_addon(caller, cluster, name, arrival.fault.set_status.as_deref())
    }

    /// `ListAddons`.
    pub(super) fn list_addons(
        &mut self,
        caller: &Caller,
        cluster: &str,
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        authorize(caller, "eks:ListAddons", &cluster_arn(caller, cluster))?;
        let request = PageRequest::parse(query)?;
        let cluster = self.settled(caller, cluster)?;
        let scope = format!("{}/addons", cluster.arn);
        let names = cluster.details().addons.keys().map(String::as_str);
        let (names, next) = request.cut(&scope, names)?;
        Ok(page("addons", &names, next))
    }

    /// `UpdateAddon`.
    pub(super) fn update_addon(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        name: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let request = AddonRequest::parse(body)?;
        let resource = self.addon_arn(caller, cluster, name);
        authorize(caller, "eks:UpdateAddon", &resource)?;
        request.check(name)?;
        let now = self.clock.now();
        let until = now + self.clock.scale(UPDATE);
        if let Some(role) = &request.service_account_role_arn {
            self.check_service_account_role(role)?;
        }
        let settled = self.settled(caller, cluster)?;
        if let Some(asked) = request.addon_version.as_deref() {
            let place = (caller.region.as_str(), settled.minor_version());
            version_of(place, name, Some(asked)).map_err(AwsError::invalid_parameter)?;
        }
        settled.details();
        let can_run = |addon: &Addon| settled.can_run(name, addon);
        let status = settled
            .addons()
            .and_then(|addons| addons.get(name))
            .map(|addon| addon.status(can_run(addon)));
        let details = settled.details();
        let addon = details
            .addons
            .get_mut(name)
            .ok_or_else(|| no_addon(name, cluster))?;
        if let Some(status) = status.filter(|_| addon.stage != Stage::Settled) {
            return Err(AwsError::in_use(format!(
                "Addon {name} cannot be updated as it is currently in {status} state"
            )));
        }
        let params = request.apply(addon, now);
        let update = Update {
            id: fresh_id().to_string(),
            created_at: wall(),
            until,
            params: Value::Array(params),
        };
        let view = update.view(now);
        addon.stage = Stage::Updating(until);
        addon.modified_at = wall();
        addon.updates.push(update);
        self.recorder.changed(arrival.seq);
        Ok(json!({ "update": view }))
    }

    /// `DescribeUpdate`, of add-ons.
    pub(super) fn describe_update(
        &mut self,
        caller: &Caller,
        cluster: &str,
        id: &str,
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        let addon = query.iter().find(|(key, _)| key == "addonName");
        let Some((_, name)) = addon else {
            return self.describe_config_update(caller, cluster, id);
        };
        let resource = self.addon_arn(caller, cluster, name);
        authorize(caller, "eks:DescribeUpdate", &resource)?;
        let now = self.clock.now();
        let settled = self.settled(caller, cluster)?;
        let addon = settled.addons().and_then(|addons| addons.get(name));
        let update = addon.and_then(|addon| addon.updates.iter().find(|update| update.id == id));
        let update = update.ok_or_else(|| no_update(id))?;
        Ok(json!({ "update": update.view(now) }))
    }

    /// `DeleteAddon`.
    pub(super) fn delete_addon(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        name: &str,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let resource = self.addon_arn(caller, cluster, name);
        authorize(caller, "eks:DeleteAddon", &resource)?;
        let until = self.clock.now() + self.clock.scale(DELETION);
        let addons = &mut self.settled(caller, cluster)?.details().addons;
        let addon = addons
            .get_mut(name)
            .ok_or_else(|| no_addon(name, cluster))?;
        if !matches!(addon.stage, Stage::Deleting(_)) {
            addon.stage = Stage::Deleting(until);
            self.recorder.changed(arrival.seq);
        }
        self.answer_addon(caller, cluster, name, None)
    }

    fn answer_addon(
        &mut self,
        caller: &Caller,
        cluster: &str,
        name: &str,
        set_status: Option<&str>,
    ) -> Result<Value, AwsError> {
        let settled = self.settled(caller, cluster)?;
        settled.details();
        let addon = settled.addons().and_then(|addons| addons.get(name));
        let addon = addon.ok_or_else(|| no_addon(name, cluster))?;
        let mut view = addon.view(cluster, name, settled.can_run(name, addon));
        if let Some(status) = set_status {
            view["status"] = Value::from(status);
        }
        Ok(json!({ "addon": view }))
    }

    /// The ARN by which policies know an add-on, also one that doesn't exist.
    fn addon_arn(&mut self, caller: &Caller, cluster: &str, name: &str) -> String {
        let known = self.settled(caller, cluster).ok().and_then(|cluster| {
            cluster.details();
            Some(cluster.addons()?.get(name)?.arn.clone())
        });
        known.unwrap_or_else(|| arn::addon(&cluster_arn(caller, cluster), name, ID_UNKNOWN))
    }
}

fn no_addon(name: &str, cluster: &str) -> AwsError {
    let why = format!("No addon: {name} found in cluster: {cluster}");
    AwsError::new(404, "ResourceNotFoundException", why)
}

#[cfg(test)]
#[path = "addons_tests.rs"]
mod tests;
