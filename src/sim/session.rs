//! Role sessions: the credentials that `AssumeRole` gave out, and what they stand for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use super::clock::{fresh_id, wall};
use super::policy::Policy;

/// Every access key of ours begins so: one that isn't known any more is an expired one.
const KEY_PREFIX: &str = "ASIASIM";

/// Sessions that ended are forgotten when there are more than this.
const TIDY_ABOVE: usize = 50_000;

/// What is asked of a new session.
#[derive(Debug)]
pub(super) struct NewSession {
    pub account: String,
    /// The partition of the role's ARN.
    pub partition: String,
    pub role: String,
    pub name: String,
    pub source_identity: Option<String>,
    pub policy: Option<Policy>,
    pub lasts: Duration,
}

#[derive(Debug)]
pub(super) struct Session {
    pub about: NewSession,
    pub access_key_id: String,
    pub secret: String,
    pub token: String,
    pub expires_at: DateTime<Utc>,
}

impl Session {
    pub(super) fn arn(&self) -> String {
        let NewSession {
            account,
            partition,
            role,
            name,
            ..
        } = &self.about;
        let role = role.rsplit('/').next().unwrap_or(role);
        format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}")
    }

    /// The role's id and the session's name.
    pub(super) fn user_id(&self) -> String {
        format!("AROASIM{}000:{}", &self.about.account, self.about.name)
    }

    pub(super) fn expiration(&self) -> String {
        self.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// What an access key is.
#[derive(Debug)]
pub(super) enum Key {
    Live(Arc<Session>),
    /// A session that has ended; the session itself if it is still known.
    Expired(Option<Arc<Session>>),
    /// None of ours.
    Foreign,
}

#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_key: HashMap<String, Arc<Session>>,
    /// Sessions given out before this are over.
    ended_before: Option<DateTime<Utc>>,
}

impl Sessions {
    pub(super) fn issue(&mut self, about: NewSession) -> Arc<Session> {
        let now = wall();
        if self.by_key.len() >= TIDY_ABOVE {
            self.by_key.retain(|_, session| session.expires_at > now);
        }
        let id = fresh_id().as_u128();
        let session = Arc::new(Session {
            access_key_id: format!("{KEY_PREFIX}{:013X}", id & ((1 << 52) - 1)),
            secret: format!("{:040x}", fresh_id().as_u128()),
            token: format!("SimToken{:032x}{id:032x}", fresh_id().as_u128()),
            expires_at: now + about.lasts,
            about,
        });
        self.by_key
            .insert(session.access_key_id.clone(), Arc::clone(&session));
        session
    }

    pub(super) fn look_up(&self, key: &str) -> Key {
        match self.by_key.get(key) {
            Some(session) if self.is_over(session) => Key::Expired(Some(Arc::clone(session))),
            Some(session) => Key::Live(Arc::clone(session)),
            None if key.starts_with(KEY_PREFIX) => Key::Expired(None),
            None => Key::Foreign,
        }
    }

    /// Ends every session there is.
    pub(super) fn expire_all(&mut self) {
        self.ended_before = Some(wall());
    }

    fn is_over(&self, session: &Session) -> bool {
        let issued_at = session.expires_at - session.about.lasts;
        session.expires_at <= wall() || self.ended_before.is_some_and(|end| issued_at <= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(lasts: Duration) -> NewSession {
        NewSession {
            account: "111111111111".into(),
            partition: "aws".into(),
            role: "fargate-fleet".into(),
            name: "job-1".into(),
            source_identity: None,
            policy: None,
            lasts,
        }
    }

    #[test]
    fn keys_are_live_until_they_expire() {
        let mut sessions = Sessions::default();
        let session = sessions.issue(new(Duration::from_mins(15)));
        assert!(matches!(
            sessions.look_up(&session.access_key_id),
            Key::Live(_)
        ));
        assert_eq!(session.access_key_id.len(), 20);
        assert_eq!(
            session.arn(),
            "arn:aws:sts::111111111111:assumed-role/fargate-fleet/job-1"
        );
        let ended = sessions.issue(new(Duration::ZERO));
        assert!(matches!(
            sessions.look_up(&ended.access_key_id),
            Key::Expired(Some(_))
        ));
        sessions.expire_all();
        assert!(matches!(
            sessions.look_up(&session.access_key_id),
            Key::Expired(Some(_))
        ));
    }

    #[test]
    fn keys_of_another_life_are_expired_and_others_foreign() {
        let sessions = Sessions::default();
        assert!(matches!(
            sessions.look_up("ASIASIM0123456789ABC"),
            Key::Expired(None)
        ));
        assert!(matches!(sessions.look_up("test"), Key::Foreign));
    }
}
