//! eksctl's `ClusterConfig`, as far as Fargate goes.
//!
//! Strict, as eksctl is: an unknown key is an error. Keys that eksctl knows and that have nothing to do
//! with Fargate profiles are passed over, as `eksctl create fargateprofile -f` does with the file that
//! the cluster was made from; they are kept by name, so that a warning can say so.

use super::cluster::rules::wrong_policy_arn;
use super::decode::{json_tree, null_as_default, typed, unique_text_map, yaml_tree};
use super::ids::{ClusterName, Region};
use super::invalid::{Invalid, quoted};
use super::profile::{Naming, ProfileInput, ProfileSpec};
use super::role_arn::RoleArn;
use super::warnings::Warning;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The most profiles in one file.
pub const MAX_PROFILES: usize = 100;

const API_VERSION: &str = "eksctl.io/v1alpha5";
const KIND: &str = "ClusterConfig";

/// Keys of eksctl's `ClusterConfig` that have nothing to do with Fargate profiles.
const NOT_OURS: [&str; 23] = [
    "accessConfig",
    "addons",
    "addonsConfig",
    "autoModeConfig",
    "availabilityZones",
    "capabilities",
    "cloudWatch",
    "git",
    "gitops",
    "iamIdentityMappings",
    "identityProviders",
    "karpenter",
    "kubernetesNetworkConfig",
    "localZones",
    "managedNodeGroups",
    "nodeGroups",
    "outpost",
    "privateCluster",
    "remoteNetworkConfig",
    "secretsEncryption",
    "upgradePolicy",
    "vpc",
    "zonalShiftConfig",
];

/// Keys of its `iam` section that have nothing to do with Fargate profiles.
const NOT_OURS_IN_IAM: [&str; 7] = [
    "autoCreatePodIdentityAssociations",
    "podIdentityAssociations",
    "serviceAccounts",
    "serviceRoleARN",
    "serviceRolePermissionsBoundary",
    "vpcResourceControllerPolicy",
    "withOIDC",
];

/// A `ClusterConfig` with its Fargate part, read but not yet checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({
    "apiVersion": "eksctl.io/v1alpha5",
    "kind": "ClusterConfig",
    "metadata": {"name": "prod-1", "region": "eu-central-1"},
    "fargateProfiles": [{"name": "fp-default", "selectors": [{"namespace": "default"}]}]
})))]
pub struct ClusterConfig {
    /// Always `eksctl.io/v1alpha5`.
    #[schema(
        max_length = 64,
        pattern = r"^eksctl\.io/v1alpha5$",
        examples("eksctl.io/v1alpha5")
    )]
    pub api_version: String,
    /// Always `ClusterConfig`.
    #[schema(
        max_length = 64,
        pattern = "^ClusterConfig$",
        examples("ClusterConfig")
    )]
    pub kind: String,
    /// Which cluster.
    pub metadata: ClusterMeta,
    /// The defaults for the profiles' role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub iam: Option<ClusterIam>,
    /// The profiles, created in this order.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schema(min_items = 1, max_items = 100, required = true)]
    pub fargate_profiles: Vec<ProfileInput>,
    /// Keys of the file that nothing was done with.
    #[serde(skip)]
    #[schema(ignore)]
    pub passed_over: Vec<String>,
}

/// The `metadata` of a `ClusterConfig`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterMeta {
    /// The cluster's name.
    #[schema(value_type = ClusterName)]
    pub name: String,
    /// The cluster's region.
    #[schema(value_type = Region)]
    pub region: String,
    /// The Kubernetes version; not used for profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 16, examples("1.34"))]
    pub version: Option<String>,
    /// Tags of the cluster; not used for profiles.
    #[serde(
        default,
        deserialize_with = "unique_text_map",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schema(schema_with = super::schema::tags)]
    pub tags: BTreeMap<String, String>,
    /// Annotations of the cluster; not used for profiles.
    #[serde(
        default,
        deserialize_with = "unique_text_map",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schema(schema_with = super::schema::annotations)]
    pub annotations: BTreeMap<String, String>,
}

/// The `iam` of a `ClusterConfig`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterIam {
    /// The role of profiles that name none.
    #[serde(
        rename = "fargatePodExecutionRoleARN",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = RoleArn, required = false)]
    pub fargate_pod_execution_role_arn: Option<String>,
    /// The permissions boundary of a role that has to be created.
    #[serde(
        rename = "fargatePodExecutionRolePermissionsBoundary",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(
        nullable = false,
        max_length = 2048,
        pattern = "^(arn:aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+)?$",
        examples("arn:aws:iam::111111111111:policy/boundary")
    )]
    pub fargate_pod_execution_role_permissions_boundary: Option<String>,
}

/// A `ClusterConfig` that can be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidConfig {
    /// The cluster.
    pub cluster: ClusterName,
    /// Its region.
    pub region: Region,
    /// The profiles in the order of the file, each with a name that occurs once.
    pub profiles: Vec<ProfileSpec>,
    /// The role of profiles that name none.
    pub role: Option<RoleArn>,
    /// The permissions boundary of a role that has to be created.
    pub role_permissions_boundary: Option<String>,
    /// Keys of the file that nothing was done with.
    pub passed_over: Vec<String>,
}

impl ValidConfig {
    /// What to say of the keys that were passed over.
    #[must_use]
    pub fn warning(&self) -> Option<Warning> {
        let keys = self.passed_over.join(", ");
        (!keys.is_empty()).then(|| {
            let message = format!(
                "only the Fargate part of the file was acted on; nothing was done with: {keys}"
            );
            Warning::new("not_acted_on", message)
        })
    }
}

