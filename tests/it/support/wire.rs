//! HTTP as bytes: what is sent is what is written here.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::app::TestApp;

/// Only catches a mistake.
const BOUND: Duration = Duration::from_secs(30);

/// An answer, taken out of the bytes of a connection.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// Sends this, and reads until the server hangs up.
pub async fn exchange(app: &TestApp, sent: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(app.addr).await.unwrap();
    // The server may have refused and hung up before it was all sent.
    let _ = stream.write_all(sent).await;
    let mut told = Vec::new();
    let read = tokio::time::timeout(BOUND, stream.read_to_end(&mut told));
    let _ = read.await.expect("the server hangs up");
    told
}

/// The answers to requests with these methods. Fails on bytes that belong to none.
pub fn answers(bytes: &[u8], methods: &[&str]) -> Vec<Answer> {
    let mut rest = std::str::from_utf8(bytes).expect("text");
    let mut told = Vec::new();
    while !rest.is_empty() {
        let method = methods.get(told.len()).copied().unwrap_or("GET");
        let (head, after) = rest
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("{rest:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap_or_default();
        let number = status
            .strip_prefix("HTTP/1.1 ")
            .unwrap_or_else(|| panic!("{rest:?}"));
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut answer = Answer {
            status: number[..3].parse().unwrap(),
            headers,
            body: String::new(),
        };
        let length = match answer.header("content-length").parse::<usize>() {
            Ok(length) if method != "HEAD" => length,
            _ => 0,
        };
        assert!(after.len() >= length, "cut off: {rest:?}");
        let (body, next) = after.split_at(length);
        body.clone_into(&mut answer.body);
        rest = next;
        told.push(answer);
    }
    told
}
