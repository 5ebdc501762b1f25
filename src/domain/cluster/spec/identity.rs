//! Who else is known in the cluster.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the `ConfigMap` `aws-auth` gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum IdentityMapping {
    /// An IAM role or user.
    Principal {
        /// Its ARN.
        arn: String,
        /// Its name in Kubernetes; its ARN if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        /// Its groups in Kubernetes.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<String>,
        /// Whether no other entry of the ARN may be there.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        once: bool,
    },
    /// All users and roles of an account.
    Account(String),
    /// EMR on EKS, in a namespace.
    EmrContainers {
        /// The namespace.
        namespace: String,
    },
}

/// An OIDC issuer whose tokens the cluster takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IdentityProviderSpec {
    /// Its name.
    pub name: String,
    /// The URL of the issuer.
    pub issuer_url: String,
    /// Whom the tokens are for.
    pub client_id: String,
    /// The claim with the name of who calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_claim: Option<String>,
    /// What is put before these names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_prefix: Option<String>,
    /// The claim with the groups of who calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_claim: Option<String>,
    /// What is put before these groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_prefix: Option<String>,
    /// Claims that a token must have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub required_claims: BTreeMap<String, String>,
    /// AWS tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl std::fmt::Display for IdentityMapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Principal { arn, .. } => f.write_str(arn),
            Self::Account(account) => write!(f, "account {account}"),
            Self::EmrContainers { namespace } => write!(f, "emr-containers in {namespace}"),
        }
    }
}
