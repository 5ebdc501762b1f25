//! The checks that every token passes: its shape, its signature, whose it is, for whom and for when.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Validation, decode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::key_set::Key;
use super::options::OidcOptions;
use super::refusal::Refusal;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;
/// How far the issuer's clock and ours may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// What a token says of how it was signed; to choose among the issuer's keys, and for nothing else.
#[derive(Debug)]
pub(super) struct Head {
    pub algorithm: Algorithm,
    pub key_id: Option<String>,
}

/// Keys and addresses of keys that a header may carry are not even read.
#[derive(Deserialize)]
struct Written {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

impl Head {
    /// Reads the first of a token's three parts.
    pub(super) fn of(token: &str) -> Result<Self, Refusal> {
        if token.len() > LONGEST || token.split('.').count() != 3 {
            return Err(Refusal::Malformed);
        }
        let encoded = token.split('.').next().unwrap_or_default();
        let json = BASE64_URL_SAFE_NO_PAD.decode(encoded);
        let json = json.map_err(|_| Refusal::Malformed)?;
        let head: Written = serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)?;
        // RFC 7515, 4.1.11: who does not understand an extension refuses.
        if head.crit.is_some() || !head.typ.as_deref().is_none_or(is_access) {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            algorithm: accepted(&head.alg).ok_or(Refusal::Malformed)?,
            key_id: head.kid,
        })
    }
}

fn accepted(name: &str) -> Option<Algorithm> {
    match name {
        "RS256" => Some(Algorithm::RS256),
        "ES256" => Some(Algorithm::ES256),
        "EdDSA" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

/// A logout token or a proof of possession is signed by the same keys, and lets nobody in.
fn is_access(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    let short = typ.strip_prefix("application/").unwrap_or(&typ);
    matches!(short, "jwt" | "at+jwt")
}

/// The claims of a token that this key has signed, of the issuer and for the audience.
pub(super) fn verified(token: &str, key: &Key, options: &OidcOptions) -> Result<Value, Refusal> {
    let mut validation = Validation::new(key.algorithm);
    validation.set_required_spec_claims(&["iss", "aud", "exp"]);
    validation.set_issuer(&[options.issuer.as_str()]);
    validation.set_audience(&[options.audience.as_str()]);
    // By our clock, below.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let claims = decode::<Map<String, Value>>(token, &key.decoding, &validation);
    let claims = Value::Object(claims.map_err(|error| refusal(&error))?.claims);
    // The library takes a list of issuers too.
    match claims.get("iss") {
        Some(Value::String(issuer)) if issuer == options.issuer.as_str() => Ok(claims),
        _ => Err(Refusal::Issuer),
    }
}

fn refusal(error: &Error) -> Refusal {
    match error.kind() {
        ErrorKind::InvalidIssuer => Refusal::Issuer,
        ErrorKind::InvalidAudience => Refusal::Audience,
        ErrorKind::MissingRequiredClaim(claim) => match claim.as_str() {
            "iss" => Refusal::Issuer,
            "aud" => Refusal::Audience,
            _ => Refusal::Expired,
        },
        ErrorKind::InvalidSignature => Refusal::Signature,
        _ => Refusal::Malformed,
    }
}

/// When the token stops counting, which is not yet.
pub(super) fn in_force(claims: &Value, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    let ends_at = claims.get("exp").and_then(time).ok_or(Refusal::Expired)?;
    let ends_at = ends_at.checked_add_signed(LEEWAY).ok_or(Refusal::Expired)?;
    if ends_at <= now {
        return Err(Refusal::Expired);
    }
    if let Some(begins) = claims.get("nbf") {
        let begins_at = time(begins).ok_or(Refusal::NotYet)?;
        if now.signed_duration_since(begins_at) < -LEEWAY {
            return Err(Refusal::NotYet);
        }
    }
    Ok(ends_at)
}

/// RFC 7519: seconds since 1970, which need not be whole.
fn time(value: &Value) -> Option<DateTime<Utc>> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it saturates, and no such time exists"
    )]
    let whole = |seconds: f64| seconds.floor() as i64;
    let seconds = value.as_i64().or_else(|| value.as_f64().map(whole))?;
    DateTime::from_timestamp(seconds, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn head(json: &str) -> Result<Head, Refusal> {
        let encoded = BASE64_URL_SAFE_NO_PAD.encode(json);
        Head::of(&format!("{encoded}.e30.AA"))
    }

    #[test]
    fn only_signed_tokens_of_three_algorithms_are_looked_at() {
        for algorithm in ["RS256", "ES256", "EdDSA"] {
            assert!(head(&format!(r#"{{"alg": "{algorithm}"}}"#)).is_ok());
        }
        for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
            assert!(head(&format!(r#"{{"alg": "RS256", "typ": "{typ}"}}"#)).is_ok());
        }
        for bad in [
            "",
            "{}",
            r#"["RS256"]"#,
            r#"{"alg": "none"}"#,
            r#"{"alg": "HS256"}"#,
            r#"{"alg": "rs256"}"#,
            r#"{"alg": "RS256", "alg": "RS256"}"#,
            r#"{"alg": "RS256", "kid": 1}"#,
            r#"{"alg": "RS256", "crit": ["exp"]}"#,
            r#"{"alg": "RS256", "typ": "logout+jwt"}"#,
            r#"{"alg": "RS256", "typ": "dpop+jwt"}"#,
        ] {
            assert_eq!(head(bad).unwrap_err(), Refusal::Malformed, "{bad}");
        }
    }

    #[test]
    fn sixty_seconds_are_forgiven_on_both_sides() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let ends = |exp: Value| in_force(&json!({"exp": exp}), now);
        assert_eq!(ends(json!(999_941)).unwrap().timestamp(), 1_000_001);
        assert_eq!(ends(json!(999_941.9)).unwrap().timestamp(), 1_000_001);
        for bad in [
            json!(999_940),
            json!(0),
            json!(-1),
            json!("2000000"),
            json!(true),
            json!(null),
            json!(1e300),
            json!(u64::MAX),
            json!(i64::MAX),
        ] {
            assert_eq!(ends(bad.clone()), Err(Refusal::Expired), "{bad}");
        }
        let begins = |nbf: Value| in_force(&json!({"exp": 2_000_000, "nbf": nbf}), now);
        assert!(begins(json!(1_000_060)).is_ok() && begins(json!(0)).is_ok());
        for bad in [json!(1_000_061), json!("0"), json!(null), json!(1e300)] {
            assert_eq!(begins(bad.clone()), Err(Refusal::NotYet), "{bad}");
        }
    }
}
