//! A kubeconfig: how kubectl finds a cluster, and which program gives it a token.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{ClusterView, RoleArn};

/// A kubeconfig of one cluster. It holds no secret: kubectl runs `aws eks get-token` with the
/// credentials of whoever uses it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Kubeconfig {
    /// `v1`.
    #[schema(value_type = String, max_length = 16, examples("v1"))]
    api_version: &'static str,
    /// `Config`.
    #[schema(value_type = String, max_length = 16, examples("Config"))]
    kind: &'static str,
    /// Where the cluster is.
    #[schema(max_items = 1)]
    clusters: [KubeconfigClusterEntry; 1],
    /// The cluster with its user.
    #[schema(max_items = 1)]
    contexts: [KubeconfigContextEntry; 1],
    /// The context that is used.
    #[serde(rename = "current-context")]
    #[schema(max_length = 2048)]
    current_context: String,
    /// Who calls the cluster.
    #[schema(max_items = 1)]
    users: [KubeconfigUserEntry; 1],
}

/// A cluster by its name.
#[derive(Debug, Serialize, ToSchema)]
struct KubeconfigClusterEntry {
    /// The cluster's ARN.
    #[schema(max_length = 2048)]
    name: String,
    /// Where it is.
    cluster: KubeconfigCluster,
}

/// Where a cluster is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct KubeconfigCluster {
    /// The URL of its Kubernetes API.
    #[schema(max_length = 2048)]
    server: String,
    /// Who signs that URL's certificate: PEM in base64.
    #[schema(max_length = 65_536)]
    certificate_authority_data: String,
}

/// A context by its name.
#[derive(Debug, Serialize, ToSchema)]
struct KubeconfigContextEntry {
    /// The cluster's ARN.
    #[schema(max_length = 2048)]
    name: String,
    /// What it joins.
    context: KubeconfigContext,
}

/// A cluster and a user.
#[derive(Debug, Serialize, ToSchema)]
struct KubeconfigContext {
    /// The name of the cluster.
    #[schema(max_length = 2048)]
    cluster: String,
    /// The name of the user.
    #[schema(max_length = 2048)]
    user: String,
}

/// A user by its name.
#[derive(Debug, Serialize, ToSchema)]
struct KubeconfigUserEntry {
    /// The cluster's ARN.
    #[schema(max_length = 2048)]
    name: String,
    /// How it shows who it is.
    user: KubeconfigUser,
}

/// How a user shows who it is.
#[derive(Debug, Serialize, ToSchema)]
struct KubeconfigUser {
    /// The program that gives a token.
    exec: KubeconfigExec,
}

/// A program that gives a token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KubeconfigExec {
    /// What it speaks.
    #[schema(value_type = String, max_length = 64, examples("client.authentication.k8s.io/v1beta1"))]
    api_version: &'static str,
    /// The program.
    #[schema(value_type = String, max_length = 64, examples("aws"))]
    command: &'static str,
    /// Its arguments.
    #[schema(schema_with = arguments)]
    args: Vec<String>,
}

fn arguments() -> utoipa::openapi::schema::Array {
    let argument = utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .max_length(Some(2048))
        .build();
    utoipa::openapi::schema::ArrayBuilder::new()
        .description(Some("Its arguments."))
        .max_items(Some(16))
        .items(argument)
        .examples([serde_json::json!([
            "eks",
            "get-token",
            "--cluster-name",
            "prod-1"
        ])])
        .build()
}

impl Kubeconfig {
    /// That of a cluster; none while it has no endpoint.
    pub(in crate::http) fn of(
        cluster: &ClusterView,
        region: &str,
        role: Option<&RoleArn>,
    ) -> Option<Self> {
        let server = cluster.endpoint.clone()?;
        let certificate_authority_data = cluster.certificate_authority.clone()?;
        // Unique in the whole fleet, and what `aws eks update-kubeconfig` writes.
        let name = cluster.arn.clone()?;
        Some(Self {
            api_version: "v1",
            kind: "Config",
            clusters: [KubeconfigClusterEntry {
                name: name.clone(),
                cluster: KubeconfigCluster {
                    server,
                    certificate_authority_data,
                },
            }],
            contexts: [KubeconfigContextEntry {
                name: name.clone(),
                context: KubeconfigContext {
                    cluster: name.clone(),
                    user: name.clone(),
                },
            }],
            current_context: name.clone(),
            users: [KubeconfigUserEntry {
                name,
                user: KubeconfigUser {
                    exec: KubeconfigExec::get_token(&cluster.name, region, role),
                },
            }],
        })
    }
}

impl KubeconfigExec {
    fn get_token(cluster: &str, region: &str, role: Option<&RoleArn>) -> Self {
        let args = [
            "--region",
            region,
            "eks",
            "get-token",
            "--cluster-name",
            cluster,
        ];
        let role = role.map(|role| ["--role-arn", role.as_str()]);
        Self {
            api_version: "client.authentication.k8s.io/v1beta1",
            command: "aws",
            args: args
                .into_iter()
                .chain(role.into_iter().flatten())
                .chain(["--output", "json"])
                .map(str::to_owned)
                .collect(),
        }
    }
}
