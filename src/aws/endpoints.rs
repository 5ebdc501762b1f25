//! Where AWS's services are: by the rules that AWS's own SDKs are generated from.
//!
//! STS, EKS and CloudFormation are resolved by their SDK crates. The services of [`super::query`] have
//! no crate here; their rule sets, which AWS publishes with its SDKs, are in `endpoints/` as they are,
//! and are evaluated here: partitions, FIPS, dual stack. `tests/boto3/test_endpoints.py` holds the rule
//! sets to botocore's, and the table of hosts that the tests below go by.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_config::SdkConfig;
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_types::service_config::ServiceConfigKey;
use serde_json::Value;

use super::query::QueryService;

/// Names and DNS suffixes of AWS's partitions.
static PARTITIONS: LazyLock<Value> =
    LazyLock::new(|| parsed(include_str!("endpoints/partitions.json")));
static EC2: LazyLock<Value> = LazyLock::new(|| parsed(include_str!("endpoints/ec2.json")));
static IAM: LazyLock<Value> = LazyLock::new(|| parsed(include_str!("endpoints/iam.json")));

/// Of both APIs of load balancers.
static LOAD_BALANCING: LazyLock<Value> =
    LazyLock::new(|| parsed(include_str!("endpoints/elasticloadbalancing.json")));

static LOGS: LazyLock<Value> = LazyLock::new(|| parsed(include_str!("endpoints/logs.json")));

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// Where a service is, and the region it signs for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServicePlace {
    pub(super) url: String,
    pub(super) region: String,
}

/// What the choice of an endpoint goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) region: &'a str,
    /// `aws`, `aws-cn` and so on.
    pub(super) partition: &'a str,
    pub(super) fips: bool,
    pub(super) dual_stack: bool,
}

impl<'a> Wanted<'a> {
    /// With FIPS and dual stack as the configuration has them.
    pub(super) fn of(config: &SdkConfig, region: &'a str, partition: &'a str) -> Self {
        Self {
            region,
            partition,
            fips: config.use_fips().unwrap_or_default(),
            dual_stack: config.use_dual_stack().unwrap_or_default(),
        }
    }
}

/// The place of a service without a crate. An address in the configuration goes first; it signs for
/// the region that the service signs for anyway.
pub(super) fn of_query(
    service: QueryService,
    config: &SdkConfig,
    wanted: Wanted<'_>,
) -> Result<ServicePlace, BoxError> {
    let resolved = by_rules(service, wanted);
    match (configured(config, service.service_id()), resolved) {
        (Some(url), Ok(place)) => Ok(ServicePlace { url, ..place }),
        (Some(url), Err(_)) => Ok(ServicePlace {
            url,
            region: wanted.region.to_owned(),
        }),
        (None, resolved) => Ok(resolved?),
    }
}

/// The URL of the region's STS.
pub(super) async fn of_sts(config: &SdkConfig, wanted: Wanted<'_>) -> Result<String, BoxError> {
    if let Some(url) = configured(config, "STS") {
        return Ok(url);
    }
    let params = Params::builder()
        .region(wanted.region.to_owned())
        .use_fips(wanted.fips)
        .use_dual_stack(wanted.dual_stack)
        .build()?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&params).await?;
    Ok(endpoint.url().to_owned())
}

/// The address that the configuration gives a service, in the order of the SDK: what the program says,
/// `AWS_ENDPOINT_URL_<SERVICE>` or the profile's, then `AWS_ENDPOINT_URL`.
fn configured(config: &SdkConfig, service_id: &str) -> Option<String> {
    let general = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return general();
    }
    let key = ServiceConfigKey::builder()
        .service_id(service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let own = key
        .ok()
        .and_then(|key| config.service_config()?.load_config(key));
    own.or_else(general)
}

