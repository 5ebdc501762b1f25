//! What is hashed: a row's fields with their lengths, and a seal over the seal before it.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A SHA-256.
pub type Hash = [u8; 32];

/// Told apart from whatever else may be hashed, and from later ways to do it.
const ROW: &[u8] = b"fargate-fleet audit row 1\0";
const SEAL: &[u8] = b"fargate-fleet audit seal 1\0";

/// An audit row, as it is hashed.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub event_seq: i64,
    pub occurred_at: DateTime<Utc>,
    pub actor: String,
    pub on_behalf_of: Option<String>,
    pub action: String,
    pub account_id: Option<String>,
    pub resource: String,
    pub subject_id: Option<Uuid>,
    pub request_id: Option<String>,
    /// As Postgres writes `jsonb`: keys in an order of its own, one space after each colon and comma.
    pub detail: String,
}

impl Row {
    /// Every field: a byte for whether it is there, its length, its text.
    pub(super) fn sha256(&self) -> Hash {
        let mut hash = Sha256::new();
        hash.update(ROW);
        hash.update(self.event_seq.to_be_bytes());
        hash.update(self.occurred_at.timestamp_micros().to_be_bytes());
        let subject = self.subject_id.map(|id| id.to_string());
        for field in [
            Some(self.actor.as_str()),
            self.on_behalf_of.as_deref(),
            Some(&self.action),
            self.account_id.as_deref(),
            Some(&self.resource),
            subject.as_deref(),
            self.request_id.as_deref(),
            Some(&self.detail),
        ] {
            let text = field.unwrap_or_default();
            hash.update([u8::from(field.is_some())]);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.finalize().into()
    }
}

/// A seal, but for its hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seal {
    pub number: i64,
    pub event_seq: i64,
    pub sealed_at: DateTime<Utc>,
    pub row_sha256: Hash,
}

impl Seal {
    pub(super) fn sha256(&self, before: &Hash) -> Hash {
        let mut hash = Sha256::new();
        hash.update(SEAL);
        hash.update(before);
        hash.update(self.number.to_be_bytes());
        hash.update(self.event_seq.to_be_bytes());
        hash.update(self.sealed_at.timestamp_micros().to_be_bytes());
        hash.update(self.row_sha256);
        hash.finalize().into()
    }
}

/// A place in the chain: the number of a seal and its hash. Kept elsewhere, it tells later whether
/// the chain up to it was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The seal's number; 0 before the first.
    pub seal_no: i64,
    /// The seal's hash.
    pub sha256: Hash,
}

impl Head {
    /// Before the first seal.
    pub const START: Self = Self {
        seal_no: 0,
        sha256: [0; 32],
    };
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seal_no, hex(&self.sha256))
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || "expected a head as `audit verify` prints it: NUMBER:64 hex digits".to_owned();
        let (number, hex) = text.split_once(':').ok_or_else(expected)?;
        let seal_no = number.parse::<i64>().map_err(|_| expected())?;
        let read = Self {
            seal_no,
            sha256: hash_of(hex).ok_or_else(expected)?,
        };
        if seal_no < 0 || read.to_string() != text.to_ascii_lowercase() {
            return Err(expected());
        }
        Ok(read)
    }
}

fn hash_of(hex: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if hex.len() != 2 * hash.len() || !hex.is_ascii() {
        return None;
    }
    for (i, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(hash)
}

/// A hash as people read it.
fn hex(hash: &Hash) -> String {
    hash.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            event_seq: 7,
            occurred_at: DateTime::UNIX_EPOCH,
            actor: "ci".to_owned(),
            on_behalf_of: None,
            action: "deleteAccount".to_owned(),
            account_id: Some("111111111111".to_owned()),
            resource: "/v1/accounts/111111111111".to_owned(),
            subject_id: None,
            request_id: Some("r".to_owned()),
            detail: "{}".to_owned(),
        }
    }

    #[test]
    fn every_field_counts_and_none_runs_into_the_next() {
        let base = row();
        let changed = [
            Row {
                event_seq: 8,
                ..row()
            },
            Row {
                occurred_at: DateTime::from_timestamp_micros(1).unwrap(),
                ..row()
            },
            Row {
                actor: "cid".to_owned(),
                action: "eleteAccount".to_owned(),
                ..row()
            },
            Row {
                on_behalf_of: Some(String::new()),
                ..row()
            },
            Row {
                account_id: None,
                ..row()
            },
            Row {
                resource: "/".to_owned(),
                ..row()
            },
            Row {
                subject_id: Some(Uuid::nil()),
                ..row()
            },
            Row {
                request_id: None,
                ..row()
            },
            Row {
                detail: "{} ".to_owned(),
                ..row()
            },
        ];
        for other in changed {
            assert_ne!(other.sha256(), base.sha256(), "{other:?}");
        }
    }

    /// Pinned: a change here makes every chain in the world look broken.
    #[test]
    fn the_hashes_stay_what_they_are() {
        let seal = Seal {
            number: 1,
            event_seq: 7,
            sealed_at: DateTime::UNIX_EPOCH,
            row_sha256: row().sha256(),
        };
        assert_eq!(
            (hex(&row().sha256()), hex(&seal.sha256(&Head::START.sha256))),
            (
                "3b21bbf096de099f5336def62dae08c0c4aea6c976d13ef6bdc1e5fbe49d4c0d".to_owned(),
                "264580eaa5a8f7f180f4c1af951c52c857b2a43c84f539d387ec74dd608a02db".to_owned()
            )
        );
    }

    #[test]
    fn a_head_reads_back() {
        let head = Head {
            seal_no: 12,
            sha256: row().sha256(),
        };
        assert_eq!(head.to_string().parse(), Ok(head));
        for bad in [
            "",
            "12",
            "12:ab",
            &format!("-1:{}", "0".repeat(64)),
            &format!("1:{}", "+1".repeat(32)),
        ] {
            assert!(bad.parse::<Head>().is_err(), "{bad}");
        }
    }
}
