//! Fargate profiles on EKS, managed across a fleet of AWS accounts through a Postgres-backed queue.

pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod queue;
pub mod rng;
pub mod shutdown;
pub mod telemetry;
pub mod throwaway_postgres;
