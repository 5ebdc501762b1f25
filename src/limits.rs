//! How much one request, one caller and one account may take: numbers that `config` reads and
//! `http` holds requests against.

use std::time::Duration;

/// The limits of an API process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// The most that all header lines may come to, in bytes.
    pub header_bytes: usize,
    /// The most header lines.
    pub headers: usize,
    /// The longest path with its query, in bytes.
    pub uri_bytes: usize,
    /// How deep a JSON document may nest.
    pub json_depth: usize,
    /// The most elements of one JSON array or object.
    pub json_items: usize,
    /// The most items on one page of a list.
    pub page_size: u16,
    /// The rows that one page of a list looks at.
    pub list_rows: u32,
    /// The requests that one caller may make in a minute; 0 is any number.
    pub requests_per_minute: u32,
    /// The requests that one caller may have under way; 0 is any number.
    pub concurrent_requests: u32,
    /// The jobs of one account that may be unfinished; 0 is any number.
    pub unfinished_jobs: u32,
    /// The live reads of one caller that may be unfinished, half of those of one account; 0 is any
    /// number.
    pub unfinished_reads: u32,
    /// The connections that may be open at once.
    pub connections: usize,
    /// How long the head of a connection's first request may take.
    pub head_timeout: Duration,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long a connection without a request stays open.
    pub keep_alive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            header_bytes: 32 * 1024,
            headers: 64,
            uri_bytes: 8 * 1024,
            json_depth: 32,
            json_items: 1_000,
            page_size: 1_000,
            list_rows: 20_000,
            requests_per_minute: 600_000,
            concurrent_requests: 2_000,
            unfinished_jobs: 100_000,
            unfinished_reads: 500,
            connections: 20_000,
            head_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// The connections that one of so many threads takes.
    #[must_use]
    pub fn connections_a_thread(&self, threads: usize) -> usize {
        self.connections.div_ceil(threads.max(1)).max(1)
    }
}
