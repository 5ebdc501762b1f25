//! Idempotency keys: the same key and the same request within a day give the same answer.
//!
//! The key is in the header `Idempotency-Key` or its twin, the query's `requestId`, which wins.
//! Requests that make jobs hand it to the enqueuer; the others take it in their own transaction.

use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use super::auth::Needs;
use super::extract::Call;
use super::on_behalf;
use super::problem::Problem;
use crate::db::idempotency::{self, UsedKey};
use crate::domain::ErrorCode;
use crate::queue::enqueue::IdempotencyKey;

/// Parameters that do not make another request of it.
const NOT_HASHED: [&str; 3] = ["requestId", "waitSeconds", on_behalf::PARAMETER];

/// A request's key, with whose it is.
#[derive(Debug, Clone)]
pub(super) struct Key {
    owner: String,
    pub key: IdempotencyKey,
}

/// What came of taking a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is ours: go on.
    Fresh,
    /// The same request came before and made this.
    Replay(String),
}

impl<R: Needs> Call<R> {
    /// The request's key, if it has one. `body` is what was sent.
    pub(super) fn idempotency_key(&self, body: &[u8]) -> Result<Option<Key>, Problem> {
        // Both are checked, also where only the first counts.
        let given = self.given_keys();
        for (key, pointer) in &given {
            if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
                let message = "expected 1 to 255 visible ASCII characters";
                return Err(Problem::invalid_field(*pointer, message));
            }
        }
        let Some((key, _)) = given.into_iter().next() else {
            return Ok(None);
        };
        let key = IdempotencyKey {
            key,
            request_sha256: self.request_sha256(body),
        };
        Ok(Some(Key {
            owner: self.caller.key_owner(),
            key,
        }))
    }

    /// The keys that came with the request, the one that counts first.
    fn given_keys(&self) -> Vec<(String, &'static str)> {
        let mut pairs = form_urlencoded::parse(self.raw_query().as_bytes());
        let twin = pairs.find(|(name, _)| name == "requestId");
        let twin = twin.map(|(_, key)| (key.into_owned(), "/query/requestId"));
        let header = self.headers().get("idempotency-key").map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (text, "/header/Idempotency-Key")
        });
        twin.into_iter().chain(header).collect()
    }

    fn request_sha256(&self, body: &[u8]) -> Vec<u8> {
        let mut pairs: Vec<_> = form_urlencoded::parse(self.raw_query().as_bytes())
            .filter(|(name, _)| !NOT_HASHED.contains(&name.as_ref()))
            .collect();
        pairs.sort();
        let mut hash = Sha256::new();
        for part in [self.method(), self.raw_path()] {
            hash.update(part.as_bytes());
            hash.update(b"\0");
        }
        for (name, value) in pairs {
            hash.update(format!("{name}\0{value}\0"));
        }
        if let Some(person) = &self.caller.on_behalf_of {
            hash.update(format!("{}\0{person}\0", on_behalf::PARAMETER));
        }
        hash.update(b"\0");
        hash.update(body);
        hash.finalize().to_vec()
    }

    /// What an earlier request with this key made, before anything else is looked at.
    pub(super) async fn replayed(&self, key: Option<&Key>) -> Result<Option<String>, Problem> {
        let Some(key) = key.cloned() else {
            return Ok(None);
        };
        let found = self.state.look_up(self.caller.slot(), move |connection| {
            Box::pin(async move {
                let used = idempotency::find(connection, &key.owner, &key.key.key).await?;
                used.map(|used| key.same(used)).transpose()
            })
        });
        found.await
    }
}

impl Key {
    /// Takes the key inside the transaction of the change.
    pub(super) async fn take(
        key: Option<&Self>,
        connection: &mut PgConnection,
        subject: &str,
    ) -> Result<Taken, Problem> {
        let Some(key) = key else {
            return Ok(Taken::Fresh);
        };
        let used = UsedKey {
            request_sha256: key.key.request_sha256.clone(),
            subject: subject.to_owned(),
        };
        if idempotency::take(&mut *connection, &key.owner, &key.key.key, &used).await? {
            return Ok(Taken::Fresh);
        }
        match idempotency::find(connection, &key.owner, &key.key.key).await? {
            Some(used) => key.same(used).map(Taken::Replay),
            None => Err(reused()),
        }
    }

    fn same(&self, used: UsedKey) -> Result<String, Problem> {
        if used.request_sha256 == self.key.request_sha256 {
            Ok(used.subject)
        } else {
            Err(reused())
        }
    }
}

pub(super) fn reused() -> Problem {
    let detail = "This idempotency key came with another request within the last 24 hours: use a \
                  new key for a new request.";
    Problem::new(ErrorCode::IdempotencyKeyReused, detail)
}
