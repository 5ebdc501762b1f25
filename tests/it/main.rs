//! The integration tests, one binary: real Postgres, real HTTP, the simulated AWS.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets what it did not expect shall fail there"
)]

mod api;
mod architecture;
mod attacks;
mod audit;
mod aws;
mod binary;
mod failover;
mod faults;
mod migrations;
mod openapi;
mod ops;
mod parsers;
mod plans;
mod portals;
mod queue;
mod support;
mod templates;
mod webhooks;
