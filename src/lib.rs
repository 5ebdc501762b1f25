//! Fargate profiles on EKS, managed across a fleet of AWS accounts through a Postgres-backed queue.

pub mod clock;
pub mod db;
pub mod domain;
pub mod format;
pub mod http;
pub mod queue;
pub mod rng;
