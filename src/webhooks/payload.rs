//! The body: `{type, timestamp, data}`, where `data` is the thing as the API shows it.
//!
//! It is made at each attempt from what has ended and changes no more, so every attempt sends the
//! same.

use chrono::SecondsFormat;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::db::jobs::{self, JobRow};
use crate::db::operations::{self, OperationRow};
use crate::db::webhook_deliveries::Claimed;
use crate::domain::WebhookEventType;

/// The largest body, in bytes.
pub const MOST_BYTES: usize = 64 * 1024;

/// What a body does without when it is too large, one after the other; the API has it.
const LARGE: [&str; 6] = [
    "profiles", "clusters", "warnings", "profile", "cluster", "error",
];

/// How things are shown.
#[derive(Clone, Copy, Debug)]
pub struct Rendering {
    /// A job that has ended.
    pub job: fn(JobRow) -> Value,
    /// An operation whose jobs have.
    pub operation: fn(OperationRow) -> Value,
}

/// What a delivery tells of; none when that is gone, or no longer the webhook's to know.
pub async fn data(
    connection: &mut PgConnection,
    rendering: Rendering,
    claimed: &Claimed,
) -> Result<Option<Value>, sqlx::Error> {
    let accounts = claimed.account_ids.as_deref();
    Ok(match claimed.event_type.parse() {
        Ok(WebhookEventType::WebhookPing) => {
            Some(json!({"webhookId": claimed.webhook_id, "deliveryId": claimed.delivery_id}))
        }
        Ok(WebhookEventType::OperationFinished) => {
            let found = operations::find(connection, accounts, claimed.subject_id).await?;
            found.map(rendering.operation)
        }
        _ => {
            let found = jobs::find(connection, accounts, claimed.subject_id).await?;
            found.map(rendering.job)
        }
    })
}

/// The body of a delivery by Standard Webhooks.
#[must_use]
pub fn body(claimed: &Claimed, data: Value) -> Vec<u8> {
    let timestamp = claimed
        .occurred_at
        .to_rfc3339_opts(SecondsFormat::Micros, true);
    bounded(data, |data| {
        json!({
            "type": claimed.event_type,
            "timestamp": timestamp,
            "data": data,
        })
    })
}

/// What is made of the data, without its largest parts if need be.
pub(super) fn bounded(mut data: Value, made: impl Fn(&Value) -> Value) -> Vec<u8> {
    let mut bytes = made(&data).to_string().into_bytes();
    for field in LARGE {
        if bytes.len() <= MOST_BYTES {
            break;
        }
        match data.as_object_mut() {
            // Every job has some, or none.
            Some(data) if field == "warnings" => {
                data.insert(field.to_owned(), json!([]));
            }
            Some(data) => {
                data.remove(field);
            }
            None => {}
        }
        bytes = made(&data).to_string().into_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use uuid::Uuid;

    #[test]
    fn a_body_is_bounded_and_keeps_what_names_its_thing() {
        let claimed = Claimed {
            webhook_id: Uuid::nil(),
            url: String::new(),
            format: "standard".to_owned(),
            account_ids: None,
            client_id: None,
            callback_run: None,
            secret: Vec::new(),
            old_secret: None,
            delivery_id: Uuid::nil(),
            event_type: "job.failed".to_owned(),
            subject_id: Uuid::nil(),
            occurred_at: DateTime::UNIX_EPOCH,
            retry_no: 0,
            lease_token: 1,
            owner: String::new(),
            failing: false,
        };
        let small = body(&claimed, json!({"id": "x", "warnings": []}));
        let expected = json!({
            "type": "job.failed",
            "timestamp": "1970-01-01T00:00:00.000000Z",
            "data": {"id": "x", "warnings": []},
        });
        assert_eq!(serde_json::from_slice::<Value>(&small).unwrap(), expected);
        let long = "x".repeat(MOST_BYTES);
        let large = body(
            &claimed,
            json!({"id": "x", "warnings": [long], "error": {"code": "c"}}),
        );
        let large: Value = serde_json::from_slice(&large).unwrap();
        assert_eq!(
            large["data"],
            json!({"id": "x", "warnings": [], "error": {"code": "c"}})
        );
    }
}
