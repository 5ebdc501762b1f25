//! The published documents, made from the routes themselves.
//!
//! The attributes at the handlers say what is particular to an operation; [`finish`] adds what all
//! have in common, [`links`] says what goes on from an answer, [`flat`] removes what generators stumble
//! over, [`texts`] bounds what nothing else bounds, [`webhooks`] says what receivers are sent, [`v3_0`]
//! makes the 3.0 document.

mod common;
mod finish;
mod flat;
mod links;
pub(super) mod shapes;
mod texts;
mod v3_0;
mod webhooks;

use std::sync::OnceLock;

use actix_web::App;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa_actix_web::AppExt as _;

use super::job_events::JobEvent;
use super::routes;
use super::wire::problem::ProblemBody;

#[derive(OpenApi)]
#[openapi(components(schemas(ProblemBody<'_>, JobEvent)))]
struct Base;

/// The document as utoipa's own type.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    serde_json::from_value(document().clone()).unwrap_or_else(|error| {
        tracing::error!(%error, "reading the document back");
        raw()
    })
}

/// The OpenAPI 3.1 document, as it is published and committed.
#[must_use]
pub fn openapi_json() -> String {
    pretty(document())
}

/// The OpenAPI 3.0.3 document, for tools that know no later version.
#[must_use]
pub fn openapi_3_0_json() -> String {
    pretty(&v3_0::convert(document()))
}

/// One operation of the document.
pub(super) struct Route {
    /// The template of its path.
    pub path: String,
    /// In capitals.
    pub method: String,
    pub operation_id: String,
}

/// Every operation.
pub(super) fn routes() -> &'static [Route] {
    static ROUTES: OnceLock<Vec<Route>> = OnceLock::new();
    ROUTES.get_or_init(|| {
        let paths = document()["paths"].as_object().into_iter().flatten();
        let of_path = |(path, item): (&String, &Value)| -> Vec<Route> {
            let methods = item.as_object().into_iter().flatten();
            let route = |(method, operation): (&String, &Value)| Route {
                path: path.clone(),
                method: method.to_uppercase(),
                operation_id: operation["operationId"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            };
            methods.map(route).collect()
        };
        paths.flat_map(of_path).collect()
    })
}

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let mut document = serde_json::to_value(raw()).unwrap_or_default();
        flat::flatten(&mut document);
        texts::bound_texts(&mut document);
        finish::finish(&mut document);
        links::link(&mut document);
        webhooks::describe(&mut document);
        document
    })
}

fn raw() -> utoipa::openapi::OpenApi {
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(Base::openapi())
        .configure(routes::configure)
        .split_for_parts();
    document
}

fn pretty(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}
