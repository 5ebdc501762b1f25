//! EKS's operations on identity providers: the OIDC issuer whose tokens a cluster takes. There is one at
//! most.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access::authorize;
use super::caller::Caller;
use super::clock::{epoch_seconds, fresh_id, wall};
use super::details::Details;
use super::eks::cluster_arn;
use super::error::AwsError;
use super::page::{PageRequest, with_next};
use super::tags;
use super::world::{Arrival, World};

/// How long both changes take at AWS.
const TAKES: Duration = Duration::from_mins(15);

/// The provider of a cluster.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    oidc: Oidc,
    pub arn: String,
    pub tags: BTreeMap<String, String>,
    token: Option<String>,
    update: Update,
}

/// What brings it about, or ends it.
#[derive(Debug, Clone)]
struct Update {
    id: String,
    ends: bool,
    created_at: DateTime<Utc>,
    /// None when it is over.
    until: Option<Duration>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Oidc {
    identity_provider_config_name: String,
    issuer_url: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username_claim: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups_claim: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    required_claims: Option<BTreeMap<String, String>>,
}

/// The body of `AssociateIdentityProviderConfig`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Associate {
    oidc: Oidc,
    tags: BTreeMap<String, String>,
    client_request_token: Option<String>,
}

/// The body of the other two that have one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Which {
    identity_provider_config: Named,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    r#type: String,
    name: String,
}

impl Update {
    fn view(&self, oidc: &Oidc) -> Value {
        let (status, kind) = match (self.until, self.ends) {
            (Some(_), false) => ("InProgress", "AssociateIdentityProviderConfig"),
            (None, false) => ("Successful", "AssociateIdentityProviderConfig"),
            (Some(_), true) => ("InProgress", "DisassociateIdentityProviderConfig"),
            (None, true) => ("Successful", "DisassociateIdentityProviderConfig"),
        };
        let name = &oidc.identity_provider_config_name;
        let value = json!([{"type": "oidc", "name": name}]).to_string();
        json!({
            "id": self.id,
            "status": status,
            "type": kind,
            "params": [{"type": "IdentityProviderConfig", "value": value}],
            "createdAt": epoch_seconds(self.created_at),
            "errors": [],
        })
    }
}

impl Provider {
    fn status(&self) -> &'static str {
        match (self.update.until, self.update.ends) {
            (Some(_), false) => "CREATING",
            (_, true) => "DELETING",
            (None, false) => "ACTIVE",
        }
    }
}

impl Details {
    /// Lets a change take effect that has ended by now.
    pub(super) fn settle_provider(&mut self, now: Duration) {
        let Some(provider) = &mut self.provider else {
            return;
        };
        if provider.update.until.is_some_and(|until| until <= now) {
            provider.update.until = None;
            if provider.update.ends {
                self.provider = None;
            }
        }
    }
}

impl World {
    /// `AssociateIdentityProviderConfig`.
    pub(super) fn associate_provider(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let request: Associate = parsed(body)?;
        let action = "eks:AssociateIdentityProviderConfig";
        authorize(caller, action, &cluster_arn(caller, cluster))?;
        tags::check(&BTreeMap::new(), &request.tags).map_err(AwsError::invalid_parameter)?;
        if !request.oidc.issuer_url.starts_with("https://") {
            let why = "Issuer URL must start with https://";
            return Err(AwsError::invalid_parameter(why));
        }
        let until = self.clock.now() + self.clock.scale(TAKES);
        let there = self.settled(caller, cluster)?;
        if there.status != "ACTIVE" {
            let why = format!("Cluster {cluster} is not in ACTIVE status");
            return Err(AwsError::invalid_request(why));
        }
        if let Some(made) = &there.details().provider {
            if made.token.is_some() && made.token == request.client_request_token {
                return Ok(json!({"update": made.update.view(&made.oidc), "tags": made.tags}));
            }
            let name = &made.oidc.identity_provider_config_name;
            return Err(AwsError::invalid_request(format!(
                "Cluster {cluster} has an identity provider config {name} associated already; a cluster has \
                 at most one"
            )));
        }
        if let Some(blocker) = there.blocker(None) {
            let blocker = blocker.record_name();
            self.recorder.overlap(arrival.seq, "", blocker);
            let why = format!("Cluster {cluster} currently has an update in progress");
            return Err(AwsError::in_use(why));
        }
        let base = there
            .arn
            .replacen(":cluster/", ":identityproviderconfig/", 1);
        let name = &request.oidc.identity_provider_config_name;
        let provider = Provider {
            arn: format!("{base}/oidc/{name}/{}", fresh_id()),
            oidc: request.oidc,
            tags: request.tags,
            token: request.client_request_token,
            update: Update {
                id: fresh_id().to_string(),
                ends: false,
                created_at: wall(),
                until: Some(until),
            },
        };
        let view = provider.update.view(&provider.oidc);
        let (id, own) = (provider.update.id.clone(), provider.tags.clone());
        there.details().provider = Some(provider);
        there.start_update_with(id, until);
        self.recorder.changed(arrival.seq);
        Ok(json!({"update": view, "tags": own}))
    }

