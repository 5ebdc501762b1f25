//! Fargate profiles on EKS, managed across a fleet of AWS accounts through a Postgres-backed queue.

#[cfg(feature = "sim")]
pub mod sim;
