//! Who calls: the access key and the region in a request's signature, and the session behind it.

use std::sync::Arc;

use super::error::AwsError;
use super::rights::RolePolicy;
use super::session::{Key, Session, Sessions};

/// The account of callers that hold no session of ours: it may assume the role of any account.
pub(super) const MANAGEMENT_ACCOUNT: &str = "000000000000";

/// The region of calls whose signature names none.
const DEFAULT_REGION: &str = "us-east-1";

#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Whose EKS it sees.
    pub account: String,
    pub region: String,
    /// The service that the signature is for.
    pub service: String,
    pub session: Option<Arc<Session>>,
    /// The policies of the session's role, if a test has set some.
    pub role: Option<Arc<RolePolicy>>,
}

/// The `Credential=` of a Signature Version 4.
#[derive(Debug, PartialEq, Eq)]
struct Credential<'a> {
    key: &'a str,
    region: &'a str,
    service: &'a str,
}

impl<'a> Credential<'a> {
    fn parse(authorization: &'a str) -> Option<Self> {
        let fields = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
        let scope = fields
            .split(',')
            .find_map(|field| field.trim().strip_prefix("Credential="))?;
        let mut parts = scope.rsplitn(5, '/');
        let end = parts.next()?;
        let (service, region, date) = (parts.next()?, parts.next()?, parts.next()?);
        let key = parts.next()?;
        let whole =
            end == "aws4_request" && date.len() == 8 && !region.is_empty() && !key.is_empty();
        whole.then_some(Self {
            key,
            region,
            service,
        })
    }
}

impl Caller {
    /// Works out who calls. There is always a caller, for the record; the second part says why it
    /// must not be served, if so.
    pub(super) fn identify(
        sessions: &Sessions,
        first_account: &str,
        authorization: Option<&str>,
        token: Option<&str>,
    ) -> (Self, Option<AwsError>) {
        let credential = authorization.and_then(Credential::parse);
        let region = credential
            .as_ref()
            .map_or(DEFAULT_REGION, |c| c.region)
            .to_owned();
        let service = credential.as_ref().map_or("", |c| c.service).to_owned();
        let stranger = |region| Self {
            account: first_account.to_owned(),
            region,
            service: service.clone(),
            session: None,
            role: None,
        };
        let of = |session, region| Self::of(session, region, service.clone());
        let Some(credential) = credential else {
            return (stranger(region), Some(unsigned(authorization)));
        };
        match sessions.look_up(credential.key) {
            Key::Foreign => (stranger(region), None),
            Key::Expired(None) => (stranger(region), Some(AwsError::expired())),
            Key::Expired(Some(session)) => (of(session, region), Some(AwsError::expired())),
            Key::Live(session) => {
                let forged = token != Some(session.token.as_str());
                (of(session, region), forged.then(invalid_token))
            }
        }
    }

    fn of(session: Arc<Session>, region: String, service: String) -> Self {
        Self {
            account: session.about.account.clone(),
            region,
            service,
            session: Some(session),
            role: None,
        }
    }

    /// Refuses a signature for another service, and for IAM one for another region than IAM's.
    pub(super) fn check_scope(&self, service: &str) -> Result<(), AwsError> {
        if self.service != service {
            let why = format!("Credential should be scoped to correct service: '{service}'.");
            return Err(AwsError::new(403, "SignatureDoesNotMatch", why));
        }
        let home = match super::arn::partition(&self.region) {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            "aws-eusc" => "eusc-de-east-1",
            "aws-iso" => "us-iso-east-1",
            "aws-iso-b" => "us-isob-east-1",
            "aws-iso-e" => "eu-isoe-west-1",
            "aws-iso-f" => "us-isof-south-1",
            _ => DEFAULT_REGION,
        };
        if service == "iam" && self.region != home {
            let why = format!(
                "Credential should be scoped to a valid region, not '{}'.",
                self.region
            );
            return Err(AwsError::new(403, "SignatureDoesNotMatch", why));
        }
        Ok(())
    }

    pub(super) fn arn(&self) -> String {
        self.session.as_ref().map_or_else(
            || format!("arn:aws:iam::{MANAGEMENT_ACCOUNT}:user/management"),
            |session| session.arn(),
        )
    }
}

fn unsigned(authorization: Option<&str>) -> AwsError {
    match authorization {
        None => AwsError::new(
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        Some(_) => AwsError::new(
            403,
            "IncompleteSignatureException",
            "Authorization header requires a 'Credential' of the form \
             key/date/region/service/aws4_request",
        ),
    }
}

fn invalid_token() -> AwsError {
    AwsError::new(
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_tells_key_and_region() {
        let header = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-central-1/eks/aws4_request, \
                      SignedHeaders=host, Signature=abc";
        let credential = Credential::parse(header).unwrap();
        assert_eq!(
            (credential.key, credential.region),
            ("AKID", "eu-central-1")
        );
    }

    #[test]
    fn unsigned_and_malformed_calls_are_refused() {
        let sessions = Sessions::default();
        let code = |header| {
            Caller::identify(&sessions, "111111111111", header, None)
                .1
                .map(|error| error.code)
        };
        assert_eq!(
            code(None).as_deref(),
            Some("MissingAuthenticationTokenException")
        );
        assert_eq!(
            code(Some("Bearer x")).as_deref(),
            Some("IncompleteSignatureException")
        );
        let header = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/eks/aws4_request";
        assert_eq!(code(Some(header)), None);
    }
}
