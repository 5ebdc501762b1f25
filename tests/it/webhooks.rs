//! Webhooks, from the end of a job to the receiver.

mod attempts;
mod connections;
mod described;
mod events;
mod management;
mod portal_webhooks;
pub mod portals;
mod sending;
pub mod support;
mod targets;
pub mod trust;
