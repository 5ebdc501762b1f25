//! Problems (RFC 9457): the one place where what went wrong becomes an answer.
//!
//! A [`Problem`] is made wherever something is refused; the middleware ([`super::envelope`]) adds
//! the request's id and path and writes it, so that a problem of the framework looks the same.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use sqlx::error::DatabaseError;

use super::wire::problem::ProblemBody;
use crate::database::is_passing;
use crate::db::jobs::JobRow;
use crate::domain::{ErrorCode, Invalid, JobError, ParseError};
use crate::queue::group_commit::GroupCommitError;

/// The media type of every error.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, before it is written.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub status: u16,
    pub code: ErrorCode,
    pub detail: String,
    pub retryable: bool,
    pub retry_after_seconds: Option<u32>,
    pub resource: Option<String>,
    pub errors: Vec<Invalid>,
    /// For 401: whether there was a token, which does not count.
    pub invalid_token: bool,
    /// A header that says what would have been right.
    pub right: Option<Right>,
}

/// What would have been right.
#[derive(Debug, Clone)]
pub(super) enum Right {
    /// For 405.
    Methods(String),
    /// For 415: the encodings of a body that are read.
    Encodings(&'static str),
}

/// In bytes; paths are ASCII.
const LONGEST_INSTANCE: usize = 8_192;

impl Problem {
    pub(super) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            status: code.http_status(),
            code,
            detail: detail.into(),
            retryable: code.retryable(),
            retry_after_seconds: code.retryable().then_some(5),
            resource: None,
            errors: Vec::new(),
            invalid_token: false,
            right: None,
        }
    }

    /// Fields that are wrong: 422.
    pub(super) fn invalid(errors: Vec<Invalid>) -> Self {
        let detail = match errors.as_slice() {
            [one] if one.pointer.is_empty() => one.message.clone(),
            [one] => format!("{}: {}", one.pointer, one.message),
            many => format!("{} fields are wrong; see errors.", many.len()),
        };
        let mut problem = Self::new(ErrorCode::InvalidRequest, detail).status(422);
        problem.errors = errors;
        problem
    }

    /// One field that is wrong: 422.
    pub(super) fn invalid_field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![Invalid::new(pointer, message)])
    }

    /// A text that does not parse, at `pointer`: 422.
    pub(super) fn unparsable(pointer: &str, error: &ParseError) -> Self {
        Self::invalid_field(pointer, error.message())
    }

    pub(super) fn not_found(resource: &str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(ErrorCode::NotFound, detail);
        problem.resource = Some(resource.to_owned());
        problem
    }

    pub(super) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(super) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds.clamp(1, 86_400));
        self
    }

    /// The table's code for what did not answer in time, with the status of what may soon.
    pub(super) fn unavailable(detail: &str) -> Self {
        let problem = Self::new(ErrorCode::DeadlineExceeded, detail).status(503);
        problem.retry_after(2)
    }

    /// The database does not answer, or takes no writes.
    pub(super) fn database_away() -> Self {
        Self::unavailable(
            "The database does not answer: repeat the request, with the same Idempotency-Key \
             where it has one.",
        )
    }

    fn of_database(error: &sqlx::Error) -> Self {
        if is_over_time(error) {
            tracing::warn!("a statement took longer than it may, and was stopped");
            let detail = "Reading this took longer than it may: repeat the request a little later, \
                          with a smaller pageSize or narrower filters.";
            return Self::unavailable(detail);
        }
        tracing::error!(
            error = error as &dyn std::error::Error,
            "using the database"
        );
        if is_passing(error) {
            return Self::database_away();
        }
        Self::new(
            ErrorCode::Internal,
            "This is a fault of the service: report it with the request id.",
        )
    }

    /// This process is stopping.
    pub(super) fn shutting_down() -> Self {
        let detail = "This process is stopping: repeat the request, another one answers it.";
        Self::new(ErrorCode::ShuttingDown, detail).retry_after(1)
    }

    /// The problem of a status that the framework gave.
    pub(super) fn of_framework(status: StatusCode, words: &str) -> Self {
        let code = match status.as_u16() {
            401 => ErrorCode::Unauthenticated,
            403 => ErrorCode::PermissionDenied,
            404 => ErrorCode::NotFound,
            412 => ErrorCode::PreconditionFailed,
            429 => ErrorCode::RateLimited,
            503 => ErrorCode::ShuttingDown,
            400..500 => ErrorCode::InvalidRequest,
            _ => ErrorCode::Internal,
        };
        let detail = if status.is_server_error() {
            "This is a fault of the service: report it with the request id.".to_owned()
        } else if status == StatusCode::NOT_ACCEPTABLE {
            "No encoding of the answer that you accept is at hand: accept identity, gzip or deflate."
                .to_owned()
        } else if words.is_empty() {
            format!("{}: check the request against /docs.", title(status))
        } else {
            format!("{words}: check the request against /docs.")
        };
        Self::new(code, detail).status(status.as_u16())
    }

    /// The failure of a live read, as a problem.
    pub(super) fn of_job(job: &JobRow) -> Self {
        let error = job.error.clone().map(serde_json::from_value::<JobError>);
        let Some(Ok(error)) = error else {
            let detail = format!("The job {} ended {}.", job.job_id, job.state);
            return Self::new(ErrorCode::Conflict, detail);
        };
        let mut problem = Self::new(error.code, error.message);
        problem.retryable = error.retryable;
        if !error.retryable {
            problem.retry_after_seconds = None;
        }
        problem.resource = error.resource;
        problem
    }

    pub(super) fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// RFC 6750, 3: who sent no token is told of no error.
    fn challenge(&self) -> &'static str {
        if self.invalid_token {
            "Bearer realm=\"fargate-fleet\", error=\"invalid_token\""
        } else {
            "Bearer realm=\"fargate-fleet\""
        }
    }

    /// The answer, for the request of this id and path.
    pub(super) fn response(&self, request_id: &str, path: &str) -> HttpResponse {
        let status = self.status_code();
        let mut answer = HttpResponse::build(status);
        answer.content_type(PROBLEM_JSON);
        if let Some(seconds) = self.retry_after_seconds {
            answer.insert_header(("Retry-After", seconds.to_string()));
        }
        if self.code == ErrorCode::Unauthenticated {
            answer.insert_header(("WWW-Authenticate", self.challenge()));
        }
        match &self.right {
            Some(Right::Methods(allow)) => {
                answer.insert_header(("Allow", allow.as_str()));
            }
            Some(Right::Encodings(encodings)) => {
                answer.insert_header(("Accept-Encoding", *encodings));
            }
            None => {}
        }
        let body = ProblemBody {
            r#type: format!("/problems/{}", self.code),
            title: title(status).to_owned(),
            status: self.status,
            detail: &self.detail,
            // A path that is too long to be read is too long to be told.
            instance: path.get(..LONGEST_INSTANCE).unwrap_or(path),
            code: self.code,
            retryable: self.retryable,
            retry_after_seconds: self.retry_after_seconds,
            request_id,
            resource: self.resource.as_deref(),
            errors: &self.errors,
        };
        answer.body(serde_json::to_vec(&body).unwrap_or_default())
    }
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        Problem::status_code(self)
    }

    /// Carries the problem to the middleware, which knows the request.
    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::new(self.status_code());
        answer.extensions_mut().insert(self.clone());
        answer
    }
}

impl From<Vec<Invalid>> for Problem {
    fn from(errors: Vec<Invalid>) -> Self {
        Self::invalid(errors)
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::of_database(&error)
    }
}

impl From<GroupCommitError> for Problem {
    fn from(error: GroupCommitError) -> Self {
        match error {
            GroupCommitError::Stopped => Self::shutting_down(),
            GroupCommitError::Full => {
                let detail = "Too many requests are waiting for the database: slow down, then \
                              repeat the request.";
                Self::new(ErrorCode::RateLimited, detail).retry_after(2)
            }
            GroupCommitError::Database(error) => Self::of_database(&error),
        }
    }
}

/// Whether Postgres stopped the statement at its time limit.
fn is_over_time(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code == "57014")
}
