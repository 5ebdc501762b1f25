//! Changes of a cluster's configuration under way: `UpdateClusterConfig`, `DescribeUpdate`, `ListUpdates`.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::access::authorize;
use super::caller::Caller;
use super::clock::{epoch_seconds, fresh_id, wall};
use super::cluster::Blocker;
use super::config_change::{ConfigChange, change};
use super::details::Details;
use super::eks::{cluster_arn, page};
use super::error::AwsError;
use super::page::PageRequest;
use super::world::{Arrival, World};

/// How long such a change takes at AWS.
const TAKES: Duration = Duration::from_mins(1);

/// One change.
#[derive(Debug, Clone)]
pub(super) struct ConfigUpdate {
    id: String,
    token: Option<String>,
    change: ConfigChange,
    created_at: DateTime<Utc>,
    /// When it ends; none when it has.
    until: Option<Duration>,
}

impl ConfigUpdate {
    fn view(&self) -> Value {
        let status = if self.until.is_some() {
            "InProgress"
        } else {
            "Successful"
        };
        let params = self.change.params.iter();
        let params: Vec<Value> = params
            .map(|(name, value)| json!({"type": name, "value": value}))
            .collect();
        json!({
            "id": self.id,
            "status": status,
            "type": self.change.kind,
            "params": params,
            "createdAt": epoch_seconds(self.created_at),
            "errors": [],
        })
    }
}

impl Details {
    /// Lets the changes take effect that have ended by now.
    pub(super) fn settle_updates(&mut self, now: Duration) {
        let ended = self.updates.iter_mut();
        let ended = ended.filter(|update| update.until.is_some_and(|until| until <= now));
        for update in ended {
            update.until = None;
            let members = update.change.described.clone();
            self.described.extend(members);
        }
    }
}

impl World {
    /// `UpdateClusterConfig`.
    pub(super) fn update_cluster_config(
        &mut self,
        arrival: &Arrival,
        name: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        authorize(
            caller,
            "eks:UpdateClusterConfig",
            &cluster_arn(caller, name),
        )?;
        let request: Value = serde_json::from_slice(body)
            .map_err(|error| invalid(format!("The body is malformed: {error}")))?;
        let until = self.clock.now() + self.clock.scale(TAKES);
        let cluster = self.settled(caller, name)?;
        let token = request["clientRequestToken"].as_str().map(str::to_owned);
        let updates = &cluster.details().updates;
        let mut known = updates.iter();
        let known = known.find(|update| token.is_some() && update.token == token);
        if let Some(known) = known {
            return Ok(json!({ "update": known.view() }));
        }
        if cluster.status != "ACTIVE" {
            let why = format!("Cluster {name} is not in ACTIVE status");
            return Err(AwsError::invalid_request(why));
        }
        let (view, blocker) = (cluster.view(), cluster.blocker(None));
        let change = change(&view, &request).map_err(invalid)?;
        if change.kind == "VpcConfigUpdate" {
            self.check_cluster_subnets(caller, &view, &change)?;
        }
        if let Some(blocker) = blocker {
            return Err(self.refuse_update(arrival, (name, change.kind), &blocker));
        }
        let id = fresh_id().to_string();
        let update = ConfigUpdate {
            id: id.clone(),
            token,
            change,
            created_at: wall(),
            until: Some(until),
        };
        let view = update.view();
        let cluster = self.settled(caller, name)?;
        cluster.details().updates.push(update);
        cluster.start_update_with(id, until);
        self.recorder.changed(arrival.seq);
        Ok(json!({ "update": view }))
    }

    fn refuse_update(
        &mut self,
        arrival: &Arrival,
        (name, kind): (&str, &str),
        blocker: &Blocker,
    ) -> AwsError {
        if let Some(overlap) = blocker.as_overlap() {
            self.recorder
                .overlap(arrival.seq, "", overlap.record_name());
        }
        let what = match blocker {
            Blocker::Profile { name, status } => {
                format!("Fargate profile {name} in status {status}")
            }
            Blocker::Update { id } | Blocker::Settling { id } => {
                format!("update {id} in progress")
            }
        };
        AwsError::in_use(format!(
            "Cannot {kind} because cluster {name} currently has {what}"
        ))
    }

    /// Other subnets have to be of the cluster's VPC, and in two zones.
    fn check_cluster_subnets(
        &mut self,
        caller: &Caller,
        before: &Value,
        change: &ConfigChange,
    ) -> Result<(), AwsError> {
        let (account, region) = (&caller.account, &caller.region);
        let name = before["name"].as_str().unwrap_or_default();
        let (vpc, _) = self.subnets_of_cluster((account, region), name);
        let network = self.network(account, region);
        let subnets = &change.described["resourcesVpcConfig"]["subnetIds"];
        let mut zones = BTreeSet::new();
        for id in subnets.as_array().into_iter().flatten() {
            let id = id.as_str().unwrap_or_default();
            let subnet = network.subnets.get(id);
            let subnet =
                subnet.ok_or_else(|| invalid(format!("The subnet ID '{id}' does not exist")))?;
            if subnet.vpc != vpc {
                return Err(invalid(format!(
                    "Subnet {id} must belong to the VPC {vpc} of the cluster"
                )));
            }
            zones.insert(subnet.zone.as_str());
        }
        if zones.len() < 2 {
            let why = "Subnets specified must be in at least two different AZs";
            return Err(invalid(why.to_owned()));
        }
        Ok(())
    }

    /// `DescribeUpdate` of the cluster itself.
    pub(super) fn describe_config_update(
        &mut self,
        caller: &Caller,
        cluster: &str,
        id: &str,
    ) -> Result<Value, AwsError> {
        authorize(caller, "eks:DescribeUpdate", &cluster_arn(caller, cluster))?;
        let updates = &self.settled(caller, cluster)?.details().updates;
        let update = updates.iter().find(|update| update.id == id);
        let update = update.ok_or_else(|| no_update(id))?;
        Ok(json!({ "update": update.view() }))
    }

    /// `ListUpdates`, of the cluster itself or of an add-on or a nodegroup of it.
    pub(super) fn list_updates(
        &mut self,
        caller: &Caller,
        cluster: &str,
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        authorize(caller, "eks:ListUpdates", &cluster_arn(caller, cluster))?;
        let request = PageRequest::parse(query)?;
        let one = |name: &str| query.iter().find(|(key, _)| key == name);
        let details = self.settled(caller, cluster)?.details();
        let mut ids: Vec<&str> = match (one("addonName"), one("nodegroupName")) {
            (Some((_, addon)), _) => {
                let addon = details.addons.get(addon);
                let addon = addon.ok_or_else(|| {
                    let why = format!("No addon found in cluster: {cluster}");
                    AwsError::new(404, "ResourceNotFoundException", why)
                })?;
                addon.updates.iter().map(|one| one.id.as_str()).collect()
            }
            (None, Some(_)) => Vec::new(),
            _ => details.updates.iter().map(|one| one.id.as_str()).collect(),
        };
        ids.sort_unstable();
        let scope = format!("{cluster}/updates");
        let (ids, next) = request.cut(&scope, ids.into_iter())?;
        Ok(page("updateIds", &ids, next))
    }
}

/// What is said of an update that there is none of.
pub(super) fn no_update(id: &str) -> AwsError {
    let why = format!("No update found for id: {id}");
    AwsError::new(404, "ResourceNotFoundException", why)
}

fn invalid(why: String) -> AwsError {
    AwsError::invalid_parameter(why)
}
