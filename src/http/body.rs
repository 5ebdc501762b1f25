//! Request bodies: bounded, of a media type that the route reads.

use std::io::Read;

use actix_web::dev::Payload;
use actix_web::http::Version;
use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING,
};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::json_shape;
use super::permits::Permit;
use super::problem::{Problem, Right};
use crate::domain::decode::{self, MAX_BYTES};
use crate::domain::eksctl::Part;
use crate::domain::{ClusterConfig, ErrorCode, Invalid};
use crate::limits::Limits;

/// The largest body that is ever read, in bytes.
pub(super) const MAX_BODY: usize = MAX_BYTES;

/// A body, and the leaves to have it in hand and to work on it.
pub(super) struct Body {
    bytes: Vec<u8>,
    _permits: [Permit; 2],
}

impl Body {
    pub(super) fn new(bytes: Vec<u8>, permits: [Permit; 2]) -> Self {
        Self {
            bytes,
            _permits: permits,
        }
    }
}

impl std::ops::Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The most bytes that a body may turn out to have, before it is read; refused when it is too large.
pub(super) fn expected(
    headers: &HeaderMap,
    version: Version,
    limits: &Limits,
) -> Result<usize, Problem> {
    let most = limits.body_bytes;
    match announced(headers) {
        Some(bytes) if bytes > most => Err(too_large(most)),
        // What comes out of a packed one may be as large as any.
        Some(_) if headers.contains_key(CONTENT_ENCODING) => Ok(most),
        Some(bytes) => Ok(bytes),
        // In chunks, or none at all.
        None if version == Version::HTTP_2 || headers.contains_key(TRANSFER_ENCODING) => Ok(most),
        None => Ok(0),
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body to its end, within its time.
pub(super) async fn read(
    headers: &HeaderMap,
    payload: Payload,
    limits: &Limits,
) -> Result<Vec<u8>, Problem> {
    let reading = read_whole(headers, payload, limits.body_bytes);
    let coding = Coding::of(headers)?;
    let body = tokio::time::timeout(limits.body_timeout, reading)
        .await
        .map_err(|_| too_slow(limits))??;
    coding.decoded(body, limits.body_bytes)
}

/// Refuses JSON of a shape that nobody means, before it is read into anything.
pub(super) fn check(headers: &HeaderMap, body: &[u8], limits: &Limits) -> Result<(), Problem> {
    if media_type(headers).ends_with("json") {
        json_shape::check(body, limits)?;
    }
    Ok(())
}

async fn read_whole(
    headers: &HeaderMap,
    mut payload: Payload,
    most: usize,
) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::with_capacity(announced(headers).unwrap_or(0).min(most));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            tracing::debug!(%error, "reading a body");
            let detail = "The body broke off, or does not fit its Content-Length or its encoding. \
                          Send it again.";
            Problem::new(ErrorCode::InvalidRequest, detail)
        })?;
        if body.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
    Deflate,
}

/// For `Accept-Encoding`.
const CODINGS: &str = "gzip, deflate";

impl Coding {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut packed = headers.get_all(CONTENT_ENCODING).flat_map(|value| {
            let value = value.to_str().unwrap_or("?");
            value
                .split(',')
                .map(|coding| coding.trim().to_ascii_lowercase())
        });
        let coding = match packed.next().as_deref() {
            None | Some("identity" | "") => Some(Self::Identity),
            Some("gzip" | "x-gzip") => Some(Self::Gzip),
            Some("deflate") => Some(Self::Deflate),
            Some(_) => None,
        };
        if let (Some(coding), None) = (coding, packed.next()) {
            return Ok(coding);
        }
        let detail = "A body of this Content-Encoding is not read: send it as it is, or with one of \
                      gzip and deflate.";
        let mut problem = Problem::new(ErrorCode::InvalidRequest, detail).status(415);
        problem.right = Some(Right::Encodings(CODINGS));
        Err(problem)
    }

    /// The body as it was before it was packed, which is bounded like one that was not.
    fn decoded(self, body: Vec<u8>, most: usize) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => unpacked(MultiGzDecoder::new(body.as_slice()), most),
            Self::Deflate => unpacked(ZlibDecoder::new(body.as_slice()), most),
        }
    }
}

fn unpacked(packed: impl Read, most: usize) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    packed.take(limit).read_to_end(&mut body).map_err(|error| {
        tracing::debug!(%error, "unpacking a body");
        let detail = "The body is not what its Content-Encoding says: pack it again, or send it as \
                      it is.";
        Problem::new(ErrorCode::InvalidRequest, detail)
    })?;
    if body.len() > most {
        return Err(too_large(most));
    }
    Ok(body)
}

/// The media type of the body in lower case, without parameters.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Refuses bodies that are not of one of these media types.
pub(super) fn must_be(headers: &HeaderMap, known: &[&str]) -> Result<(), Problem> {
    let sent = media_type(headers);
    if known.contains(&sent.as_str()) {
        return Ok(());
    }
    let sent = if sent.is_empty() {
        "without a Content-Type"
    } else {
        &sent
    };
    let detail = format!(
        "A body {sent} is not read here: send {}.",
        known.join(" or ")
    );
    Err(Problem::new(ErrorCode::InvalidRequest, detail).status(415))
}

/// Reads a JSON body into a type. What is not JSON at all is 400, what does not fit is 422.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let tree: Value = decode::json_tree(body).map_err(malformed)?;
    decode::typed(tree).map_err(Problem::invalid)
}

/// The media types of documents that may be YAML or JSON.
pub(super) const DOCUMENTS: [&str; 4] = [
    "application/yaml",
    "application/x-yaml",
    "text/yaml",
    "application/json",
];

/// Reads a `ClusterConfig`, or a part of one: JSON or YAML, as its media type says.
pub(super) fn cluster_config(
    headers: &HeaderMap,
    body: &[u8],
    part: Part,
) -> Result<ClusterConfig, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let good = error.valid_up_to();
        let words = format!("not UTF-8 from byte {good} on; save the file as UTF-8");
        malformed(vec![Invalid::new("", words)])
    })?;
    let read = if media_type(headers) == "application/json" {
        ClusterConfig::from_json(text, part)
    } else {
        ClusterConfig::from_yaml(text, part)
    };
    read.map_err(|errors| match errors.as_slice() {
        // It could not be read at all.
        [one] if one.message.starts_with("not valid ") => malformed(errors),
        _ => Problem::invalid(errors),
    })
}

/// A body that is not of its own format: 400.
pub(super) fn malformed(errors: Vec<Invalid>) -> Problem {
    Problem::invalid(errors).status(400)
}

fn too_large(most: usize) -> Problem {
    let detail = format!("The body is larger than {most} bytes: send less at a time.");
    Problem::new(ErrorCode::InvalidRequest, detail).status(413)
}

fn too_slow(limits: &Limits) -> Problem {
    let detail = format!(
        "The body did not arrive within {:?}: send it again, faster.",
        limits.body_timeout
    );
    Problem::new(ErrorCode::InvalidRequest, detail).status(408)
}
