//! Headers that tell browsers and caches what they may not do with an answer.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// Answers are data: nothing in them is run, shown in a frame or loaded from elsewhere.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// The page for people runs its own scripts and asks this API; its styles are partly inline.
const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; \
                    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A year.
const ONLY_TLS: &str = "max-age=31536000";

/// Adds what an answer at this path lacks.
pub(super) fn add(headers: &mut HeaderMap, path: &str, over_tls: bool) {
    let documents = path.starts_with("/docs") || path.starts_with("/openapi");
    let mut set = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "no-referrer");
    set(X_FRAME_OPTIONS, "DENY");
    let policy = if path.starts_with("/docs") {
        PAGE
    } else {
        DATA
    };
    set(CONTENT_SECURITY_POLICY, policy);
    set(
        CACHE_CONTROL,
        if documents { "no-cache" } else { "no-store" },
    );
    if over_tls {
        set(STRICT_TRANSPORT_SECURITY, ONLY_TLS);
    }
}
