//! Fargate profiles on EKS, managed across a fleet of AWS accounts through a Postgres-backed queue.

pub mod throwaway_postgres;