fn by_rules(service: QueryService, wanted: Wanted<'_>) -> Result<ServicePlace, String> {
    let set: &Value = match service {
        QueryService::Ec2 => &EC2,
        QueryService::Iam => &IAM,
        QueryService::Elb | QueryService::ElbV2 => &LOAD_BALANCING,
        QueryService::Logs => &LOGS,
    };
    let mut scope = Scope::default();
    scope.set("Region", wanted.region.into());
    scope.set("UseFIPS", wanted.fips.into());
    scope.set("UseDualStack", wanted.dual_stack.into());
    let partitions = &PARTITIONS;
    let found = partitions.get(wanted.partition).cloned();
    scope.partition = found.ok_or_else(|| format!("no partition is named {}", wanted.partition))?;
    let endpoint = scope.first_of(&set["rules"])?;
    let url = scope.text(&endpoint["url"]);
    let region = endpoint.pointer("/properties/authSchemes/0/signingRegion");
    Ok(ServicePlace {
        url: url.ok_or("the endpoint has no address")?,
        region: region
            .and_then(|region| scope.text(region))
            .unwrap_or_else(|| wanted.region.to_owned()),
    })
}

/// What the rules can refer to.
#[derive(Debug, Clone, Default)]
struct Scope {
    values: BTreeMap<String, Value>,
    partition: Value,
}

impl Scope {
    fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// The endpoint of the first rule whose conditions hold.
    fn first_of<'a>(&mut self, rules: &'a Value) -> Result<&'a Value, String> {
        for rule in rules.as_array().into_iter().flatten() {
            let mut inner = self.clone();
            let conditions = rule["conditions"].as_array();
            if !conditions.into_iter().flatten().all(|one| inner.holds(one)) {
                continue;
            }
            *self = inner;
            return match rule["type"].as_str() {
                Some("tree") => self.first_of(&rule["rules"]),
                Some("endpoint") => Ok(&rule["endpoint"]),
                _ => Err(self.text(&rule["error"]).unwrap_or_default()),
            };
        }
        Err("no rule of the service says where it is".to_owned())
    }

    fn holds(&mut self, condition: &Value) -> bool {
        let value = self.called(condition);
        let holds = !matches!(value, Value::Null | Value::Bool(false));
        if let (true, Some(name)) = (holds, condition["assign"].as_str()) {
            self.set(name, value);
        }
        holds
    }

    fn called(&self, call: &Value) -> Value {
        let arguments: Vec<Value> = call["argv"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|argument| self.value(argument))
            .collect();
        match (
            call["fn"].as_str().unwrap_or_default(),
            arguments.as_slice(),
        ) {
            ("isSet", [value]) => (!value.is_null()).into(),
            ("not", [value]) => matches!(value, Value::Null | Value::Bool(false)).into(),
            ("booleanEquals" | "stringEquals", [one, other]) => (one == other).into(),
            ("aws.partition", [_]) => self.partition.clone(),
            ("getAttr", [value, name]) => {
                let name = name.as_str().unwrap_or_default();
                value.get(name).cloned().unwrap_or_default()
            }
            _ => Value::Null,
        }
    }

    fn value(&self, argument: &Value) -> Value {
        if let Some(name) = argument.get("ref").and_then(Value::as_str) {
            return self.values.get(name).cloned().unwrap_or_default();
        }
        match argument {
            Value::Object(call) if call.contains_key("fn") => self.called(argument),
            Value::String(_) => self.text(argument).map_or(Value::Null, Value::from),
            plain => plain.clone(),
        }
    }

    /// A text, with `{Name}` and `{Name#attribute}` filled in.
    fn text(&self, template: &Value) -> Option<String> {
        let mut rest = template.as_str()?;
        let mut text = String::new();
        while let Some((before, inside)) = rest.split_once('{') {
            let (name, after) = inside.split_once('}')?;
            let (name, attribute) = name.split_once('#').unwrap_or((name, ""));
            let value = self.values.get(name)?;
            let value = if attribute.is_empty() {
                value
            } else {
                value.get(attribute)?
            };
            text.push_str(before);
            text.push_str(value.as_str()?);
            rest = after;
        }
        text.push_str(rest);
        Some(text)
    }
}

#[cfg(test)]
mod tests;
