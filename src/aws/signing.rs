//! Signatures of calls that no SDK crate makes for us, by the SDK's own signer.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningInstructions, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::Identity;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::refusal::{Class, Refusal};

/// What RFC 3986 leaves as it is, and nothing else: so does the signature.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// How long a cluster takes a token.
const TOKEN_LIFE: Duration = Duration::from_mins(1);
/// What clusters want in front of a token.
const TOKEN_PREFIX: &str = "k8s-aws-v1.";

/// Who signs, where, and when.
pub(super) struct Signer<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) region: &'a str,
    pub(super) service: &'static str,
    pub(super) now: SystemTime,
}

impl Signer<'_> {
    /// Signs a request; what is answered is to be added to it.
    pub(super) fn sign(
        &self,
        (method, url): (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
        settings: SigningSettings,
    ) -> Result<SigningInstructions, BoxError> {
        let identity = Identity::from(self.credentials.clone());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(self.now)
            .settings(settings)
            .build()?
            .into();
        let headers = headers.iter().copied();
        let request = SignableRequest::new(method, url, headers, SignableBody::Bytes(body))?;
        Ok(sign(request, &params)?.into_parts().0)
    }
}

/// The token by which a cluster's Kubernetes API knows a caller: a presigned `GetCallerIdentity` that
/// the cluster sends to STS, bound to the cluster by a signed header.
pub(super) fn kubernetes_token(
    signer: &Signer<'_>,
    sts: &str,
    cluster: &str,
) -> Result<String, Refusal> {
    let url = presigned_caller(signer, sts, cluster).map_err(|error| unsigned(&error))?;
    Ok(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(url)))
}

/// There is no token, and nobody was asked for one.
pub(super) fn unsigned(error: &BoxError) -> Refusal {
    Refusal {
        action: "GetCallerIdentity",
        class: Class::Unavailable,
        code: None,
        message: format!("a token for the cluster could not be signed: {error}"),
        request_id: None,
    }
}

fn presigned_caller(signer: &Signer<'_>, sts: &str, cluster: &str) -> Result<String, BoxError> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(TOKEN_LIFE);
    let mut url = format!(
        "{}/?Action=GetCallerIdentity&Version=2011-06-15",
        sts.trim_end_matches('/')
    );
    let headers = [("x-k8s-aws-id", cluster)];
    let added = signer.sign(("GET", &url), &headers, b"", settings)?;
    for (name, value) in added.params() {
        let value = utf8_percent_encode(value, UNRESERVED);
        write!(url, "&{name}={value}")?;
    }
    Ok(url)
}
