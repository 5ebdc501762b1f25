//! SQL for the service's nouns: functions over a connection.
//!
//! The queue's own statements are in [`crate::queue`]. Nothing here knows HTTP or AWS.

pub mod accounts;
pub mod breaker;
