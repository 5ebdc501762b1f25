//! The chain over the audit trail: every row sealed, every seal over the one before.
//!
//! Promises: the rows themselves are never written again, and no request waits for a seal; a row is
//! sealed soon after it is committed, and none is missed, however late that is; a row that was
//! changed or removed after its seal, and a seal that was changed or removed, is found by
//! [`verify::verify`]. Whoever rewrites the whole chain is found only by who has kept a head of it.

pub mod chain;
pub mod seal;
pub mod verify;
