//! The program: see `cli.rs` for its commands.

mod cli;

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Gives memory back after a storm, which glibc's does not: figures are in `docs/performance.md`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
