//! Changes of a cluster's configuration: `UpdateClusterConfig`, of which the simulator knows
//! `deletionProtection`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::authorize;
use super::caller::Caller;
use super::clock::{epoch_seconds, fresh_id, wall};
use super::details::Details;
use super::eks::cluster_arn;
use super::error::AwsError;
use super::world::{Arrival, World};

/// How long such a change takes at AWS.
const TAKES: Duration = Duration::from_mins(1);

/// One change.
#[derive(Debug, Clone)]
pub(super) struct ConfigUpdate {
    id: String,
    token: Option<String>,
    protected: bool,
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
        json!({
            "id": self.id,
            "status": status,
            "type": "DeletionProtectionUpdate",
            "params": [{"type": "DeletionProtection", "value": self.protected.to_string()}],
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
        let mut last = None;
        for update in ended {
            update.until = None;
            last = Some(update.protected);
        }
        if let Some(protected) = last {
            self.set_protected(protected);
        }
    }
}

/// The body of `UpdateClusterConfig`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigRequest {
    deletion_protection: Option<bool>,
    client_request_token: Option<String>,
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
        let request: ConfigRequest = serde_json::from_slice(body)
            .map_err(|error| invalid(format!("The simulator does not know this: {error}")))?;
        let Some(protected) = request.deletion_protection else {
            return Err(invalid("No changes were requested".to_owned()));
        };
        let until = self.clock.now() + self.clock.scale(TAKES);
        let cluster = self.settled(caller, name)?;
        let token = request.client_request_token;
        let updates = &cluster.details().updates;
        let mut known = updates.iter();
        let known = known.find(|update| token.is_some() && update.token == token);
        if let Some(known) = known {
            return Ok(json!({ "update": known.view() }));
        }
        if cluster.status != "ACTIVE" {
            let why = format!("Cluster {name} is not in ACTIVE status");
            return Err(AwsError::new(400, "InvalidRequestException", why));
        }
        if let Some(blocker) = cluster.blocker(None) {
            let blocker = blocker.record_name();
            let why =
                format!("Cannot update cluster {name} because it is at another change: {blocker}");
            self.recorder.overlap(arrival.seq, "", blocker);
            return Err(AwsError::in_use(why));
        }
        if cluster.details().is_protected() == protected {
            let why = format!(
                "Cluster is already at the desired configuration with deletionProtection: {protected}"
            );
            return Err(invalid(why));
        }
        let id = fresh_id().to_string();
        let update = ConfigUpdate {
            id: id.clone(),
            token,
            protected,
            created_at: wall(),
            until: Some(until),
        };
        let view = update.view();
        cluster.details().updates.push(update);
        cluster.start_update_with(id, until);
        self.recorder.changed(arrival.seq);
        Ok(json!({ "update": view }))
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
        let update = update.ok_or_else(|| {
            let why = format!("No update found for id: {id}");
            AwsError::new(404, "ResourceNotFoundException", why)
        })?;
        Ok(json!({ "update": update.view() }))
    }
}

fn invalid(why: String) -> AwsError {
    AwsError::new(400, "InvalidParameterException", why)
}
