//! What `CreateFargateProfile` may be asked: read from JSON and checked without looking at any state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::arn::{Arn, partition};
use super::caller::Caller;
use super::error::AwsError;
use super::options::SimOptions;
use super::selector::Selector;
use super::tags;
use super::text::is_word;

const MAX_LABEL_KEY: usize = 127;
const MAX_LABEL_VALUE: usize = 255;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateRequest {
    pub fargate_profile_name: Option<String>,
    pub pod_execution_role_arn: Option<String>,
    pub subnets: Option<Vec<String>>,
    pub selectors: Option<Vec<RawSelector>>,
    #[serde(skip_serializing)]
    pub client_request_token: Option<String>,
    pub tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct RawSelector {
    pub namespace: Option<String>,
    pub labels: Option<BTreeMap<String, String>>,
}

/// A creation that is well formed.
#[derive(Debug)]
pub(super) struct NewProfile {
    pub name: String,
    pub role_arn: String,
    /// Empty: the cluster's private ones.
    pub subnets: Vec<String>,
    pub selectors: Vec<Selector>,
    pub tags: BTreeMap<String, String>,
    /// The client's token and everything that came with it.
    pub origin: Option<(String, String)>,
}

impl CreateRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, AwsError> {
        serde_json::from_slice(body).map_err(|error| {
            AwsError::new(
                400,
                "SerializationException",
                format!("The body is malformed: {error}"),
            )
        })
    }

    /// Checks everything that can be told from the request alone.
    pub(super) fn check(
        self,
        caller: &Caller,
        limits: &SimOptions,
    ) -> Result<NewProfile, AwsError> {
        let whole = serde_json::to_string(&self).unwrap_or_default();
        let name = required(self.fargate_profile_name, "fargateProfileName")?;
        check_name(&name)?;
        let role_arn = required(self.pod_execution_role_arn, "podExecutionRoleArn")?;
        check_role(&role_arn, caller)?;
        let subnets = self.subnets.unwrap_or_default();
        for subnet in &subnets {
            check_subnet(subnet)?;
        }
        let selectors = check_selectors(self.selectors.unwrap_or_default(), limits)?;
        let tags = self.tags.unwrap_or_default();
        tags::check(&BTreeMap::new(), &tags).map_err(AwsError::invalid_parameter)?;
        if self
            .client_request_token
            .as_ref()
            .is_some_and(String::is_empty)
        {
            return Err(AwsError::invalid_parameter(
                "clientRequestToken can't be empty",
            ));
        }
        let origin = self.client_request_token.map(|token| (token, whole));
        Ok(NewProfile {
            name,
            role_arn,
            subnets,
            selectors,
            tags,
            origin,
        })
    }
}

fn required(value: Option<String>, member: &str) -> Result<String, AwsError> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| AwsError::invalid_parameter(format!("{member} can't be blank")))
}

fn check_name(name: &str) -> Result<(), AwsError> {
    if name.starts_with("eks-") {
        return Err(AwsError::invalid_parameter(
            "Fargate Profile name must not start with the reserved prefix eks-",
        ));
    }
    let begins = name
        .chars()
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric());
    if begins && is_word(name, "-", 1..=100) {
        return Ok(());
    }
    Err(AwsError::invalid_parameter(
        "Fargate Profile name must satisfy the regular expression pattern: \
         ^[0-9A-Za-z][A-Za-z0-9\\-_]{0,99}$",
    ))
}

fn check_role(role_arn: &str, caller: &Caller) -> Result<(), AwsError> {
    let parsed = Arn::parse(role_arn).filter(|arn| arn.role().is_some());
    let Some(arn) = parsed.filter(|arn| arn.partition == partition(&caller.region)) else {
        return Err(AwsError::invalid_parameter(format!(
            "The podExecutionRoleArn {role_arn} is not the ARN of a role"
        )));
    };
    if arn.account != caller.account {
        return Err(AwsError::new(
            403,
            "AccessDeniedException",
            "Cross-account pass role is not allowed.",
        ));
    }
    if arn.role().is_some_and(|role| role.contains('/')) {
        return Err(AwsError::invalid_parameter(format!(
            "The pod execution role {role_arn} must not have a path other than /"
        )));
    }
    Ok(())
}

fn check_subnet(subnet: &str) -> Result<(), AwsError> {
    let id = subnet
        .strip_prefix("subnet-")
        .filter(|id| is_word(id, "-", 1..=64));
    id.map(|_| ()).ok_or_else(|| {
        AwsError::invalid_parameter(format!("The subnet ID '{subnet}' is malformed"))
    })
}

fn check_selectors(
    selectors: Vec<RawSelector>,
    limits: &SimOptions,
) -> Result<Vec<Selector>, AwsError> {
    if selectors.is_empty() {
        return Err(AwsError::invalid_parameter(
            "Fargate Profile must have at least one selector",
        ));
    }
    if selectors.len() > limits.selectors_per_profile {
        return Err(AwsError::limit(format!(
            "Fargate Profile selectors are limited to {}",
            limits.selectors_per_profile
        )));
    }
    selectors
        .into_iter()
        .map(|selector| check_selector(selector, limits))
        .collect()
}

fn check_selector(selector: RawSelector, limits: &SimOptions) -> Result<Selector, AwsError> {
    let namespace = required(selector.namespace, "selectors.namespace")?;
    let labels = selector.labels.unwrap_or_default();
    if labels.len() > limits.labels_per_selector {
        return Err(AwsError::limit(format!(
            "Fargate Profile selector labels are limited to {}",
            limits.labels_per_selector
        )));
    }
    check_namespace(&namespace)?;
    for (key, value) in &labels {
        check_label(key, value)?;
    }
    Ok(Selector { namespace, labels })
}

/// A DNS label, or a pattern of some.
fn check_namespace(namespace: &str) -> Result<(), AwsError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "*?".contains(c);
    let whole = namespace.chars().all(|c| fits(c) || c == '-');
    let ends = namespace.starts_with(fits) && namespace.ends_with(fits);
    if whole && ends && namespace.len() <= 63 {
        return Ok(());
    }
    Err(AwsError::invalid_parameter(format!(
        "Fargate Profile selector namespace {namespace} must satisfy the regular expression pattern: \
         ^[a-z0-9*?]([-a-z0-9*?]{{0,61}}[a-z0-9*?])?$"
    )))
}

fn check_label(key: &str, value: &str) -> Result<(), AwsError> {
    let (key_length, value_length) = (key.chars().count(), value.chars().count());
    let why = if key.is_empty() {
        "selectors.labels can't have a blank key".to_owned()
    } else if key_length > MAX_LABEL_KEY {
        format!(
            "Fargate Profile selector label key must have at most {MAX_LABEL_KEY} characters: {key}"
        )
    } else if value_length > MAX_LABEL_VALUE {
        format!(
            "Fargate Profile selector label value must have at most {MAX_LABEL_VALUE} characters: {key}"
        )
    } else {
        return Ok(());
    };
    Err(AwsError::invalid_parameter(why))
}

#[cfg(test)]
#[path = "create_tests.rs"]
mod tests;
