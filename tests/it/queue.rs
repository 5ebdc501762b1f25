//! The queue's promises, on a real Postgres.

mod cancel;
mod enqueue;
mod fencing;
mod lanes;
mod support;
mod verdicts;
mod workers;
