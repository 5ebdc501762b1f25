//! How profiles are shown: as JSON, or as eksctl shows them.

use actix_web::HttpResponse;
use actix_web::http::header::{ACCEPT, HeaderMap};

use crate::domain::{ErrorCode, FargateProfile};
use crate::format::{self, OutputFormat};
use crate::http::answer;
use crate::http::problem::Problem;
use crate::http::wire::list::FargateProfileList;

/// The query's `output` wins over `Accept`; without either it is JSON.
pub(in crate::http) fn wanted(
    query: Option<OutputFormat>,
    headers: &HeaderMap,
) -> Result<OutputFormat, Problem> {
    if let Some(output) = query {
        return Ok(output);
    }
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return Ok(OutputFormat::Json);
    }
    let known = |(range, _): &(String, f32)| match range.as_str() {
        "*/*" | "application/*" | "application/json" => Some(OutputFormat::Json),
        "application/yaml" | "application/x-yaml" | "text/yaml" => Some(OutputFormat::Yaml),
        "text/plain" | "text/*" => Some(OutputFormat::Table),
        _ => None,
    };
    ranges.iter().find_map(known).ok_or_else(|| {
        let detail = "Nothing fits your Accept header: ask for application/json, \
                      application/yaml or text/plain, or set the query's output.";
        Problem::new(ErrorCode::InvalidRequest, detail).status(406)
    })
}

/// Profiles in a form; `one` when a single one was asked for.
pub(in crate::http) fn shown(
    format: OutputFormat,
    profiles: Vec<FargateProfile>,
    one: bool,
) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("Cache-Control", "no-store"));
    answer.content_type(format.content_type());
    match format {
        OutputFormat::Json if one => {
            answer::json(answer, &profiles.into_iter().next().unwrap_or_default())
        }
        OutputFormat::Json => answer::json(answer, &FargateProfileList { items: profiles }),
        OutputFormat::EksctlJson => answer.body(format::eksctl_json(&profiles)),
        OutputFormat::Yaml => answer.body(format::yaml(&profiles)),
        OutputFormat::Table => answer.body(format::table(&profiles)),
    }
}

/// The media ranges of `Accept`, the most wanted first; those with `q=0` are left out.
pub(in crate::http) fn ranges(headers: &HeaderMap) -> Vec<(String, f32)> {
    let mut ranges: Vec<(String, f32)> = headers
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts
                .next()
                .filter(|name| !name.is_empty())?
                .to_ascii_lowercase();
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

    fn of(query: Option<OutputFormat>, accept: Option<&'static str>) -> Result<OutputFormat, u16> {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
        }
        wanted(query, &headers).map_err(|problem| problem.status)
    }

    #[test]
    fn the_query_wins_and_accept_is_weighed() {
        assert_eq!(of(None, None), Ok(OutputFormat::Json));
        assert_eq!(
            of(None, Some("text/html, */*;q=0.1")),
            Ok(OutputFormat::Json)
        );
        assert_eq!(
            of(None, Some("application/json;q=0.5, application/yaml")),
            Ok(OutputFormat::Yaml)
        );
        assert_eq!(of(None, Some("text/plain")), Ok(OutputFormat::Table));
        assert_eq!(
            of(Some(OutputFormat::EksctlJson), Some("image/png")),
            Ok(OutputFormat::EksctlJson)
        );
        assert_eq!(of(None, Some("image/png")), Err(406));
    }
}
