//! Verifying: every seal in order, against the seal before it and the row it seals.
//!
//! Rows and seals are never changed by the service, so this needs no snapshot of its own: it reads
//! page by page and holds nothing up.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::chain::{Head, Row, Seal};
use super::seal::hash;

/// Seals on one page.
const PAGE: i64 = 2_000;

/// What was found sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    /// Rows that are as they were sealed.
    pub rows: i64,
    /// Rows that wait for their seal; nothing can be said of them.
    pub unsealed: i64,
    /// The last seal.
    pub head: Head,
}

/// Why nothing, or nothing good, can be said.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The database can't be asked.
    #[error("reading the audit trail")]
    Database(#[from] sqlx::Error),
    /// The first place where the chain does not hold.
    #[error("the audit trail is broken after {sound} sound rows: {what}")]
    Broken {
        /// How many rows before it are sound.
        sound: i64,
        /// What is wrong.
        what: Break,
    },
}

/// A place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// The row is not what was sealed.
    #[error("audit event {event_seq} was changed after it was sealed (seal {seal_no})")]
    RowChanged {
        /// The row.
        event_seq: i64,
        /// Its seal.
        seal_no: i64,
    },
    /// The row is gone.
    #[error("audit event {event_seq} was removed after it was sealed (seal {seal_no})")]
    RowRemoved {
        /// The row.
        event_seq: i64,
        /// Its seal.
        seal_no: i64,
    },
    /// The seal does not follow from the one before it.
    #[error("seal {seal_no} was changed, or one before it was exchanged (audit event {event_seq})")]
    SealChanged {
        /// The row it names.
        event_seq: i64,
        /// The seal.
        seal_no: i64,
    },
    /// A seal is gone.
    #[error("seal {seal_no} was removed")]
    SealRemoved {
        /// The seal.
        seal_no: i64,
    },
    /// The chain is sound, but not the one that was known.
    #[error("seal {seal_no} is not the one that was given: the chain was rewritten")]
    OtherChain {
        /// The seal of the known head.
        seal_no: i64,
    },
    /// The chain ends before the head that was known.
    #[error(
        "the chain ends at seal {end}, before the one that was given ({seal_no}): it was cut off"
    )]
    CutOff {
        /// The last seal there is.
        end: i64,
        /// The seal of the known head.
        seal_no: i64,
    },
}

/// A seal with its row, if that is still there.
struct Link {
    seal_no: i64,
    sealed_seq: i64,
    row_sha256: Vec<u8>,
    seal_sha256: Vec<u8>,
    sealed_at: DateTime<Utc>,
    event_seq: Option<i64>,
    occurred_at: Option<DateTime<Utc>>,
    actor: Option<String>,
    on_behalf_of: Option<String>,
    action: Option<String>,
    account_id: Option<String>,
    resource: Option<String>,
    subject_id: Option<Uuid>,
    request_id: Option<String>,
    detail: Option<String>,
}

impl Link {
    fn row(self) -> Option<Row> {
        Some(Row {
            event_seq: self.event_seq?,
            occurred_at: self.occurred_at?,
            actor: self.actor?,
            on_behalf_of: self.on_behalf_of,
            action: self.action?,
            account_id: self.account_id,
            resource: self.resource?,
            subject_id: self.subject_id,
            request_id: self.request_id,
            detail: self.detail?,
        })
    }

    /// The head after this one, if it follows from the one before and its row is what was sealed.
    fn check(self, before: &Head) -> Result<Head, Break> {
        let seal = Seal {
            number: self.seal_no,
            event_seq: self.sealed_seq,
            sealed_at: self.sealed_at,
            row_sha256: hash(&self.row_sha256),
        };
        let (seal_no, event_seq) = (seal.number, seal.event_seq);
        if seal_no != before.seal_no + 1 {
            return Err(Break::SealRemoved {
                seal_no: before.seal_no + 1,
            });
        }
        let sha256 = seal.sha256(&before.sha256);
        if self.seal_sha256 != sha256 {
            return Err(Break::SealChanged { event_seq, seal_no });
        }
        match self.row() {
            None => Err(Break::RowRemoved { event_seq, seal_no }),
            Some(row) if row.sha256() != seal.row_sha256 => {
                Err(Break::RowChanged { event_seq, seal_no })
            }
            Some(_) => Ok(Head { seal_no, sha256 }),
        }
    }
}

/// Goes through the whole chain. `known` is a head of it that was kept elsewhere.
pub async fn verify(
    connection: &mut PgConnection,
    known: Option<Head>,
) -> Result<Sound, VerifyError> {
    let mut head = Head::START;
    loop {
        let page = page(&mut *connection, head.seal_no).await?;
        if page.is_empty() {
            break;
        }
        for link in page {
            let broken = |what| VerifyError::Broken {
                sound: head.seal_no,
                what,
            };
            let next = link.check(&head).map_err(broken)?;
            if known.is_some_and(|known| known.seal_no == next.seal_no && known != next) {
                let seal_no = next.seal_no;
                return Err(broken(Break::OtherChain { seal_no }));
            }
            head = next;
        }
    }
    if let Some(known) = known.filter(|known| known.seal_no > head.seal_no) {
        let what = Break::CutOff {
            end: head.seal_no,
            seal_no: known.seal_no,
        };
        return Err(VerifyError::Broken {
            sound: head.seal_no,
            what,
        });
    }
    Ok(Sound {
        rows: head.seal_no,
        unsealed: unsealed(connection).await?,
        head,
    })
}

async fn page(executor: impl PgExecutor<'_>, after: i64) -> Result<Vec<Link>, sqlx::Error> {
    sqlx::query_as!(
        Link,
        r#"-- audit_seals_with_rows
        select
            s.seal_no, s.event_seq as sealed_seq, s.row_sha256, s.seal_sha256, s.sealed_at,
            e.event_seq as "event_seq?", e.occurred_at as "occurred_at?", e.actor as "actor?",
            e.on_behalf_of as "on_behalf_of?", e.action as "action?",
            e.account_id as "account_id?", e.resource as "resource?",
            e.subject_id as "subject_id?", e.request_id as "request_id?",
            e.detail::text as "detail?"
        from audit_seals s
        left join audit_events e on e.event_seq = s.event_seq
        where s.seal_no > $1
        order by s.seal_no
        limit $2"#,
        after,
        PAGE,
    )
    .fetch_all(executor)
    .await
}

async fn unsealed(executor: impl PgExecutor<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"-- count_unsealed_audit_events
        select count(*) as "rows!"
        from audit_events e
        where not exists (
            select
            from audit_seals s
            where s.event_seq = e.event_seq
        )"#
    )
    .fetch_one(executor)
    .await
}
