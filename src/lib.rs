//! Fargate profiles on EKS, managed across a fleet of AWS accounts through a Postgres-backed queue.

pub mod aws;
pub mod clock;
pub mod db;
pub mod domain;
pub mod format;
pub mod ops;
pub mod queue;
pub mod rng;
