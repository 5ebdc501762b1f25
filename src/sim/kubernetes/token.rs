//! Who calls a cluster: the token of `aws eks get-token`, which is a presigned `GetCallerIdentity`.
//!
//! EKS sends it to STS together with the cluster's name. So does this: the signature of a session of
//! ours is worked out anew over that name, and a token for one cluster opens no other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

use crate::sim::caller::MANAGEMENT_ACCOUNT;
use crate::sim::session::{Key, Session, Sessions};
use crate::sim::text::hex;
use crate::sim::wire::pairs;

const PREFIX: &str = "Bearer k8s-aws-v1.";
/// How long EKS takes a token, whatever it says of itself.
const LIFE: TimeDelta = TimeDelta::minutes(15);
/// What a presigned request may at most say of its own life.
const LONGEST_SECONDS: u64 = 900;
const CLUSTER_HEADER: &str = "x-k8s-aws-id";
/// What signatures leave as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Who calls, as EKS and Kubernetes know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    /// The IAM principal: a role without the session.
    pub principal: String,
    /// The session.
    pub session_arn: String,
}

/// Why nobody calls. Kubernetes says `Unauthorized` to all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotKnown {
    #[error("no token of EKS")]
    NoToken,
    #[error("the token is malformed")]
    Malformed,
    #[error("the token is for something else than GetCallerIdentity")]
    WrongAction,
    #[error("the token does not sign the cluster's name")]
    NoCluster,
    #[error("the token has expired")]
    Expired,
    #[error("the session of the token has ended")]
    SessionOver,
    #[error("the token's signature is not that of the session over this cluster's name")]
    WrongSignature,
}

/// A presigned request, taken apart.
struct Presigned {
    host: String,
    query: Vec<(String, String)>,
}

/// Works out who calls this cluster.
pub(super) fn identify(
    sessions: &Sessions,
    authorization: Option<&str>,
    cluster: &str,
    now: DateTime<Utc>,
) -> Result<Who, NotKnown> {
    let token = authorization.and_then(|header| header.strip_prefix(PREFIX));
    let presigned = Presigned::read(token.ok_or(NotKnown::NoToken)?)?;
    presigned.check(now)?;
    let credential = presigned
        .field("X-Amz-Credential")
        .ok_or(NotKnown::Malformed)?;
    let (key, scope) = credential.split_once('/').ok_or(NotKnown::Malformed)?;
    match sessions.look_up(key) {
        Key::Foreign => {
            let arn = format!("arn:aws:iam::{MANAGEMENT_ACCOUNT}:user/management");
            Ok(Who {
                principal: arn.clone(),
                session_arn: arn,
            })
        }
        Key::Expired(_) => Err(NotKnown::SessionOver),
        Key::Live(session) => {
            if presigned.field("X-Amz-Security-Token") != Some(session.token.as_str()) {
                return Err(NotKnown::SessionOver);
            }
            let expected = presigned.signature(&session.secret, scope, cluster)?;
            if presigned.field("X-Amz-Signature") != Some(expected.as_str()) {
                return Err(NotKnown::WrongSignature);
            }
            Ok(Who {
                principal: principal(&session),
                session_arn: session.arn(),
            })
        }
    }
}

/// The access key of a token that can be read.
pub(super) fn access_key(authorization: &str) -> Option<String> {
    let presigned = Presigned::read(authorization.strip_prefix(PREFIX)?).ok()?;
    let (key, _) = presigned.field("X-Amz-Credential")?.split_once('/')?;
    Some(key.to_owned())
}

/// The ARN of the role behind a session.
pub(in crate::sim) fn principal(session: &Session) -> String {
    let about = &session.about;
    let (partition, account, role) = (&about.partition, &about.account, &about.role);
    format!("arn:{partition}:iam::{account}:role/{role}")
}

impl Presigned {
    fn read(token: &str) -> Result<Self, NotKnown> {
        let url = URL_SAFE_NO_PAD
            .decode(token.trim_end_matches('='))
            .map_err(|_| NotKnown::Malformed)?;
        let url = String::from_utf8(url).map_err(|_| NotKnown::Malformed)?;
        let (_, rest) = url.split_once("://").ok_or(NotKnown::Malformed)?;
        let (head, query) = rest.split_once('?').ok_or(NotKnown::Malformed)?;
        let host = head.trim_end_matches('/');
        if host.is_empty() || host.contains('/') {
            return Err(NotKnown::Malformed);
        }
        Ok(Self {
            host: host.to_owned(),
            query: pairs(query),
        })
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut all = self.query.iter();
        let found = all.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// What can be told without knowing the session.
    fn check(&self, now: DateTime<Utc>) -> Result<(), NotKnown> {
        if self.field("Action") != Some("GetCallerIdentity") {
            return Err(NotKnown::WrongAction);
        }
        if !self.signed_headers().any(|name| name == CLUSTER_HEADER) {
            return Err(NotKnown::NoCluster);
        }
        let seconds = self
            .field("X-Amz-Expires")
            .and_then(|text| text.parse().ok());
        if seconds.is_none_or(|seconds: u64| seconds > LONGEST_SECONDS) {
            return Err(NotKnown::Malformed);
        }
        let date = self.field("X-Amz-Date").unwrap_or_default();
        let date = NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ")
            .map_err(|_| NotKnown::Malformed)?
            .and_utc();
        if date + LIFE <= now || date > now + LIFE {
            return Err(NotKnown::Expired);
        }
        Ok(())
    }

    fn signed_headers(&self) -> impl Iterator<Item = &str> {
        let names = self.field("X-Amz-SignedHeaders").unwrap_or_default();
        names.split(';')
    }

    /// Signature Version 4 over the request, sent with this cluster's name.
    fn signature(&self, secret: &str, scope: &str, cluster: &str) -> Result<String, NotKnown> {
        let date = self.field("X-Amz-Date").unwrap_or_default();
        let request = self.canonical(cluster)?;
        let text = format!(
            "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
            hex(&Sha256::digest(request.as_bytes()))
        );
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in scope.split('/') {
            key = keyed(&key, part)?;
        }
        Ok(hex(&keyed(&key, &text)?))
    }

    fn canonical(&self, cluster: &str) -> Result<String, NotKnown> {
        let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        let mut query: Vec<(String, String)> = self
            .query
            .iter()
            .filter(|(key, _)| key != "X-Amz-Signature")
            .map(|(key, value)| (encode(key), encode(value)))
            .collect();
        query.sort_unstable();
        let query: Vec<String> = query
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let mut headers = String::new();
        for name in self.signed_headers() {
            let value = match name {
                "host" => self.host.as_str(),
                CLUSTER_HEADER => cluster,
                // EKS sends no other.
                _ => return Err(NotKnown::WrongSignature),
            };
            headers.extend([name, ":", value, "\n"]);
        }
        let names: Vec<&str> = self.signed_headers().collect();
        Ok(format!(
            "GET\n/\n{}\n{headers}\n{}\n{}",
            query.join("&"),
            names.join(";"),
            hex(&Sha256::digest(b""))
        ))
    }
}

fn keyed(key: &[u8], text: &str) -> Result<Vec<u8>, NotKnown> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| NotKnown::Malformed)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}
