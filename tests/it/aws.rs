//! The clients of AWS against a server that answers what a test tells it to.

mod clusters;
mod query;
mod simulated;
mod stacks;
mod support;
mod token;
