//! Requests and answers as they travel: the JSON of EKS and CloudWatch Logs and the others' XML, each with its headers.

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::Value;

use super::clock::fresh_id;
use super::error::{AwsError, Names};
use super::kubernetes;
use super::logs;
use super::query::{self, Service};

/// A request, read whole.
#[derive(Debug)]
pub(super) struct Inbound {
    pub method: String,
    /// Still percent-encoded.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub authorization: Option<String>,
    pub content_type: Option<String>,
    /// The security token that goes with a session's key.
    pub token: Option<String>,
    /// The action, in the protocol of CloudWatch Logs.
    pub target: Option<String>,
    pub body: Bytes,
}

impl Inbound {
    pub(super) fn new(request: &HttpRequest, body: Bytes) -> Self {
        let header = |name: &str| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        Self {
            method: request.method().as_str().to_owned(),
            path: request.uri().path().to_owned(),
            query: pairs(request.query_string()),
            authorization: header("authorization"),
            content_type: header("content-type"),
            token: header("x-amz-security-token"),
            target: header("x-amz-target"),
            body,
        }
    }
}

/// The fields of a query string or form; none when it is malformed.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    web::Query::<Vec<(String, String)>>::from_query(text)
        .map(web::Query::into_inner)
        .unwrap_or_default()
}

/// An answer before it becomes bytes.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    content_type: &'static str,
    error: Option<String>,
    pub body: String,
}

impl Answer {
    pub(super) fn eks(result: Result<Value, AwsError>, names: &Names) -> Self {
        let (status, error, body) = match result {
            Ok(body) => (200, None, body),
            Err(error) => (error.status, Some(error.code.clone()), error.body(names)),
        };
        Self {
            status,
            content_type: "application/json",
            error,
            body: body.to_string(),
        }
    }

    pub(super) fn kubernetes(reply: kubernetes::Reply) -> Self {
        let (status, body) = reply.unwrap_or_else(|status| (status.code, status.body()));
        Self {
            status,
            content_type: "application/json",
            error: None,
            body: body.to_string(),
        }
    }

    pub(super) fn logs(result: Result<Value, AwsError>) -> Self {
        let (status, body) = match result {
            Ok(body) => (200, body),
            Err(error) => logs::refusal(&error),
        };
        Self {
            status,
            content_type: "application/x-amz-json-1.1",
            error: None,
            body: if body.is_null() {
                String::new()
            } else {
                body.to_string()
            },
        }
    }

    pub(super) fn query(service: Service, action: &str, result: Result<String, AwsError>) -> Self {
        let (status, body) = match result {
            Ok(body) => (200, query::document(service, action, &body)),
            Err(error) => query::refusal(service, &error),
        };
        Self {
            status,
            content_type: "text/xml",
            error: None,
            body,
        }
    }

    pub(super) fn unknown(method: &str, path: &str) -> Self {
        let message = format!("The simulator knows no operation {method} {path}");
        let error = AwsError::new(404, "UnknownOperationException", message);
        Self::eks(Err(error), &Names::default())
    }

    /// The head of the answer, to which a body is to be added.
    pub(super) fn head(&self) -> HttpResponseBuilder {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut head = HttpResponse::build(status);
        head.content_type(self.content_type);
        head.insert_header(("x-amzn-RequestId", fresh_id().to_string()));
        if let Some(code) = &self.error {
            head.insert_header(("x-amzn-ErrorType", code.as_str()));
        }
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_with_repeated_fields() {
        assert_eq!(
            pairs("tagKeys=a%20b&tagKeys=c+d"),
            [
                ("tagKeys".into(), "a b".into()),
                ("tagKeys".into(), "c d".into())
            ]
        );
    }
}