impl ClusterConfig {
    /// Reads a YAML file of exactly one document.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<Invalid>> {
        Self::from_tree(yaml_tree(text)?)
    }

    /// Reads a JSON document.
    pub fn from_json(text: &str) -> Result<Self, Vec<Invalid>> {
        Self::from_tree(json_tree(text.as_bytes())?)
    }

    fn from_tree(mut tree: Value) -> Result<Self, Vec<Invalid>> {
        if !tree.is_object() {
            let message = "expected a ClusterConfig: a map with apiVersion, kind, metadata and \
                           fargateProfiles";
            return Err(vec![Invalid::new("", message)]);
        }
        let mut passed_over = taken_out(&mut tree, "", &NOT_OURS);
        if let Some(iam) = tree.get_mut("iam") {
            passed_over.extend(taken_out(iam, "iam.", &NOT_OURS_IN_IAM));
        }
        let config: Self = typed(tree)?;
        Ok(Self {
            passed_over,
            ..config
        })
    }

    /// Checks everything; all that is wrong is told at once.
    pub fn validate(self) -> Result<ValidConfig, Vec<Invalid>> {
        let mut wrong = wrong_head(Some(&self.api_version), Some(&self.kind));
        let cluster = keep(
            &mut wrong,
            "/metadata/name",
            ClusterName::parse(self.metadata.name),
        );
        let region = keep(
            &mut wrong,
            "/metadata/region",
            Region::parse(self.metadata.region),
        );
        let iam = self.iam.unwrap_or_default();
        let role = iam
            .fargate_pod_execution_role_arn
            .map(RoleArn::parse)
            .transpose();
        let role = keep(&mut wrong, "/iam/fargatePodExecutionRoleARN", role);
        let boundary = iam.fargate_pod_execution_role_permissions_boundary;
        let boundary = boundary.filter(|arn| !arn.is_empty());
        let at = "/iam/fargatePodExecutionRolePermissionsBoundary";
        wrong.extend(
            boundary
                .as_deref()
                .and_then(|arn| wrong_policy_arn(at, arn)),
        );
        if self.fargate_profiles.is_empty() {
            let message = "fargateProfiles is missing or empty, so there is nothing to do";
            wrong.push(Invalid::new("/fargateProfiles", message));
        }
        let profiles = valid_profiles(self.fargate_profiles, &mut wrong);
        match (cluster, region, role) {
            (Some(cluster), Some(region), Some(role)) if wrong.is_empty() => Ok(ValidConfig {
                cluster,
                region,
                profiles,
                role,
                role_permissions_boundary: boundary,
                passed_over: self.passed_over,
            }),
            _ => Err(wrong),
        }
    }
}

/// What is wrong with the two fields that say what the document is.
pub(super) fn wrong_head(api_version: Option<&str>, kind: Option<&str>) -> Vec<Invalid> {
    let fixed = [
        ("/apiVersion", api_version, API_VERSION),
        ("/kind", kind, KIND),
    ];
    let given = fixed
        .into_iter()
        .filter_map(|(pointer, found, wanted)| Some((pointer, found?, wanted)));
    let differing = given.filter(|(_, found, wanted)| found != wanted);
    let told = differing.map(|(pointer, found, wanted)| {
        Invalid::new(
            pointer,
            format!("expected {wanted:?}, found {}", quoted(found)),
        )
    });
    told.collect()
}

/// Takes these keys out of a section; those that were there, after `prefix`.
fn taken_out(section: &mut Value, prefix: &str, not_ours: &[&str]) -> Vec<String> {
    let Some(section) = section.as_object_mut() else {
        return Vec::new();
    };
    let present = not_ours
        .iter()
        .filter(|key| section.remove(**key).is_some());
    present.map(|key| format!("{prefix}{key}")).collect()
}

/// The profiles of a file, each checked, each with a name that occurs once.
pub(super) fn valid_profiles(
    inputs: Vec<ProfileInput>,
    wrong: &mut Vec<Invalid>,
) -> Vec<ProfileSpec> {
    if inputs.len() > MAX_PROFILES {
        let message = format!("at most {MAX_PROFILES} profiles in one file");
        wrong.push(Invalid::new("/fargateProfiles", message));
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let mut profiles = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let at = format!("/fargateProfiles/{i}");
        let name = input.name.clone().unwrap_or_default();
        if !name.is_empty() && !names.insert(name.clone()) {
            let message = format!(
                "another profile of this file is named {} too",
                quoted(&name)
            );
            wrong.push(Invalid::new(format!("{at}/name"), message));
        }
        if input.permissions_boundary.is_some() {
            let message = "in a config the boundary of the role is \
                           iam.fargatePodExecutionRolePermissionsBoundary";
            wrong.push(Invalid::new(format!("{at}/permissionsBoundary"), message));
        }
        match input.validate(Naming::Required) {
            Ok(profile) => profiles.push(profile),
            Err(errors) => wrong.extend(errors.into_iter().map(|error| error.under(&at))),
        }
    }
    profiles
}

/// The value, or a note of what is wrong with it.
pub(super) fn keep<T>(
    wrong: &mut Vec<Invalid>,
    pointer: &str,
    parsed: Result<T, super::ParseError>,
) -> Option<T> {
    parsed
        .map_err(|error| wrong.push(Invalid::new(pointer, error.message())))
        .ok()
}

#[cfg(test)]
mod tests;
