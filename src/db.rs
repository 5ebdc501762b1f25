//! SQL for the service's nouns: functions over a connection.
//!
//! The queue's own statements are in [`crate::queue`]. Nothing here knows HTTP or AWS.

pub mod account_changes;
pub mod accounts;
pub mod audit;
pub mod audit_list;
pub mod breaker;
pub mod descendants;
pub mod idempotency;
pub mod job_callbacks;
pub mod job_events;
pub mod job_list;
pub mod jobs;
pub mod last_change;
pub mod operations;
pub mod secrets;
pub mod tokens;
pub mod walk;
pub mod webhook_deliveries;
pub mod webhook_events;
pub mod webhooks;
