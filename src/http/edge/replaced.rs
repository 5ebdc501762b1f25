//! What the server answers by itself, and the problem that is sent in its place.

use std::fmt::Write as _;
use std::time::SystemTime;

use actix_web::body::MessageBody as _;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use bytes::BytesMut;

use crate::clock::Clock;
use crate::domain::ErrorCode;
use crate::http::problem::Problem;
use crate::http::safety;

/// The longest head that the server writes by itself.
const LONGEST: usize = 512;

/// The status of an answer that is the server's own: a refusal without a body and without our headers.
pub(super) fn status(written: &[u8]) -> Option<StatusCode> {
    let head = std::str::from_utf8(written).ok()?;
    let rest = head.strip_prefix("HTTP/1.")?;
    let own = head.len() <= LONGEST
        && head.ends_with("\r\n\r\n")
        && head.matches("\r\n\r\n").count() == 1
        && head
            .to_ascii_lowercase()
            .contains("\r\ncontent-length: 0\r\n")
        && !head.contains("x-request-id");
    let status = rest.get(2..5)?.parse::<u16>().ok()?;
    let refusal = (400..600).contains(&status);
    StatusCode::from_u16(status).ok().filter(|_| own && refusal)
}

/// What was written without an answer of the server's own at its end, if there is one.
pub(super) fn without_tail(written: &[u8]) -> Option<&[u8]> {
    if !written.ends_with(b"\r\n\r\n") {
        return None;
    }
    let from = written.len().saturating_sub(LONGEST);
    let at = written[from..]
        .windows(7)
        .rposition(|window| window == b"HTTP/1.")?;
    let (ours, tail) = written.split_at(from + at);
    (!ours.is_empty() && status(tail).is_some()).then_some(ours)
}

/// The whole answer, after which the connection is closed.
pub(super) fn problem(status: StatusCode, clock: &Clock, over_tls: bool) -> BytesMut {
    let detail = match status.as_u16() {
        408 => "The request's head did not arrive in time: send it again, faster.",
        431 => "The request's head is too large to be read: send less.",
        500.. => "This is a fault of the service: report it with the request id.",
        _ => "This is not a request of HTTP/1.1 that can be read: check its head against RFC 9112.",
    };
    let code = if status.is_server_error() {
        ErrorCode::Internal
    } else {
        ErrorCode::InvalidRequest
    };
    let id = clock.uuid().to_string();
    let problem = Problem::new(code, detail).status(status.as_u16());
    let mut answer = problem.response(&id, "/");
    safety::add(answer.headers_mut(), "/", over_tls);
    if let Ok(value) = HeaderValue::from_str(&id) {
        let name = HeaderName::from_static("x-request-id");
        answer.headers_mut().insert(name, value);
    }
    // Strangers send what they like: this is for who looks for it.
    tracing::debug!(request.id = %id, http.status = status.as_u16(), "answered a head that can't be read");
    written(status, answer, SystemTime::from(clock.now()))
}

fn written(status: StatusCode, answer: actix_web::HttpResponse, now: SystemTime) -> BytesMut {
    let (head, body) = answer.into_parts();
    let body = body.try_into_bytes().unwrap_or_default();
    let reason = status.canonical_reason().unwrap_or("Error");
    let mut text = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-length: {}\r\nconnection: close\r\ndate: {}\r\n",
        status.as_u16(),
        body.len(),
        httpdate::fmt_http_date(now)
    );
    for (name, value) in head.headers() {
        let _ = write!(text, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    text.push_str("\r\n");
    let mut bytes = BytesMut::from(text.as_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str =
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: x\r\n\r\n";

    #[test]
    fn only_what_is_the_servers_own_is_replaced() {
        assert_eq!(status(OWN.as_bytes()), Some(StatusCode::BAD_REQUEST));
        for other in [
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 204 No Content\r\nx-request-id: a\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nx-request-id: a\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
            "",
        ] {
            assert_eq!(status(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_second_answer_is_left_out() {
        let ours = "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\nx-request-id: a\r\n\r\n{}";
        let both = format!("{ours}{OWN}");
        assert_eq!(without_tail(both.as_bytes()), Some(ours.as_bytes()));
        assert_eq!(without_tail(ours.as_bytes()), None);
        assert_eq!(without_tail(OWN.as_bytes()), None);
    }
}
