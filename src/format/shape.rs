//! The part of a profile that eksctl shows, in the order of its JSON.

use crate::domain::{FargateProfile, Selector};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
pub(super) struct Shown<'a> {
    pub(super) name: &'a str,
    #[serde(rename = "podExecutionRoleARN", skip_serializing_if = "str::is_empty")]
    pub(super) pod_execution_role_arn: &'a str,
    pub(super) selectors: &'a [Selector],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) subnets: &'a [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) status: &'a str,
}

impl<'a> Shown<'a> {
    pub(super) fn of(profile: &'a FargateProfile) -> Self {
        Self {
            name: &profile.name,
            pod_execution_role_arn: profile
                .pod_execution_role_arn
                .as_deref()
                .unwrap_or_default(),
            selectors: &profile.selectors,
            subnets: &profile.subnets,
            tags: &profile.tags,
            status: profile.status.as_deref().unwrap_or_default(),
        }
    }
}
