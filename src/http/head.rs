//! The size of a request's head: refused before anything else is looked at.
//!
//! The server itself gives up at 96 header lines, 128 KiB of head or 64 KiB of path, with an answer
//! that has no body; the limits here are below that.

use actix_web::dev::ServiceRequest;

use super::problem::Problem;
use crate::domain::ErrorCode;
use crate::limits::Limits;

/// What stands between a header's name and its value, and after it.
const BETWEEN: usize = 4;

/// Refuses a head that is larger than the limits allow.
pub(super) fn check(request: &ServiceRequest, limits: &Limits) -> Result<(), Problem> {
    let uri = request.uri().path_and_query();
    let length = uri.map_or(0, |uri| uri.as_str().len());
    if length > limits.uri_bytes {
        let detail = format!(
            "The path and query have {length} bytes, at most {} are read: ask for less at a time.",
            limits.uri_bytes
        );
        return Err(refused(414, detail));
    }
    let (mut lines, mut bytes) = (0, 0);
    for (name, value) in request.headers() {
        lines += 1;
        bytes += name.as_str().len() + value.len() + BETWEEN;
    }
    if lines > limits.headers {
        let detail = format!(
            "The request has {lines} header lines, at most {} are read: send fewer.",
            limits.headers
        );
        return Err(refused(431, detail));
    }
    if bytes > limits.header_bytes {
        let detail = format!(
            "The request's headers have {bytes} bytes, at most {} are read: send less.",
            limits.header_bytes
        );
        return Err(refused(431, detail));
    }
    Ok(())
}

fn refused(status: u16, detail: String) -> Problem {
    Problem::new(ErrorCode::InvalidRequest, detail).status(status)
}
