//! Webhooks, from the end of a job to the receiver.

mod attempts;
mod events;
mod management;
mod sending;
mod support;
mod targets;
