//! How profiles are shown: as JSON, or as eksctl shows them.

use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::header::{ACCEPT, HeaderMap};

use crate::domain::invalid::quoted;
use crate::http::problem::Problem;
use crate::domain::{ErrorCode, FargateProfile};

/// The forms that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Output {
    Json,
    EksctlJson,
    Yaml,
    Table,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "eksctl-json" => Ok(Self::EksctlJson),
            "yaml" => Ok(Self::Yaml),
            "table" => Ok(Self::Table),
            other => Err(format!(
                "invalid output {}: expected one of json eksctl-json yaml table",
                quoted(other)
            )),
        }
    }
}

impl Output {
    /// The query's `output` wins over `Accept`; without either it is JSON.
    pub(in crate::http) fn of(query: Option<Self>, headers: &HeaderMap) -> Result<Self, Problem> {
        if let Some(output) = query {
            return Ok(output);
        }
        let ranges = ranges(headers);
        if ranges.is_empty() {
            return Ok(Self::Json);
        }
        let known = |(range, _): &(String, f32)| match range.as_str() {
            "*/*" | "application/*" | "application/json" => Some(Self::Json),
            "application/yaml" | "application/x-yaml" | "text/yaml" => Some(Self::Yaml),
            "text/plain" | "text/*" => Some(Self::Table),
            _ => None,
        };
        ranges.iter().find_map(known).ok_or_else(|| {
            let detail = "Nothing fits your Accept header: ask for application/json, \
                          application/yaml or text/plain, or set the query's output.";
            Problem::new(ErrorCode::InvalidRequest, detail).status(406)
        })
    }

    /// Profiles in this form; `one` when a single one was asked for.
    pub(in crate::http) fn answer(self, profiles: Vec<FargateProfile>, one: bool) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        answer.insert_header(("Cache-Control", "no-store"));
        match self {
            Self::Json => super::read::json(answer, profiles, one),
            Self::EksctlJson => {
                answer.content_type("application/json");
                answer.body(crate::format::eksctl_json(&profiles))
            }
            Self::Yaml => {
                answer.content_type("application/yaml");
                answer.body(crate::format::yaml(&profiles))
            }
            Self::Table => {
                answer.content_type("text/plain; charset=utf-8");
                answer.body(crate::format::table(&profiles))
            }
        }
    }
}

/// The media ranges of `Accept`, the most wanted first; those with `q=0` are left out.
fn ranges(headers: &HeaderMap) -> Vec<(String, f32)> {
    let mut ranges: Vec<(String, f32)> = headers
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
            let q = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
            Some((name, q.unwrap_or(1.0)))
        })
        .collect();
    ranges.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranges
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn of(query: Option<Output>, accept: Option<&'static str>) -> Result<Output, u16> {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        Output::of(query, &headers).map_err(|problem| problem.status)
    }

    #[test]
    fn the_query_wins_and_accept_is_weighed() {
        assert_eq!(of(None, None), Ok(Output::Json));
        assert_eq!(of(None, Some("text/html, */*;q=0.1")), Ok(Output::Json));
        assert_eq!(of(None, Some("application/json;q=0.5, application/yaml")), Ok(Output::Yaml));
        assert_eq!(of(None, Some("text/plain")), Ok(Output::Table));
        assert_eq!(of(Some(Output::EksctlJson), Some("image/png")), Ok(Output::EksctlJson));
        assert_eq!(of(None, Some("image/png")), Err(406));
    }
}
