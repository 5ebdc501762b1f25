//! The queue's promises, on a real Postgres.

mod cancel;
mod deadlines;
mod enqueue;
mod fencing;
mod hardening;
pub mod lanes;
mod reads;
pub mod support;
mod verdicts;
mod workers;
