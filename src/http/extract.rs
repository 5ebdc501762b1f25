//! A call: who makes it, with what, and whether the caller may.
//!
//! The one extractor of all handlers under `/v1`. It authenticates before anything else is looked
//! at, then takes the request off the caller's budget. The role named in its type is applied by
//! [`Call::allowed`], [`Call::account`] and [`Call::job`], which also hide what the caller may not
//! see.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::auth::{self, Caller, Needs};
use super::body::{self, Body};
use super::budget::Slot;
use super::connections;
use super::denials::CalledBy;
use super::envelope::RequestFacts;
use super::header_bounds;
use super::on_behalf;
use super::problem::Problem;
use super::query;
use super::state::State;
use crate::db;
use crate::db::accounts::Account;
use crate::db::audit::AuditEvent;
use crate::db::jobs::JobRow;
use crate::domain::AccountId;

/// An authenticated request to a route that needs the role `R`.
pub(super) struct Call<R> {
    pub state: State,
    pub caller: Caller,
    /// Held while the request is under way.
    pub slot: Slot,
    /// The request's id and trace context.
    pub facts: RequestFacts,
    request: HttpRequest,
    payload: RefCell<Payload>,
    needs: PhantomData<R>,
}

impl<R: Needs> FromRequest for Call<R> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = RefCell::new(payload.take());
        Box::pin(async move {
            let state = request.app_data::<State>().cloned();
            let state = state.ok_or_else(Problem::shutting_down)?;
            let token = auth::bearer(request.headers())?;
            let look = |stranger| Box::pin(auth::caller(&state, &token, stranger));
            let caller = state
                .known
                .caller((&token, state.clock.now()), look)
                .await?;
            let (standing, slot) = state.budgets.take(&caller.key_owner());
            if let Some(standing) = standing {
                request.extensions_mut().insert(standing);
            }
            let slot = slot?;
            header_bounds::check(request.headers())?;
            request.extensions_mut().insert(CalledBy(caller.clone()));
            let mut caller = on_behalf::of(caller, &request)?;
            if caller.on_behalf_of.is_some() {
                request.extensions_mut().insert(CalledBy(caller.clone()));
            }
            caller.slot = Some(slot.clone());
            let facts = request.extensions().get::<RequestFacts>().cloned();
            Ok(Self {
                state,
                caller,
                slot,
                facts: facts.unwrap_or_default(),
                request,
                payload,
                needs: PhantomData,
            })
        })
    }
}

impl<R: Needs> Call<R> {
    pub(super) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    pub(super) fn method(&self) -> &str {
        self.request.method().as_str()
    }

    /// The request's path as it was sent.
    pub(super) fn raw_path(&self) -> &str {
        self.request.path()
    }

    pub(super) fn raw_query(&self) -> &str {
        self.request.query_string()
    }

    /// The parameters in the path; what is wrong is told under `/path`.
    pub(super) fn path<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        query::path(&self.request)
    }

    /// The parameters in the query; what is wrong is told under `/query`.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        query::query(self.raw_query())
    }

    /// The whole body, within the limits.
    pub(super) async fn body(&self) -> Result<Body, Problem> {
        let limits = &self.state.options.limits;
        let bytes = body::expected(self.headers(), self.request.version(), limits)?;
        let permit = self.state.body(&self.caller, bytes).await?;
        connections::want_body(&self.request);
        let payload = self.payload.replace(Payload::None);
        let read = body::read(self.headers(), payload, limits).await?;
        let work = self.state.work(&self.caller, read.len()).await?;
        body::check(self.headers(), &read, limits)?;
        Ok(Body::new(read, [permit, work]))
    }

    /// A change by this caller, to be recorded.
    pub(super) fn event(
        &self,
        action: &'static str,
        account_id: Option<&str>,
        resource: String,
        detail: Value,
    ) -> AuditEvent {
        AuditEvent {
            actor: self.caller.name.clone(),
            actor_kind: self.caller.kind(),
            actor_id: self.caller.token_id(),
            on_behalf_of: self.caller.on_behalf_of.clone(),
            action,
            account_id: account_id.map(str::to_owned),
            resource,
            subject_id: None,
            request_id: Some(self.facts.request_id.clone()),
            detail,
        }
    }

    /// Refuses callers whose role is too low, for what belongs to no one account.
    pub(super) fn allowed(&self) -> Result<(), Problem> {
        self.caller.must_be(R::ROLE)
    }

    /// Reads an account that the caller may see, and checks the caller's role.
    pub(super) async fn account(&self, account_id: &AccountId) -> Result<Arc<Account>, Problem> {
        self.sees(account_id)?;
        let account = self.look_up(account_id).await?;
        self.state.known.note_account(Arc::clone(&account)).await;
        self.allowed()?;
        Ok(account)
    }

    /// The same, as it was a moment ago: for work that is refused only after another look.
    pub(super) async fn known_account(
        &self,
        account_id: &AccountId,
    ) -> Result<Arc<Account>, Problem> {
        self.sees(account_id)?;
        let look = self.look_up(account_id);
        let account = self.state.known.account(account_id.as_str(), look).await?;
        self.allowed()?;
        Ok(account)
    }

    fn sees(&self, account_id: &AccountId) -> Result<(), Problem> {
        if self.caller.sees(account_id.as_str()) {
            Ok(())
        } else {
            Err(no_account(account_id.as_str()))
        }
    }

    async fn look_up(&self, account_id: &AccountId) -> Result<Arc<Account>, Problem> {
        let id = account_id.as_str().to_owned();
        let found = self.state.look_up(self.caller.slot(), move |connection| {
            Box::pin(async move {
                let found = db::accounts::find(connection, &id).await?;
                found.ok_or_else(|| no_account(&id))
            })
        });
        found.await.map(Arc::new)
    }

    /// Reads a job that the caller may see, and checks the caller's role.
    pub(super) async fn job(&self, job_id: Uuid) -> Result<JobRow, Problem> {
        let job = find_job(&self.state, &self.caller, job_id).await?;
        self.allowed()?;
        Ok(job)
    }
}

/// Reads a job that the caller may see.
pub(super) async fn find_job(
    state: &State,
    caller: &Caller,
    job_id: Uuid,
) -> Result<JobRow, Problem> {
    let visible = caller.visible();
    let found = state.read(caller, move |connection| {
        Box::pin(async move { Ok(db::jobs::find(connection, visible.as_deref(), job_id).await?) })
    });
    found.await?.ok_or_else(|| {
        let detail = format!("There is no job {job_id} that you may see: check the id.");
        Problem::not_found("job", detail)
    })
}

/// What is unknown and what is hidden look the same.
pub(super) fn no_account(account_id: &str) -> Problem {
    let detail = format!(
        "There is no account {account_id} that you may see: register it with POST /v1/accounts, \
         or check the id."
    );
    Problem::not_found("account", detail)
}
