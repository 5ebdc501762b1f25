//! Why a token does not count, in words for whoever sent it; they tell nothing of keys or settings.

/// Why a token does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not a signed token of the kind that is taken.
    #[error(
        "The token is not a JWT signed with RS256, ES256 or EdDSA: get one from your identity provider."
    )]
    Malformed,
    /// No key of the issuer has signed it.
    #[error(
        "The token's signature is not of a key that the identity provider publishes now: get a new token from it."
    )]
    Signature,
    /// It is of another issuer.
    #[error(
        "The token is of another identity provider than the one this service trusts: get one from that."
    )]
    Issuer,
    /// It is meant for another service.
    #[error(
        "The token is for another audience: ask the identity provider for one for this service."
    )]
    Audience,
    /// Its time is over, or it names no end.
    #[error(
        "The token has expired, or does not say when it will: get a new one from your identity provider."
    )]
    Expired,
    /// Its time has not come.
    #[error("The token is not valid yet: check the clocks, then repeat the request.")]
    NotYet,
    /// It does not say whose it is.
    #[error("The token has no subject: get one from your identity provider that names you.")]
    Subject,
    /// Its claims give no role.
    #[error("The token gives you no role here: ask an administrator for one.")]
    Role,
    /// Its claims give no account.
    #[error("The token gives you no account here: ask an administrator for one.")]
    Accounts,
    /// No keys were ever read.
    #[error("The identity provider's keys could not be read yet: repeat the request.")]
    NoKeys,
}
