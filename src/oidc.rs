//! Tokens of an OpenID Connect issuer: from a signed text to who calls and what that caller may do.
//!
//! May use `clock` and `domain`, and is the only user of `jsonwebtoken`; it knows nothing of the
//! API's own tokens, of its routes or of the database. Promises: a token counts only when a key that
//! the configured issuer publishes has signed it with RS256, ES256 or EdDSA, for the configured
//! audience and for now; nothing that a token itself says leads to a key; the issuer is asked at most
//! once in 30 seconds, whatever is sent; keys once read go on working while the issuer is down.
//!
//! | file | what |
//! |---|---|
//! | `options`, `mapping` | which issuer, and what its claims mean here |
//! | `token` | the checks that every token passes |
//! | `identity` | from claims to a role, accounts and a name |
//! | `key_set`, `keys`, `fetch` | the issuer's keys: read, kept, fetched |

mod fetch;
mod identity;
mod key_set;
mod keys;
mod mapping;
mod options;
mod refusal;
mod token;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
pub use identity::Identity;
use keys::Keys;
pub use mapping::{AccountMap, ClaimName, RoleMap};
pub use options::{Audience, Issuer, OidcOptions};
pub use refusal::Refusal;

/// The judge of the tokens of one issuer; cheap to clone.
#[derive(Clone, Debug)]
pub struct Oidc {
    options: Arc<OidcOptions>,
    keys: Keys,
    clock: Clock,
}

impl Oidc {
    /// Begins to read the issuer's keys, and does not wait for them: it may be down.
    #[must_use]
    pub fn start(
        options: OidcOptions,
        clock: Clock,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let issuer = options.issuer.clone();
        Self {
            options: Arc::new(options),
            keys: Keys::follow(issuer, clock.clone(), tasks, stop),
            clock,
        }
    }

    /// Who sent this token.
    ///
    /// # Errors
    ///
    /// Why it does not count, or that there are no keys yet to tell.
    pub async fn identify(&self, token: &str) -> Result<Identity, Refusal> {
        let head = token::Head::of(token)?;
        let key = self.keys.find(&head).await?;
        let claims = token::verified(token, &key, &self.options)?;
        let expires_at = token::in_force(&claims, self.clock.now())?;
        identity::of_claims(&claims, expires_at, &self.options)
    }
}