    /// `DescribeIdentityProviderConfig`.
    pub(super) fn describe_provider(
        &mut self,
        caller: &Caller,
        cluster: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let which: Which = parsed(body)?;
        let found = self.provider(caller, "DescribeIdentityProviderConfig", (cluster, &which))?;
        let mut oidc = json!(found.oidc);
        oidc["identityProviderConfigArn"] = json!(found.arn);
        oidc["clusterName"] = json!(cluster);
        oidc["tags"] = json!(found.tags);
        oidc["status"] = json!(found.status());
        Ok(json!({"identityProviderConfig": {"oidc": oidc}}))
    }

    /// `ListIdentityProviderConfigs`.
    pub(super) fn list_providers_of(
        &mut self,
        caller: &Caller,
        cluster: &str,
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        let action = "eks:ListIdentityProviderConfigs";
        authorize(caller, action, &cluster_arn(caller, cluster))?;
        let request = PageRequest::parse(query)?;
        let there = self.settled(caller, cluster)?;
        let scope = format!("{}/identity-provider-configs", there.arn);
        let provider = there.details().provider.iter();
        let names = provider.map(|one| one.oidc.identity_provider_config_name.as_str());
        let (names, next) = request.cut(&scope, names)?;
        let shown = names
            .iter()
            .map(|name| json!({"type": "oidc", "name": name}));
        let answer = json!({ "identityProviderConfigs": shown.collect::<Vec<_>>() });
        Ok(with_next(answer, next))
    }

    /// `DisassociateIdentityProviderConfig`.
    pub(super) fn disassociate_provider(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let which: Which = parsed(body)?;
        let until = self.clock.now() + self.clock.scale(TAKES);
        let found = self.provider(
            caller,
            "DisassociateIdentityProviderConfig",
            (cluster, &which),
        )?;
        if found.status() != "ACTIVE" {
            let why = format!("The identity provider config is {}", found.status());
            return Err(AwsError::in_use(why));
        }
        let update = Update {
            id: fresh_id().to_string(),
            ends: true,
            created_at: wall(),
            until: Some(until),
        };
        found.update = update.clone();
        let view = update.view(&found.oidc);
        self.settled(caller, cluster)?
            .start_update_with(update.id, until);
        self.recorder.changed(arrival.seq);
        Ok(json!({ "update": view }))
    }

    /// The update of a cluster with this id, if it is one of its provider.
    pub(super) fn provider_update(
        &mut self,
        caller: &Caller,
        cluster: &str,
        id: &str,
    ) -> Result<Option<Value>, AwsError> {
        let provider = &self.settled(caller, cluster)?.details().provider;
        let Some(found) = provider.as_ref().filter(|one| one.update.id == id) else {
            return Ok(None);
        };
        let view = found.update.view(&found.oidc);
        authorize(caller, "eks:DescribeUpdate", &cluster_arn(caller, cluster))?;
        Ok(Some(json!({ "update": view })))
    }

    fn provider(
        &mut self,
        caller: &Caller,
        action: &str,
        (cluster, which): (&str, &Which),
    ) -> Result<&mut Provider, AwsError> {
        let Named { r#type, name } = &which.identity_provider_config;
        let base =
            cluster_arn(caller, cluster).replacen(":cluster/", ":identityproviderconfig/", 1);
        let known = self.settled(caller, cluster).ok();
        let known = known.and_then(|there| Some(there.details().provider.as_ref()?.arn.clone()));
        let resource = known.unwrap_or_else(|| format!("{base}/oidc/{name}/0"));
        authorize(caller, &format!("eks:{action}"), &resource)?;
        let provider = &mut self.settled(caller, cluster)?.details().provider;
        let fits = |one: &&mut Provider| {
            r#type == "oidc" && one.oidc.identity_provider_config_name == *name
        };
        provider.as_mut().filter(fits).ok_or_else(|| {
            let why = format!("No identity provider config found with name: {name}");
            AwsError::new(404, "ResourceNotFoundException", why)
        })
    }
}

fn parsed<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, AwsError> {
    serde_json::from_slice(body)
        .map_err(|error| AwsError::invalid_parameter(format!("Malformed: {error}")))
}
