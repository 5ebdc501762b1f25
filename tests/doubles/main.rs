//! The clients of AWS and of Kubernetes against doubles that were not written here. Run by
//! `tests/doubles/run`, which installs them; plain `cargo test` leaves them out.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets what it did not expect shall fail there"
)]

mod aws;
mod jobs;
mod kubernetes;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process that serves on a port of its own until it is dropped.
struct Double {
    process: Child,
    port: u16,
}

impl Double {
    #[expect(
        clippy::disallowed_methods,
        reason = "the command that runs these tests says so"
    )]
    fn start(script: &str, arguments: &[&str]) -> Self {
        let python = std::env::var("DOUBLES_PYTHON").expect("run tests/doubles/run");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doubles");
        let mut process = Command::new(python)
            .arg(folder.join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the double starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().parse().expect("the double says its port");
        Self { process, port }
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
