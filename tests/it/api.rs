//! The API as its callers meet it.

mod access;
mod access_entries;
mod accounts;
mod audit_events;
mod cluster_configs;
mod clusters;
mod conditional;
mod conventions;
mod cors;
mod fargate_profiles;
mod idempotency;
mod job_events;
mod jobs;
mod limits;
mod lists;
mod logs;
mod oidc;
mod on_behalf;
mod page_tokens;
mod problems;
mod reads;
mod safety;
mod shares;
mod slow;
mod stopping;
mod tokens;
