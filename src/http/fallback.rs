//! What no route takes: `404`, or `405` with `Allow` where another method would do.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};

use super::openapi;
use super::problem::{Problem, Right};
use crate::domain::ErrorCode;

/// Paths that are not in the document, which is about the API itself.
const UNDOCUMENTED: [&str; 4] = ["/openapi.json", "/openapi-3.0.json", "/docs", "/docs/"];

/// The default service.
pub(super) async fn fallback(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let allowed = allowed_methods(request.path());
    if allowed.is_empty() {
        let detail = "No such path: check it against /docs.";
        return Err(Problem::new(ErrorCode::NotFound, detail));
    }
    let allow = allowed.join(", ");
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent()
            .insert_header(("Allow", allow))
            .finish());
    }
    let detail = format!(
        "{} is not allowed here; these are: {allow}.",
        request.method()
    );
    let mut problem = Problem::new(ErrorCode::InvalidRequest, detail).status(405);
    problem.right = Some(Right::Methods(allow));
    Err(problem)
}

fn allowed_methods(path: &str) -> Vec<String> {
    let mut methods: Vec<String> = openapi::routes()
        .iter()
        .filter(|route| fits(&route.path, path))
        .map(|route| route.method.clone())
        .collect();
    if UNDOCUMENTED.contains(&path) {
        methods.push("GET".to_owned());
    }
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".to_owned());
    }
    if !methods.is_empty() {
        methods.push("OPTIONS".to_owned());
    }
    methods
}

fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_methods_of_a_path_come_from_the_document() {
        assert_eq!(allowed_methods("/v1/jobs"), ["GET", "HEAD", "OPTIONS"]);
        assert_eq!(allowed_methods("/v1/jobs/1/cancel"), ["POST", "OPTIONS"]);
        assert_eq!(allowed_methods("/docs"), ["GET", "HEAD", "OPTIONS"]);
        assert!(allowed_methods("/v1/nothing").is_empty());
        assert!(allowed_methods("/v1/jobs/").is_empty());
    }
}
