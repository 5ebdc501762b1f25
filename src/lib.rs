//! Fargate profiles on EKS, managed across a fleet of AWS accounts through a Postgres-backed queue.

pub mod audit;
pub mod aws;
pub mod clock;
pub mod config;
pub mod database;
pub mod db;
pub mod domain;
pub mod format;
pub mod http;
pub mod kubernetes;
pub mod limits;
pub mod oidc;
pub mod open_files;
pub mod ops;
pub mod queue;
pub mod rng;
pub mod service;
pub mod shutdown;
#[cfg(feature = "sim")]
pub mod sim;
pub mod telemetry;
pub mod throwaway_postgres;
pub mod webhooks;
