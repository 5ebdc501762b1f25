//! The portal's run that a request names: it is told how the request's job or operation has ended.
//!
//! `callback` names a webhook of a portal and `callbackRun` the run. Credentials and hosts are the
//! webhook's; a request can't bring any.

use url::Url;
use uuid::Uuid;

use super::auth::Needs;
use super::extract::Call;
use super::problem::Problem;
use super::submit::Work;
use crate::db::webhooks;
use crate::domain::WebhookFormat;
use crate::queue::enqueue::NewCallback;
use crate::webhooks::callback;

const WEBHOOK: &str = "callback";
const RUN: &str = "callbackRun";

impl<R: Needs> Call<R> {
    /// Who is told of the end of this work, when the request says so.
    pub(super) async fn callback(&self, work: &Work) -> Result<Option<NewCallback>, Problem> {
        let (webhook, run) = (self.parameter(WEBHOOK), self.parameter(RUN));
        let (webhook, run) = match (webhook, run) {
            (None, None) => return Ok(None),
            (Some(webhook), Some(run)) => (webhook, run),
            (Some(_), None) => return Err(refused(RUN, "name the run that is to be told")),
            (None, Some(_)) => return Err(refused(WEBHOOK, "name the webhook of the portal")),
        };
        if work.jobs.iter().any(|job| job.lane.is_none()) {
            return Err(refused(WEBHOOK, "reads are answered, and not told"));
        }
        let webhook_id = Uuid::parse_str(&webhook);
        let webhook_id = webhook_id.map_err(|_| refused(WEBHOOK, "expected a UUID"))?;
        self.check_run(webhook_id, &work.account_id, &run).await?;
        Ok(Some(NewCallback { webhook_id, run }))
    }

    async fn check_run(&self, webhook: Uuid, account_id: &str, run: &str) -> Result<(), Problem> {
        let account = account_id.to_owned();
        let found = self.state.look_up(self.caller.slot(), move |connection| {
            Box::pin(async move { Ok(webhooks::find_portal(connection, webhook, &account).await?) })
        });
        let Some(portal) = found.await? else {
            let message = format!(
                "no enabled webhook of a portal that jobs of account {account_id} may name: ask an \
                 administrator"
            );
            return Err(refused(WEBHOOK, message));
        };
        let format = portal.format.parse().ok();
        let base = Url::parse(&portal.url).ok();
        let url = format
            .zip(base)
            .and_then(|(format, base)| callback::run_url(format, &base, run));
        if url.is_some() {
            return Ok(());
        }
        Err(refused(RUN, expected(format)))
    }

    fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.raw_query().as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

fn expected(format: Option<WebhookFormat>) -> &'static str {
    if format == Some(WebhookFormat::Cortex) {
        "expected the URL of a callback below the webhook's url, without query and without escapes"
    } else {
        "expected the id of a run, such as r_QOz6WoOB1Q2lmhZZ"
    }
}

fn refused(parameter: &str, message: impl Into<String>) -> Problem {
    Problem::invalid_field(format!("/query/{parameter}"), message)
}
