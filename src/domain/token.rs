//! What an API token's record may hold, and how callers prove who they are.

use super::macros::{open_enum, text_newtype};

/// The most days that a token lives, unless it lives for ever.
pub const MAX_DAYS: u32 = 3_650;
/// The most accounts that a token names.
pub const MAX_ACCOUNTS: usize = 1_000;

text_newtype! {
    /// Who or what uses a token; jobs and the audit trail name it.
    TokenName {
        what: "token name",
        expected: "1 to 100 printable characters, not only spaces",
        max_length: 100,
        pattern: "^[^\\x00-\\x1F\\x7F-\\x9F]*[^\\s\\x00-\\x1F\\x7F-\\x9F][^\\x00-\\x1F\\x7F-\\x9F]*$",
        example: "payments-ci",
    }
}

impl TokenName {
    fn check(text: &str) -> bool {
        is_name(text, Self::MAX_LENGTH)
    }
}

text_newtype! {
    /// The person behind a request, as a portal's token names it.
    Person {
        what: "person",
        expected: "1 to 128 printable characters, not only spaces",
        max_length: 128,
        pattern: "^[^\\x00-\\x1F\\x7F-\\x9F]*[^\\s\\x00-\\x1F\\x7F-\\x9F][^\\x00-\\x1F\\x7F-\\x9F]*$",
        example: "ann@example.com",
    }
}

impl Person {
    fn check(text: &str) -> bool {
        is_name(text, Self::MAX_LENGTH)
    }
}

fn is_name(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.chars().count())
        && !text.chars().any(char::is_control)
        && !text.trim().is_empty()
}

open_enum! {
    /// What a caller shows to prove who it is.
    Credential as "credential" {
        /// A token of this service.
        ApiToken => "api_token",
        /// A token of the identity provider.
        Oidc => "oidc",
    }
}

open_enum! {
    /// What kind of name the audit trail gives for who made a change.
    ActorKind as "actor kind" {
        /// The name of a token of this service.
        ApiToken => "api_token",
        /// A name that the identity provider gives.
        Oidc => "oidc",
        /// Whoever runs the commands, with access to the database.
        CommandLine => "command_line",
    }
}

open_enum! {
    /// Whether a change that is in the audit trail was done.
    AuditOutcome as "outcome" {
        /// It was done, or is being done.
        Allowed => "allowed",
        /// It was refused: the caller may not do it, or not see the thing.
        Denied => "denied",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_printable_and_bounded() {
        assert!(Person::parse("user:default/ann é").is_ok());
        assert!(Person::parse("x".repeat(128)).is_ok());
        for bad in ["", "  ", "a\nb", "a\u{0}", &"x".repeat(129)] {
            assert!(Person::parse(bad).is_err(), "{bad:?}");
        }
    }
}
