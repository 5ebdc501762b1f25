//! The shapes of answers, and how rows become them.

pub(super) mod access_entry;
pub(super) mod account;
pub(super) mod audit_event;
pub(super) mod cluster;
pub(super) mod job;
pub(super) mod kubeconfig;
pub(super) mod list;
pub(super) mod operation;
pub(super) mod paths;
pub(super) mod problem;
pub(super) mod standing;
pub(super) mod token;
pub(super) mod webhook;
pub(super) mod whoami;
