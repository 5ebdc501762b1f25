//! The fault table's harnesses, one file a row.

mod broken_role;
mod caller;
mod chaos;
mod drain;
mod ending;
mod failover;
mod history;
mod load;
mod neighbours;
mod noisy;
mod pair;
mod process;
mod record;
mod server;
mod soak;
mod stage;
mod stuck;

use crate::Row;

/// All rows.
pub const ROWS: &[Row] = &[
    Row {
        name: "F2",
        shows: "chaos: kill -9 every 2 s for 3 minutes, Postgres crashes twice; nothing lost, nothing doubled",
        run: chaos::run,
    },
    failover::ROW,
    Row {
        name: "F4",
        shows: "a neighbour that AWS throttles, with 1,000 jobs, slows nobody else",
        run: noisy::run,
    },
    Row {
        name: "F5",
        shows: "a broken role parks its account after few tries; all resume when it is mended",
        run: broken_role::run,
    },
    Row {
        name: "F7",
        shows: "history check: the same run as F2; no state goes backward, cancels are honest",
        run: chaos::run,
    },
    drain::ROW,
    Row {
        name: "F11",
        shows: "soak: 30 minutes of mixed load; memory, open files and dead rows stay flat",
        run: soak::run,
    },
    neighbours::ROW,
];
