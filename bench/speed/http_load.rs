//! Load over HTTP with next to no cost of its own: keep-alive connections that write ready-made
//! requests and look for the end of each answer.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What came back.
#[derive(Debug, Default)]
pub struct Answers {
    pub took: Vec<Duration>,
    pub elapsed: Duration,
}

impl Answers {
    pub fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.took.len()).unwrap()) / self.elapsed.as_secs_f64()
    }
}

/// Sends requests on so many connections for so long; every answer must have this status.
pub async fn send(
    address: &str,
    connections: u64,
    time: Duration,
    status: u16,
    request: impl Fn(u64) -> String + Clone + Send + 'static,
) -> anyhow::Result<Answers> {
    let mut senders = JoinSet::new();
    let begun = Instant::now();
    for connection in 0..connections {
        let (address, request) = (address.to_owned(), request.clone());
        senders.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let mut took = Vec::new();
            let mut answer = Vec::with_capacity(8_192);
            for n in 0_u64.. {
                let text = request(n * connections + connection);
                let sent = Instant::now();
                stream.write_all(text.as_bytes()).await?;
                let got = read(&mut stream, &mut answer).await?;
                took.push(sent.elapsed());
                ensure!(got == status, "{got}: {}", String::from_utf8_lossy(&answer));
                if begun.elapsed() > time {
                    break;
                }
            }
            Ok(took)
        });
    }
    let mut answers = Answers::default();
    while let Some(sender) = senders.join_next().await {
        answers.took.append(&mut sender??);
    }
    answers.elapsed = begun.elapsed();
    Ok(answers)
}

/// Reads one answer, which tells its length; its status.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<u16> {
    answer.clear();
    loop {
        ensure!(stream.read_buf(answer).await? > 0, "the connection ended");
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let text = std::str::from_utf8(&answer[..head])?;
        let length: usize = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .context("a length")?
            .1
            .trim()
            .parse()?;
        let status = text.get(9..12).context("a status")?.parse()?;
        while answer.len() < head + 4 + length {
            ensure!(stream.read_buf(answer).await? > 0, "the connection ended");
        }
        return Ok(status);
    }
}
