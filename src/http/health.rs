//! `/livez` and `/readyz`: what load balancers ask.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer;
use super::problem::Problem;
use super::state::State;

/// That all is well.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`.
    #[schema(max_length = 16, examples("ok"))]
    status: &'static str,
}

/// Is the process alive?
#[utoipa::path(
    operation_id = "getLiveness",
    tag = "health",
    responses((status = 200, description = "The process is alive.", body = Health)),
    extensions(("x-required-role" = json!("none"))),
)]
#[get("/livez")]
pub(super) async fn livez() -> HttpResponse {
    answer::json(HttpResponse::Ok(), &Health { status: "ok" })
}

/// Can the process do its work?
#[utoipa::path(
    operation_id = "getReadiness",
    tag = "health",
    responses((status = 200, description = "The process can do its work.", body = Health)),
    extensions(("x-required-role" = json!("none"))),
)]
#[get("/readyz")]
pub(super) async fn readyz(state: Data<State>) -> Result<HttpResponse, Problem> {
    if state.draining.is_cancelled() {
        return Err(Problem::shutting_down());
    }
    if let Some(why) = (state.unready)() {
        return Err(unready(&why));
    }
    if !state.readiness.answers().await {
        return Err(unready("The database did not answer within a second."));
    }
    Ok(answer::json(HttpResponse::Ok(), &Health { status: "ok" }))
}

fn unready(what: &str) -> Problem {
    Problem::unavailable(&format!(
        "{what} Other processes may answer; this one tries on."
    ))
}
