//! EKS's operations on pod identity associations: which Kubernetes `ServiceAccounts` act under which roles.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::access::authorize;
use super::caller::Caller;
use super::clock::{epoch_seconds, fresh_id, wall};
use super::cluster::Cluster;
use super::eks::cluster_arn;
use super::error::AwsError;
use super::page::{PageRequest, with_next};
use super::roles::Trust;
use super::tags;
use super::world::{Arrival, World};

/// The service that the roles of such pods must trust.
const PODS: &str = "pods.eks.amazonaws.com";
const ID_UNKNOWN: &str = "a-00000000000000000";

/// One association.
#[derive(Debug, Clone)]
pub(super) struct PodIdentity {
    pub arn: String,
    pub id: String,
    pub namespace: String,
    pub service_account: String,
    pub role_arn: String,
    pub tags: BTreeMap<String, String>,
    /// The add-on that it goes with.
    pub owner: Option<String>,
    target_role_arn: Option<String>,
    external_id: Option<String>,
    disable_session_tags: bool,
    policy: Option<String>,
    created_at: DateTime<Utc>,
    modified_at: DateTime<Utc>,
    token: Option<String>,
}

/// The body of `CreatePodIdentityAssociation` and `UpdatePodIdentityAssociation`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    namespace: Option<String>,
    service_account: Option<String>,
    role_arn: Option<String>,
    client_request_token: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    disable_session_tags: Option<bool>,
    target_role_arn: Option<String>,
    policy: Option<String>,
}

impl Request {
    fn parse(body: &[u8]) -> Result<Self, AwsError> {
        serde_json::from_slice(body)
            .map_err(|error| AwsError::invalid_parameter(format!("Malformed: {error}")))
    }

    /// A policy narrows roles, and tags would widen it.
    fn check(&self) -> Result<(), AwsError> {
        if self.policy.is_some() && self.disable_session_tags != Some(true) {
            return Err(AwsError::invalid_parameter(
                "disableSessionTags must be set to true when a policy is specified",
            ));
        }
        let policy = self.policy.as_deref();
        if policy.is_some_and(|text| serde_json::from_str::<Value>(text).is_err()) {
            return Err(AwsError::invalid_parameter("The policy is not valid JSON"));
        }
        let none = BTreeMap::new();
        tags::check(&none, self.tags.as_ref().unwrap_or(&none)).map_err(AwsError::invalid_parameter)
    }
}

impl PodIdentity {
    fn new(cluster: &str, (namespace, account): (&str, &str), role_arn: String) -> Self {
        let id = format!("a-{}", fresh_id().simple())
            .chars()
            .take(19)
            .collect::<String>();
        let base = cluster.replacen(":cluster/", ":podidentityassociation/", 1);
        Self {
            arn: format!("{base}/{id}"),
            id,
            namespace: namespace.to_owned(),
            service_account: account.to_owned(),
            role_arn,
            tags: BTreeMap::new(),
            owner: None,
            target_role_arn: None,
            external_id: None,
            disable_session_tags: false,
            policy: None,
            created_at: wall(),
            modified_at: wall(),
            token: None,
        }
    }

    fn take(&mut self, cluster_arn: &str, request: Request) {
        if let Some(role) = request.role_arn {
            self.role_arn = role;
        }
        if let Some(target) = request.target_role_arn.filter(|target| !target.is_empty()) {
            let (namespace, account) = (&self.namespace, &self.service_account);
            self.external_id = Some(format!("{cluster_arn}/{namespace}/{account}"));
            self.target_role_arn = Some(target);
        }
        if let Some(without) = request.disable_session_tags {
            self.disable_session_tags = without;
        }
        self.policy = request.policy.or(self.policy.take());
        self.modified_at = wall();
    }

    fn summary(&self, cluster: &str) -> Value {
        let mut view = json!({
            "clusterName": cluster,
            "namespace": self.namespace,
            "serviceAccount": self.service_account,
            "associationArn": self.arn,
            "associationId": self.id,
        });
        if let Some(owner) = &self.owner {
            view["ownerArn"] = json!(owner);
        }
        view
    }

