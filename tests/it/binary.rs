//! The program as people run it: real processes, real signals, the simulated AWS.

mod audit;
mod demo;
mod halves;
mod migrate;
mod oidc;
mod refusals;
mod shutdown;
mod silence;
pub mod support;
mod tls;
mod tokens;
mod webhooks;
