//! The integration tests, one binary: real Postgres, real HTTP, the simulated AWS.

mod queue;
mod support;
