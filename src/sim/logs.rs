//! CloudWatch Logs: the log groups of control planes, and how many days each keeps what is logged. Its
//! protocol is JSON, with the action in a header.
//!
//! A log group is there once its cluster logs something, from the first look on, and outlives the cluster.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::access::authorize;
use super::action::Action;
use super::arn::partition;
use super::caller::Caller;
use super::clock::wall;
use super::error::AwsError;
use super::model;
use super::page::PageRequest;
use super::wire::Inbound;
use super::world::{Arrival, World};

pub(super) const SERVICE: &str = "logs";

/// What stands before the action in the header.
const TARGET: &str = "Logs_20140328.";

/// How many days a log group can keep what is logged.
const DAYS: [i64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// Groups of a page when nothing is said of it.
const USUAL_PAGE: usize = 50;

/// By account, region and name.
pub(super) type LogGroups = BTreeMap<(String, String, String), LogGroup>;

#[derive(Debug, Clone)]
pub(super) struct LogGroup {
    created_at: DateTime<Utc>,
    /// In days; none keeps everything.
    pub retention: Option<i64>,
}

/// The action that a header names; an empty one when it names none of ours.
pub(super) fn target(header: &str) -> Option<String> {
    header.strip_prefix(TARGET).map(str::to_owned)
}

/// The cluster whose control plane logs to a group.
pub(super) fn cluster_of(group: &str) -> Option<&str> {
    group.strip_prefix("/aws/eks/")?.strip_suffix("/cluster")
}

fn group_of(cluster: &str) -> String {
    format!("/aws/eks/{cluster}/cluster")
}

/// The log group that a request is about, for the record.
pub(super) fn named_group(inbound: &Inbound) -> Option<String> {
    let members: Value = serde_json::from_slice(&inbound.body).ok()?;
    let name = members["logGroupName"].as_str()?;
    (name.len() <= 512).then(|| name.to_owned())
}

impl World {
    /// Serves one call; null is an empty answer.
    pub(super) fn logs_call(
        &mut self,
        action: &str,
        inbound: &Inbound,
        arrival: &Arrival,
    ) -> Result<Value, AwsError> {
        let caller = &arrival.caller;
        caller.check_scope(SERVICE)?;
        let known = [Action::PutRetentionPolicy, Action::DescribeLogGroups];
        let known = known.into_iter().find(|one| one.name() == action);
        let Some(action) = known else {
            let why = format!("The simulator knows no action {action} of CloudWatch Logs");
            return Err(AwsError::new(400, "UnknownOperationException", why));
        };
        self.throttle(caller, SERVICE, action.is_mutation())?;
        let members = model::check_json(action.name(), &inbound.body)?;
        self.sync_log_groups(&caller.account, &caller.region);
        if action == Action::PutRetentionPolicy {
            self.put_retention_policy(caller, &members)
        } else {
            self.describe_log_groups(caller, &members)
        }
    }

    /// Makes the groups of the clusters that log by now.
    fn sync_log_groups(&mut self, account: &str, region: &str) {
        let place = |name: &str| (account.to_owned(), region.to_owned(), group_of(name));
        let (now, settle) = (self.clock.now(), self.clock.scale(self.options.settle_time));
        let mut logging = Vec::new();
        for (of, at, cluster) in self.accounts.all() {
            if (of, at) == (account, region) && cluster.status == "ACTIVE" {
                cluster.settle(now, settle);
                let view = cluster.view();
                let setups = view["logging"]["clusterLogging"].as_array();
                let mut setups = setups.into_iter().flatten();
                if setups.any(|one| one["enabled"] == true) {
                    logging.push(place(&cluster.name));
                }
            }
        }
        for one in logging {
            self.log_groups.entry(one).or_insert_with(|| LogGroup {
                created_at: wall(),
                retention: None,
            });
        }
    }

    fn put_retention_policy(
        &mut self,
        caller: &Caller,
        members: &Map<String, Value>,
    ) -> Result<Value, AwsError> {
        let name = members["logGroupName"].as_str().unwrap_or_default();
        authorize(caller, "logs:PutRetentionPolicy", &arn(caller, name))?;
        let days = members["retentionInDays"].as_i64().unwrap_or_default();
        if !DAYS.contains(&days) {
            let known = DAYS.map(|one| one.to_string()).join(", ");
            return Err(AwsError::invalid_parameter(format!(
                "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy \
                 constraint: Member must satisfy enum value set: [{known}]"
            )));
        }
        let (account, region) = (caller.account.clone(), caller.region.clone());
        let place = (account, region, name.to_owned());
        let group = self.log_groups.get_mut(&place).ok_or_else(|| {
            let why = "The specified log group does not exist.";
            AwsError::new(400, "ResourceNotFoundException", why)
        })?;
        group.retention = Some(days);
        Ok(Value::Null)
    }

    fn describe_log_groups(
        &self,
        caller: &Caller,
        members: &Map<String, Value>,
    ) -> Result<Value, AwsError> {
        authorize(caller, "logs:DescribeLogGroups", &arn(caller, ""))?;
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let (prefix, pattern) = (text("logGroupNamePrefix"), text("logGroupNamePattern"));
        if prefix.is_some() && pattern.is_some() {
            let why =
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
            return Err(AwsError::invalid_parameter(why));
        }
        let named = members.get("logGroupIdentifiers").and_then(Value::as_array);
        let class = text("logGroupClass");
        let mut found: BTreeMap<&str, &LogGroup> = BTreeMap::new();
        for ((account, region, name), group) in &self.log_groups {
            let here = (account, region) == (&caller.account, &caller.region);
            let whole = arn(caller, name);
            let is = |one: &Value| one == name.as_str() || whole.strip_suffix(":*") == one.as_str();
            if here
                && prefix.is_none_or(|prefix| name.starts_with(prefix))
                && pattern.is_none_or(|pattern| name.contains(pattern))
                && named.is_none_or(|named| named.iter().any(is))
                && class.is_none_or(|class| class == "STANDARD")
            {
                found.insert(name, group);
            }
        }
        let size = members.get("limit").and_then(Value::as_u64);
        let request = PageRequest {
            max_results: Some(size.map_or(USUAL_PAGE, |size| usize::try_from(size).unwrap_or(1))),
            next_token: text("nextToken").map(str::to_owned),
        };
        let (page, next) = request
            .cut("log-groups", found.keys().copied())
            .map_err(|_| AwsError::invalid_parameter("The specified nextToken is invalid."))?;
        let page = page.iter();
        let groups: Vec<Value> = page
            .filter_map(|name| Some(view(caller, name, found.get(name.as_str())?)))
            .collect();
        let mut answer = json!({ "logGroups": groups });
        if let Some(next) = next {
            answer["nextToken"] = json!(next);
        }
        Ok(answer)
    }
}

fn view(caller: &Caller, name: &str, group: &LogGroup) -> Value {
    let arn = arn(caller, name);
    let mut view = json!({
        "logGroupName": name,
        "creationTime": group.created_at.timestamp_millis(),
        "metricFilterCount": 0,
        "arn": arn,
        "storedBytes": 0,
        "logGroupClass": "STANDARD",
        "logGroupArn": arn.trim_end_matches(":*"),
    });
    if let Some(days) = group.retention {
        view["retentionInDays"] = json!(days);
    }
    view
}

/// As policies name it.
fn arn(caller: &Caller, name: &str) -> String {
    let (region, account) = (&caller.region, &caller.account);
    let partition = partition(region);
    format!("arn:{partition}:logs:{region}:{account}:log-group:{name}:*")
}

/// What the service calls errors that EKS calls otherwise, and their status.
pub(super) fn refusal(error: &AwsError) -> (u16, Value) {
    let code = error.code.as_str();
    let (status, code) = match code {
        "AccessDeniedException"
        | "ExpiredTokenException"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "ResourceNotFoundException"
        | "UnrecognizedClientException" => (400, code),
        "SignatureDoesNotMatch" => (400, "InvalidSignatureException"),
        "TooManyRequestsException" => (400, "ThrottlingException"),
        "ServerException" => (error.status, "InternalFailure"),
        other => (error.status, other),
    };
    (status, json!({"__type": code, "message": error.message}))
}

#[cfg(test)]
mod tests {
    use super::super::options::SimOptions;
    use super::*;

    const CLUSTER: &str = "demo-1";

    struct Sim(World, String);

    impl Sim {
        /// With one cluster that logs.
        fn new() -> Self {
            let mut world = World::new(SimOptions::default());
            let account = world.accounts.first().to_owned();
            let cluster = world
                .accounts
                .add_cluster(&account, "eu-central-1", CLUSTER);
            let logging = super::super::config_change::logs_view(&["audit".to_owned()]);
            let described = &mut cluster.details().described;
            described.insert("logging".to_owned(), logging);
            Self(world, account)
        }

        fn call(&mut self, action: &str, members: &Value) -> (u16, Value) {
            let scope = "test/20260101/eu-central-1/logs/aws4_request";
            let inbound = Inbound {
                method: "POST".into(),
                path: "/".into(),
                query: Vec::new(),
                content_type: None,
                authorization: Some(format!("AWS4-HMAC-SHA256 Credential={scope}")),
                token: None,
                target: Some(format!("{TARGET}{action}")),
                body: members.to_string().into(),
            };
            let arrival = self.0.arrive(&inbound);
            let answer = self.0.perform(&inbound, &arrival);
            let body = serde_json::from_str(&answer.body).unwrap_or_default();
            (answer.status, body)
        }
    }

    #[test]
    fn a_log_group_keeps_what_is_logged_as_long_as_it_is_told() {
        let mut sim = Sim::new();
        let group = group_of(CLUSTER);
        let put = json!({"logGroupName": group, "retentionInDays": 30});
        assert_eq!(sim.call("PutRetentionPolicy", &put), (200, Value::Null));
        let (status, found) = sim.call("DescribeLogGroups", &json!({"logGroupNamePrefix": "/aws"}));
        assert_eq!(status, 200);
        assert_eq!(found["logGroups"][0]["logGroupName"], json!(group));
        assert_eq!(found["logGroups"][0]["retentionInDays"], 30);
        assert!(
            sim.0
                .accounts
                .remove_cluster(&sim.1, "eu-central-1", CLUSTER)
        );
        let (_, found) = sim.call("DescribeLogGroups", &json!({}));
        assert_eq!(found["logGroups"][0]["retentionInDays"], 30);
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        let mut sim = Sim::new();
        let group = group_of(CLUSTER);
        for (members, code) in [
            (
                json!({"logGroupName": group, "retentionInDays": 2}),
                "InvalidParameterException",
            ),
            (json!({"logGroupName": group}), "InvalidParameterException"),
            (
                json!({"logGroupName": "a b", "retentionInDays": 7}),
                "InvalidParameterException",
            ),
            (
                json!({"logGroupName": group, "retentionInDays": "7"}),
                "SerializationException",
            ),
            (
                json!({"logGroupName": "/aws/eks/other/cluster", "retentionInDays": 7}),
                "ResourceNotFoundException",
            ),
        ] {
            let (status, body) = sim.call("PutRetentionPolicy", &members);
            assert_eq!(
                (status, body["__type"].as_str()),
                (400, Some(code)),
                "{members}"
            );
        }
        let (status, body) = sim.call("CreateLogGroup", &json!({}));
        let unknown = json!("UnknownOperationException");
        assert_eq!((status, &body["__type"]), (400, &unknown));
        let both = json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "b"});
        assert_eq!(sim.call("DescribeLogGroups", &both).0, 400);
    }

    #[test]
    fn groups_are_known_by_their_clusters() {
        assert_eq!(cluster_of("/aws/eks/a/cluster"), Some("a"));
        assert_eq!(cluster_of("/aws/lambda/a"), None);
        assert_eq!(target("Logs_20140328.A").as_deref(), Some("A"));
        assert_eq!(target("Other.A"), None);
    }
}
