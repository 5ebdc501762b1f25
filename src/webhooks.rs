//! Webhooks: what happened is told to those who asked for it, until they have heard it.
//!
//! The statement that ends a job also writes an event, if any webhook is enabled. Workers turn
//! events into deliveries (`fan_out`), one a webhook and event, and send each until it is accepted,
//! for three days (`sender`). A request may also name the run of a portal: then that is told, too. Everything that must not be lost is a row; a crash between any two
//! lines sends a delivery again, under the same id.
//!
//! May use `db` and `domain`; knows nothing of the queue, nor how a job is shown: that is passed in
//! as a [`Rendering`]. Promises: a connection goes only to an address that [`Rules`] allow, however
//! the URL is written and whatever a name resolves to a moment later.
//!
//! | file | what |
//! |---|---|
//! | [`address`] | which addresses are public |
//! | [`target`] | which URLs may be told, and the addresses behind them |
//! | [`resolver`] | from names to addresses |
//! | [`client`] | one POST to a checked address |
//! | [`roots`] | certificate authorities of one's own |
//! | [`retry_after`] | when a receiver wants to hear again |
//! | [`signature`] | Standard Webhooks 1.0 |
//! | [`vault`] | secrets at rest |
//! | [`payload`] | the body |
//! | [`fan_out`] | from events to deliveries |
//! | [`callback`] | a portal's run, told by the portal's API |
//! | [`sender`] | claim, send, settle |
//! | `pump` | the loop in a worker process |

pub mod address;
pub mod callback;
pub mod client;
pub mod fan_out;
pub mod payload;
mod pump;
pub mod resolver;
pub mod retry_after;
pub mod roots;
pub mod sender;
pub mod signature;
pub mod target;
pub mod vault;

pub use payload::Rendering;
pub use pump::Pump;
pub use resolver::Resolver;
pub use roots::Roots;
pub use sender::{Sender, SenderOptions};
pub use target::{Refused, Rules};
pub use vault::Vault;

/// What the API and the sender must agree on.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Where events may be posted.
    pub rules: Rules,
    /// What secrets are sealed with; without it a key is made and kept in the database.
    pub secrets_key: Option<Vec<u8>>,
}
