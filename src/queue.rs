//! The engine: a keyed, durable queue of step machines on Postgres.
//!
//! A job is a row. It is claimed under a lease, runs one step, and its verdict says what comes
//! next: finished, another step later, or a failure. Jobs that name a *lane* run one at a time, in
//! order of arrival, and keep the lane while they wait.
//!
//! The engine knows nothing of EKS or HTTP: what a job does is its [`Handler`]'s business. Every
//! hot write is gathered by [`group_commit`], so that one statement serves all that came while the
//! last one was under way.
//!
//! | file | what |
//! |---|---|
//! | [`enqueue`] | submissions: jobs + audit + idempotency in one statement |
//! | [`claim`] | heads of lanes, round the accounts, in batches |
//! | [`outcome`] | what a step leaves behind: fenced writes, promotion of the lane's next job |
//! | [`verdict`] | what a step may answer |
//! | [`worker`], [`lease`] | a worker process: heartbeat, leases, the running steps |
//! | [`due`] | parked jobs whose time has come |
//! | [`maintenance`] | rescue from dead workers, lanes without a head, old rows |
//! | `expire` | deadlines of jobs that nobody may claim |
//! | [`cancel`] | the honest cancel |
//! | `locked` | one job under lock, for changes without a lease |
//! | `bounded` | no statement waits forever |
//! | [`budget`], [`backoff`] | pure rules: budgets that shrink on 429, lists of delays |
//! | [`listener`] | LISTEN as a hint, for workers and for callers who wait |

pub mod backoff;
pub(crate) mod bounded;
pub mod budget;
pub mod cancel;
pub mod claim;
pub mod due;
pub mod enqueue;
mod expire;
pub mod group_commit;
pub mod lanes;
pub mod lease;
pub mod listener;
mod locked;
pub mod maintenance;
pub mod outcome;
pub mod verdict;
pub mod worker;

pub use claim::ClaimedJob;
pub use enqueue::{Enqueuer, Submission, Submitted};
pub use lease::Lease;
pub use verdict::{Failure, Verdict, Wait};
pub use worker::{Handler, Worker, WorkerOptions};

/// Notified when a job became ready; the payload is empty.
pub const READY_CHANNEL: &str = "fleet_ready";
/// Notified when a caller's token or an account changed; the payload is empty.
pub const KNOWN_CHANNEL: &str = "fleet_known";
/// Notified when jobs changed; the payload lists their ids, or is empty when there are too many.
pub const JOBS_CHANNEL: &str = "fleet_jobs";
