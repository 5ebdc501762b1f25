//! The speed table, one file a row or a family of rows.

mod b11;
mod b15;
mod b23;
mod claims;
mod drain;
mod drains;
mod enqueue;
mod hot_lane;
mod http_load;
mod ours;
mod parked;
mod real_steps;
mod wake;

use crate::Row;

/// All rows.
pub const ROWS: &[Row] = &[
    enqueue::B1,
    enqueue::B2,
    enqueue::B3,
    drains::B4,
    drains::B5,
    drains::B6,
    drains::B7,
    claims::B8,
    claims::B9,
    wake::ROW,
    Row {
        name: "B11",
        shows: "a live GET through the queue takes at most 1.25 x the SDK's own call",
        run: b11::run,
    },
    parked::ROW,
    drains::B13,
    drains::B14,
    Row {
        name: "B15",
        shows: "the inventory of a fleet is read at 90 % of what AWS's limits allow",
        run: b15::run,
    },
    enqueue::B16,
    Row {
        name: "B23",
        shows: "the largest ClusterConfig is read in at most 2 x the time and memory of a plain YAML reader",
        run: b23::run,
    },
    drain::ROW,
];
