//! How long the headers may be that a route reads: as the document says, and no longer.

use actix_web::http::header::HeaderMap;

use super::problem::Problem;

/// The longest `Prefer`.
pub(super) const MAX_PREFER: usize = 256;
/// The longest `If-Match` and `If-None-Match`.
pub(super) const MAX_TAGS: usize = 1024;

const BOUNDS: [(&str, usize); 3] = [
    ("Prefer", MAX_PREFER),
    ("If-Match", MAX_TAGS),
    ("If-None-Match", MAX_TAGS),
];

/// Refuses a request with a longer one.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Problem> {
    for (name, most) in BOUNDS {
        if headers.get_all(name).any(|value| value.len() > most) {
            let message = format!("at most {most} characters");
            return Err(Problem::invalid_field(format!("/header/{name}"), message));
        }
    }
    Ok(())
}
