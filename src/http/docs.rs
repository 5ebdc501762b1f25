//! The documents and the page for people.

use std::future::ready;

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// `/openapi.json`, `/openapi-3.0.json`, `/docs`. The page's scripts are part of the binary.
pub(super) fn configure(config: &mut ServiceConfig) {
    let (v31, v30) = (super::openapi_json(), super::openapi_3_0_json());
    // Without this the page asks a validator on another host.
    let page = Config::new(["/openapi.json"]).validator_url("none");
    config
        .route(
            "/openapi.json",
            web::get().to(move || ready(document(v31.clone()))),
        )
        .route(
            "/openapi-3.0.json",
            web::get().to(move || ready(document(v30.clone()))),
        )
        .route("/docs", web::get().to(|| ready(redirect())))
        .service(SwaggerUi::new("/docs/{_:.*}").config(page));
}

fn document(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(text)
}

fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header(("Location", "/docs/"))
        .finish()
}