    fn view(&self, cluster: &str) -> Value {
        let mut view = self.summary(cluster);
        view["roleArn"] = json!(self.role_arn);
        view["tags"] = json!(self.tags);
        view["createdAt"] = json!(epoch_seconds(self.created_at));
        view["modifiedAt"] = json!(epoch_seconds(self.modified_at));
        view["disableSessionTags"] = json!(self.disable_session_tags);
        let given = [
            ("targetRoleArn", &self.target_role_arn),
            ("externalId", &self.external_id),
            ("policy", &self.policy),
        ];
        for (key, value) in given {
            if let Some(value) = value {
                view[key] = json!(value);
            }
        }
        view
    }
}

impl Cluster {
    fn identity_of(&mut self, namespace: &str, account: &str) -> Option<&mut PodIdentity> {
        let mut all = self.details().pod_identities.values_mut();
        all.find(|one| one.namespace == namespace && one.service_account == account)
    }

    /// Gives a `ServiceAccount` of an add-on its role; the ARN of the association.
    pub(super) fn associate_addon(
        &mut self,
        owner: &str,
        (namespace, account): (&str, &str),
        role: &str,
    ) -> Result<String, AwsError> {
        if let Some(there) = self.identity_of(namespace, account) {
            return Err(exists(&there.id));
        }
        let mut new = PodIdentity::new(&self.arn, (namespace, account), role.to_owned());
        new.owner = Some(owner.to_owned());
        let arn = new.arn.clone();
        self.details().pod_identities.insert(new.id.clone(), new);
        Ok(arn)
    }

    /// The associations of an add-on end with it.
    pub(super) fn dissociate_addon(&mut self, owner: &str) {
        let all = &mut self.details().pod_identities;
        all.retain(|_, one| one.owner.as_deref() != Some(owner));
    }
}

impl World {
    /// `CreatePodIdentityAssociation`.
    pub(super) fn create_pod_identity(
        &mut self,
        arrival: &Arrival,
        cluster: &str,
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let request = Request::parse(body)?;
        let action = "eks:CreatePodIdentityAssociation";
        authorize(caller, action, &cluster_arn(caller, cluster))?;
        request.check()?;
        let place = (
            request.namespace.clone().unwrap_or_default(),
            request.service_account.clone().unwrap_or_default(),
        );
        let role = request.role_arn.clone().unwrap_or_default();
        self.check_pod_role(caller, &role)?;
        let there = self.settled(caller, cluster)?;
        if !matches!(there.status.as_str(), "ACTIVE" | "UPDATING") {
            let status = &there.status;
            return Err(AwsError::invalid_request(format!(
                "Cluster '{cluster}' is not in ACTIVE status; it is {status}"
            )));
        }
        if let Some(made) = there.identity_of(&place.0, &place.1) {
            let again = made.token.is_some() && made.token == request.client_request_token;
            let answer = json!({ "association": made.view(cluster) });
            return if again {
                Ok(answer)
            } else {
                Err(exists(&made.id))
            };
        }
        let arn = there.arn.clone();
        let mut new = PodIdentity::new(&arn, (&place.0, &place.1), role);
        new.token.clone_from(&request.client_request_token);
        new.tags = request.tags.clone().unwrap_or_default();
        new.take(&arn, request);
        let view = new.view(cluster);
        there.details().pod_identities.insert(new.id.clone(), new);
        self.recorder.changed(arrival.seq);
        Ok(json!({ "association": view }))
    }

    /// `DescribePodIdentityAssociation`.
    pub(super) fn describe_pod_identity(
        &mut self,
        caller: &Caller,
        cluster: &str,
        id: &str,
    ) -> Result<Value, AwsError> {
        let found = self.pod_identity(caller, "DescribePodIdentityAssociation", (cluster, id))?;
        Ok(json!({ "association": found.view(cluster) }))
    }

