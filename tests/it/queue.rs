//! The queue's promises, on a real Postgres.

mod cancel;
mod enqueue;
mod fencing;
mod findings;
mod lanes;
pub mod support;
mod verdicts;
mod workers;
