//! The fault table: what may break, and what must hold all the same. `docs/reliability.md` lists the
//! rows; those that take minutes are under `bench/faults`, and `history_check` judges their judge.

mod breaker;
mod crash_matrix;
mod drain;
#[path = "../../bench/faults/history.rs"]
mod history;
mod history_check;
mod interleavings;
mod lock_order;
mod rules;
mod seeds;
mod stale_worker;
mod wire;