    /// `ListPodIdentityAssociations`.
    pub(super) fn list_pod_identities(
        &mut self,
        caller: &Caller,
        cluster: &str,
        query: &[(String, String)],
    ) -> Result<Value, AwsError> {
        let action = "eks:ListPodIdentityAssociations";
        authorize(caller, action, &cluster_arn(caller, cluster))?;
        let wanted = |name: &str| {
            query
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value)
        };
        let (namespace, account) = (wanted("namespace"), wanted("serviceAccount"));
        let request = PageRequest::parse(query)?;
        let there = self.settled(caller, cluster)?;
        let scope = format!("{}/pod-identity-associations", there.arn);
        let all = &there.details().pod_identities;
        let chosen = all.values().filter(|one| {
            namespace.is_none_or(|name| *name == one.namespace)
                && account.is_none_or(|name| *name == one.service_account)
        });
        let (ids, next) = request.cut(&scope, chosen.map(|one| one.id.as_str()))?;
        let shown = ids.iter().filter_map(|id| all.get(id));
        let shown: Vec<Value> = shown.map(|one| one.summary(cluster)).collect();
        let answer = json!({ "associations": shown });
        Ok(with_next(answer, next))
    }

    /// `UpdatePodIdentityAssociation`.
    pub(super) fn update_pod_identity(
        &mut self,
        arrival: &Arrival,
        (cluster, id): (&str, &str),
        body: &[u8],
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let request = Request::parse(body)?;
        self.pod_identity(caller, "UpdatePodIdentityAssociation", (cluster, id))?;
        request.check()?;
        if let Some(role) = &request.role_arn {
            self.check_pod_role(caller, role)?;
        }
        let found = self.pod_identity(caller, "UpdatePodIdentityAssociation", (cluster, id))?;
        owned(found)?;
        found.take(&cluster_arn(caller, cluster), request);
        let view = found.view(cluster);
        self.recorder.changed(arrival.seq);
        Ok(json!({ "association": view }))
    }

    /// `DeletePodIdentityAssociation`.
    pub(super) fn delete_pod_identity(
        &mut self,
        arrival: &Arrival,
        (cluster, id): (&str, &str),
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        let found = self.pod_identity(caller, "DeletePodIdentityAssociation", (cluster, id))?;
        owned(found)?;
        let view = found.view(cluster);
        self.settled(caller, cluster)?
            .details()
            .pod_identities
            .remove(id);
        self.recorder.changed(arrival.seq);
        Ok(json!({ "association": view }))
    }

    /// One of a cluster, where the caller may do this to it.
    fn pod_identity(
        &mut self,
        caller: &Caller,
        action: &str,
        (cluster, id): (&str, &str),
    ) -> Result<&mut PodIdentity, AwsError> {
        let known = self.settled(caller, cluster).ok();
        let known =
            known.and_then(|there| Some(there.details().pod_identities.get(id)?.arn.clone()));
        let base =
            cluster_arn(caller, cluster).replacen(":cluster/", ":podidentityassociation/", 1);
        let resource = known.unwrap_or_else(|| format!("{base}/{ID_UNKNOWN}"));
        authorize(caller, &format!("eks:{action}"), &resource)?;
        let found = self
            .settled(caller, cluster)?
            .details()
            .pod_identities
            .get_mut(id);
        found.ok_or_else(|| {
            let why = format!("No pod identity association found with id: {id}");
            AwsError::new(404, "ResourceNotFoundException", why)
        })
    }

    /// Whether a role may be given to pods: of this account, there, and trusting EKS's pods.
    pub(super) fn check_pod_role(&mut self, caller: &Caller, arn: &str) -> Result<(), AwsError> {
        let own = super::arn::Arn::parse(arn).filter(|arn| arn.service == "iam");
        let own = own.filter(|arn| arn.resource.starts_with("role/"));
        if own.is_none_or(|arn| arn.account != caller.account) {
            return Err(AwsError::invalid_parameter(format!(
                "Invalid roleArn: {arn} is no role of account {}",
                caller.account
            )));
        }
        authorize(caller, "iam:GetRole", arn)?;
        authorize(caller, "iam:PassRole", arn)?;
        match self.trust(arn, PODS, "") {
            Trust::Yes => Ok(()),
            Trust::Missing => Err(AwsError::invalid_parameter(format!(
                "Role provided in the request does not exist: {arn}"
            ))),
            Trust::No | Trust::Spreading => Err(AwsError::invalid_parameter(format!(
                "Trust policy of role {arn} is not valid for EKS Pod Identity: it must let {PODS} \
                 sts:AssumeRole and sts:TagSession"
            ))),
        }
    }
}

/// Those of add-ons are the add-ons' affair.
fn owned(identity: &PodIdentity) -> Result<(), AwsError> {
    match &identity.owner {
        None => Ok(()),
        Some(owner) => Err(AwsError::invalid_request(format!(
            "The pod identity association is owned by {owner}: change the add-on"
        ))),
    }
}

fn exists(id: &str) -> AwsError {
    AwsError::in_use(format!("Association already exists: {id}"))
}
