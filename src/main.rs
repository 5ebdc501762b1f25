//! The program: see `cli.rs` for its commands.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
