//! API tokens: make, list, read, revoke. For administrators; one of some accounts sees and makes
//! only tokens of those.

pub(super) mod create;
pub(super) mod list;
pub(super) mod revoke;

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use uuid::Uuid;

use super::accounts::NoQuery;
use super::answer;
use super::auth::{Admin, Needs};
use super::extract::Call;
use super::problem::Problem;
use super::wire::token::Token;
use crate::db::tokens::{self, TokenRow};

/// The token in a path.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenPath {
    token_id: Uuid,
}

/// Read a token, revoked or not; its text is not kept.
#[utoipa::path(
    operation_id = "getToken",
    tag = "access",
    responses((status = 200, description = "The token.", body = Token)),
    extensions(("x-required-role" = json!("admin"))),
)]
#[get("/v1/tokens/{tokenId}")]
pub(super) async fn get_token(call: Call<Admin>) -> Result<HttpResponse, Problem> {
    let path: TokenPath = call.path()?;
    let NoQuery {} = call.query()?;
    let row = call.token(path.token_id).await?;
    Ok(token_answer(HttpResponse::Ok(), &Token::of(row, None)))
}

impl<R: Needs> Call<R> {
    /// Reads a token that the caller may see, and checks the caller's role.
    async fn token(&self, token_id: Uuid) -> Result<TokenRow, Problem> {
        let visible = self.caller.visible();
        let found = self.state.read(&self.caller, move |connection| {
            Box::pin(async move { Ok(tokens::find(connection, visible, token_id).await?) })
        });
        let row = found.await?.ok_or_else(|| no_token(token_id))?;
        self.allowed()?;
        Ok(row)
    }
}

/// Nothing on the way may keep it: it may hold the secret.
fn token_answer(mut answer: actix_web::HttpResponseBuilder, token: &Token) -> HttpResponse {
    answer.insert_header(("Cache-Control", "no-store"));
    answer::json(answer, token)
}

fn no_token(token_id: Uuid) -> Problem {
    let detail = format!("There is no token {token_id} that you may see: check the id.");
    Problem::not_found("token", detail)
}
