//! Benchmarks beside peers, and fault harnesses: `bench/run` lists them.
//!
//! | where | what |
//! |---|---|
//! | `ground` | a durable throw-away Postgres, a database a side |
//! | `site` | the real program as processes, with a simulated AWS |
//! | `figures` | A/B/A/B, medians, ratios |
//! | `speed` | one file a row of the speed table: B1, B2, ... |
//! | `faults` | one file a row of the fault table: F2, F3, ... |
//! | `peers` | the programs we compare with, each with its own build; `peers/README.md` |
//! | `boto3` | the fleet read by boto3 |
//! | `floors` | what Postgres itself needs |

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a harness that meets what it did not expect shall stop there"
)]
#![allow(missing_docs, reason = "a program for people who read its source")]

mod boto3;
mod faults;
mod figures;
mod floors;
mod ground;
mod peers;
mod site;
mod speed;

use std::process::ExitCode;

/// One row: its name, what it shows, and what runs it with the options that follow its name.
pub struct Row {
    pub name: &'static str,
    pub shows: &'static str,
    pub run: fn(Vec<String>) -> anyhow::Result<()>,
}

fn main() -> ExitCode {
    // cargo passes `--bench` to every benchmark.
    let mut arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let rows: Vec<&Row> = [
        speed::ROWS,
        faults::ROWS,
        peers::ROWS,
        boto3::ROWS,
        floors::ROWS,
    ]
    .into_iter()
    .flatten()
    .collect();
    if arguments.is_empty() {
        for row in rows {
            println!("{:6} {}", row.name, row.shows);
        }
        return ExitCode::SUCCESS;
    }
    let mut failed = false;
    while !arguments.is_empty() {
        let name = arguments.remove(0);
        let Some(row) = rows.iter().find(|row| row.name.eq_ignore_ascii_case(&name)) else {
            eprintln!("there is no row {name}: run without arguments for the list");
            return ExitCode::FAILURE;
        };
        let is_row = |text: &String| rows.iter().any(|row| row.name.eq_ignore_ascii_case(text));
        let own = arguments.iter().position(is_row).unwrap_or(arguments.len());
        let options: Vec<String> = arguments.drain(..own).collect();
        println!("== {}: {}", row.name, row.shows);
        if let Err(error) = (row.run)(options) {
            eprintln!("{} failed: {error:#}", row.name);
            failed = true;
        }
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
