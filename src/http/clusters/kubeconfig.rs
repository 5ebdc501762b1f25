//! GET base/{clusterName}/kubeconfig: how kubectl finds the cluster.

use std::str::FromStr;

use actix_web::http::header::HeaderMap;
use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;

use super::read;
use crate::domain::{ErrorCode, ParseError, RoleArn};
use crate::http::answer;
use crate::http::auth::Viewer;
use crate::http::extract::Call;
use crate::http::fargate_profiles::{ClusterPath, output};
use crate::http::live::Outcome;
use crate::http::problem::Problem;
use crate::http::query::{WaitSeconds, text};
use crate::http::wire::job::Job;
use crate::http::wire::kubeconfig::Kubeconfig;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(in crate::http) struct KubeconfigQuery {
    /// The form: `yaml` or `json`. Wins over `Accept`.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = String, required = false, max_length = 16, pattern = "^(yaml|json)$", example = "yaml")]
    output: Option<Form>,
    /// The role that `aws eks get-token` shall assume; without it, the caller's own credentials are
    /// used.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = RoleArn, required = false, example = "arn:aws:iam::111111111111:role/developer")]
    role_arn: Option<RoleArn>,
    /// Hold the answer until AWS has answered, at most so many seconds; 20 unless told otherwise.
    #[serde(default, deserialize_with = "text")]
    #[param(value_type = i32, required = false, minimum = 0, maximum = 60, example = 20)]
    wait_seconds: Option<WaitSeconds>,
}

/// How a kubeconfig is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Yaml,
    Json,
}

impl FromStr for Form {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "yaml" => Ok(Self::Yaml),
            "json" => Ok(Self::Json),
            _ => Err(ParseError::new("output format", text, "yaml or json")),
        }
    }
}

/// Read a cluster's kubeconfig.
///
/// It holds no secret: kubectl runs `aws eks get-token` with the credentials of whoever uses it.
/// While the cluster has no endpoint the answer is 409.
#[utoipa::path(
    operation_id = "getKubeconfig",
    tag = "clusters",
    params(KubeconfigQuery),
    responses(
        (status = 200, description = "The kubeconfig.", content(
            (Kubeconfig = "application/json"),
            (String = "application/yaml"),
        )),
        (status = 202, description = "AWS has not answered yet.", body = Job),
    ),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/accounts/{accountId}/regions/{region}/clusters/{clusterName}/kubeconfig")]
pub(in crate::http) async fn get_kubeconfig(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    let path: ClusterPath = call.path()?;
    let query: KubeconfigQuery = call.query()?;
    call.known_account(&path.account_id).await?;
    let form = wanted(query.output, call.headers())?;
    let cluster = match read::one(&call, &path, query.wait_seconds).await? {
        Outcome::Done(job) => read::cluster(&job),
        Outcome::Later(answer) => return Ok(answer),
    };
    let role = query.role_arn.as_ref();
    let kubeconfig = Kubeconfig::of(&cluster, path.region.as_str(), role).ok_or_else(|| {
        let status = cluster
            .status
            .as_deref()
            .unwrap_or("in no state that AWS tells");
        let detail = format!(
            "Cluster {} is {status} and has no endpoint yet: ask again when it is ACTIVE.",
            path.cluster_name
        );
        Problem::new(ErrorCode::Conflict, detail)
    })?;
    Ok(shown(form, &kubeconfig))
}

/// The query's `output` wins over `Accept`; without either it is YAML.
fn wanted(query: Option<Form>, headers: &HeaderMap) -> Result<Form, Problem> {
    if let Some(form) = query {
        return Ok(form);
    }
    let ranges = output::ranges(headers);
    if ranges.is_empty() {
        return Ok(Form::Yaml);
    }
    let known = |(range, _): &(String, f32)| match range.as_str() {
        "*/*" | "application/*" | "application/yaml" | "application/x-yaml" | "text/yaml" => {
            Some(Form::Yaml)
        }
        "application/json" => Some(Form::Json),
        _ => None,
    };
    ranges.iter().find_map(known).ok_or_else(|| {
        let detail = "Nothing fits your Accept header: ask for application/yaml or \
                      application/json, or set the query's output.";
        Problem::new(ErrorCode::InvalidRequest, detail).status(406)
    })
}

fn shown(form: Form, kubeconfig: &Kubeconfig) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("Cache-Control", "no-store"));
    match form {
        Form::Json => answer::json(answer, kubeconfig),
        Form::Yaml => {
            answer.content_type("application/yaml");
            answer.body(serde_saphyr::to_string(kubeconfig).unwrap_or_default())
        }
    }
}
