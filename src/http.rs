//! The REST API: parses requests, runs one transaction or submission, answers.
//!
//! May use `db`, `queue`, `domain`, `format` and `webhooks`; it knows nothing of AWS, and is the only importer
//! of `actix_web` but for the simulator. Promises: every error is a problem (RFC 9457); what is
//! answered `202` is durable; what a caller may not see does not exist for that caller.
//!
//! | file | what |
//! |---|---|
//! | `routes` | every route, on one screen |
//! | `server` | start, drain, stop |
//! | `extract`, `auth`, `on_behalf` | the one extractor: who calls, for whom, and whether the caller may |
//! | `envelope`, `problem`, `fallback` | request ids, problems for everything that went wrong |
//! | `query`, `body`, `header_bounds` | from text to types |
//! | `head`, `json_shape`, `budget`, `depth`, `reads` | what a request, a caller and an account may take |
//! | `connections` | an end to those that say nothing |
//! | `tls`, `safety`, `cors` | certificates, headers for browsers, pages of other origins |
//! | `submit`, `idempotency`, `wait`, `answer` | from a request to its job and back |
//! | `etag`, `pages`, `page_token` | conditional requests and lists |
//! | `accounts`, `fargate_profiles`, `cluster_configs`, `jobs`, `job_events`, `operations`, `tokens`, `whoami`, `audit_events`, `health` | one file or folder a resource |
//! | `webhooks` | who is told of what, and how the telling went |
//! | `wire` | the shapes of answers |
//! | `worker_health` | the health of a worker that runs alone |
//! | `openapi`, `docs` | the published documents and the page for people |

mod access_entries;
mod accounts;
mod answer;
mod audit_events;
mod auth;
mod body;
mod budget;
mod callback;
mod cluster_configs;
mod clusters;
mod connections;
mod cors;
mod denials;
mod depth;
mod docs;
mod edge;
mod envelope;
mod etag;
mod extract;
mod fallback;
mod fargate_profiles;
mod head;
mod header_bounds;
mod health;
mod idempotency;
mod job_events;
mod jobs;
mod json_shape;
mod known;
mod listener;
mod live;
mod on_behalf;
mod openapi;
mod operations;
mod page_token;
mod pages;
mod permits;
mod problem;
mod query;
mod queued;
mod readiness;
mod reads;
mod routes;
mod safety;
mod server;
mod state;
mod submit;
mod tenure;
mod tls;
mod tokens;
mod wait;
mod webhooks;
mod whoami;
mod wire;
mod worker_health;

pub use openapi::{openapi, openapi_3_0_json, openapi_json};
pub use server::{Api, ApiOptions, ApiParts};
pub use tls::{Tls, TlsError};
pub use webhooks::documents::webhook_rendering;
pub use worker_health::WorkerHealth;
