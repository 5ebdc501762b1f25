//! The person behind a request, named by a token that is allowed to: a portal's.
//!
//! `X-On-Behalf-Of`, or its twin in the query. Names given in both must agree: a portal's proxy sets
//! the header, and whoever uses the portal may write the query.

use std::borrow::Cow;

use actix_web::HttpRequest;

use super::auth::Caller;
use super::problem::Problem;
use crate::domain::{ErrorCode, Person};

/// The header's twin.
pub(super) const PARAMETER: &str = "onBehalfOf";
const HEADER: &str = "x-on-behalf-of";
const AT_HEADER: &str = "/header/X-On-Behalf-Of";
const AT_PARAMETER: &str = "/query/onBehalfOf";

/// The caller, with the person that the request names.
pub(super) fn of(mut caller: Caller, request: &HttpRequest) -> Result<Caller, Problem> {
    let named = [
        (AT_HEADER, only(AT_HEADER, from_headers(request))?),
        (AT_PARAMETER, only(AT_PARAMETER, from_query(request))?),
    ];
    if named.iter().all(|(_, name)| name.is_none()) {
        return Ok(caller);
    }
    if !caller.may_act_for {
        let detail = "Your token may not name a person behind its requests: leave X-On-Behalf-Of \
                      out, or ask an administrator for a token made with mayActFor.";
        return Err(Problem::new(ErrorCode::PermissionDenied, detail));
    }
    let mut person: Option<Person> = None;
    for (at, name) in named {
        let Some(name) = name else { continue };
        let parsed = Person::parse(name).map_err(|error| Problem::unparsable(at, &error))?;
        if person.as_ref().is_some_and(|other| *other != parsed) {
            let message = "not the person that X-On-Behalf-Of names: send one of the two";
            return Err(Problem::invalid_field(at, message));
        }
        person = Some(parsed);
    }
    caller.on_behalf_of = person.map(String::from);
    Ok(caller)
}

fn from_headers(request: &HttpRequest) -> Vec<String> {
    let values = request.headers().get_all(HEADER);
    // What is not UTF-8 holds a character then that no person's name has.
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => "\u{0}".to_owned(),
    };
    values.map(|value| text(value.as_bytes())).collect()
}

fn from_query(request: &HttpRequest) -> Vec<String> {
    form_urlencoded::parse(request.query_string().as_bytes())
        .filter(|(name, _)| name == PARAMETER)
        .map(|(_, value): (_, Cow<'_, str>)| value.into_owned())
        .collect()
}

/// One name, or none. Of two nobody could say which was meant.
fn only(at: &str, mut names: Vec<String>) -> Result<Option<String>, Problem> {
    if names.len() > 1 {
        return Err(Problem::invalid_field(at, "given twice; name one person"));
    }
    Ok(names.pop())
}
