//! GET /v1/whoami: who the caller is to this service.

use actix_web::{HttpResponse, get};

use super::accounts::NoQuery;
use super::answer;
use super::auth::Viewer;
use super::extract::Call;
use super::problem::Problem;
use super::wire::whoami::Whoami;

/// Read who you are: your name, role, accounts and credential.
#[utoipa::path(
    operation_id = "getWhoami",
    tag = "access",
    responses((status = 200, description = "The caller.", body = Whoami)),
    extensions(("x-required-role" = json!("viewer"))),
)]
#[get("/v1/whoami")]
pub(super) async fn get_whoami(call: Call<Viewer>) -> Result<HttpResponse, Problem> {
    call.allowed()?;
    let NoQuery {} = call.query()?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("Cache-Control", "no-store"));
    Ok(answer::json(answer, &Whoami::of(&call.caller)))
}
