//! Postgres' protocol, as far as one has to read it to know which statement passes.

use std::collections::HashMap;
use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Both ends of a connection, and the statements that were prepared on it.
pub struct Frames {
    client: TcpStream,
    server: TcpStream,
    prepared: HashMap<Vec<u8>, String>,
}

/// All that a client sends before it waits for an answer.
pub struct Request {
    bytes: Vec<u8>,
    /// The statement that it runs, if it runs one.
    pub statement: Option<String>,
}

struct Frame {
    kind: u8,
    /// With kind and length.
    bytes: Vec<u8>,
}

impl Frame {
    async fn read(from: &mut TcpStream) -> io::Result<Self> {
        let kind = from.read_u8().await?;
        let mut bytes = vec![kind];
        read_sized(from, &mut bytes).await?;
        Ok(Self { kind, bytes })
    }

    fn body(&self) -> &[u8] {
        &self.bytes[5..]
    }

    /// The texts at the beginning of the body, each of which ends with a zero.
    fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.body().split(|byte| *byte == 0)
    }
}

/// Appends a length and as many bytes as it says, itself included.
async fn read_sized(from: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    let length = from.read_u32().await?;
    bytes.extend(length.to_be_bytes());
    let begin = bytes.len();
    let rest = usize::try_from(length).map_err(io::Error::other)? - 4;
    bytes.resize(begin + rest, 0);
    from.read_exact(&mut bytes[begin..]).await?;
    Ok(())
}

impl Frames {
    pub fn new(client: TcpStream, server: TcpStream) -> Self {
        Self {
            client,
            server,
            prepared: HashMap::new(),
        }
    }

    /// Carries the introductions, until the server is ready for a request.
    pub async fn introduce(&mut self) -> io::Result<()> {
        let mut startup = Vec::new();
        read_sized(&mut self.client, &mut startup).await?;
        self.server.write_all(&startup).await?;
        loop {
            let frame = Frame::read(&mut self.server).await?;
            self.client.write_all(&frame.bytes).await?;
            let asks_for = frame.body().get(..4) != Some(&[0, 0, 0, 0])
                && frame.body().get(..4) != Some(&[0, 0, 0, 12]);
            match frame.kind {
                b'Z' => return Ok(()),
                // A password, or the next step of proving that one is known.
                b'R' if asks_for => {
                    let proof = Frame::read(&mut self.client).await?;
                    self.server.write_all(&proof.bytes).await?;
                }
                _ => {}
            }
        }
    }

    /// The next request of the client.
    pub async fn request(&mut self) -> io::Result<Request> {
        let mut request = Request {
            bytes: Vec::new(),
            statement: None,
        };
        loop {
            let frame = Frame::read(&mut self.client).await?;
            request.bytes.extend(&frame.bytes);
            let mut texts = frame.texts();
            let (first, second) = (texts.next(), texts.next());
            match frame.kind {
                // Parse: a name, and what it shall stand for.
                b'P' => {
                    let name = first.unwrap_or_default().to_vec();
                    let text = String::from_utf8_lossy(second.unwrap_or_default());
                    self.prepared.insert(name, name_of(&text));
                }
                // Bind: a portal, and the name of a statement to be run.
                b'B' => {
                    let prepared = self.prepared.get(second.unwrap_or_default());
                    request.statement = prepared.cloned();
                }
                b'Q' => {
                    let text = String::from_utf8_lossy(first.unwrap_or_default());
                    request.statement = Some(name_of(&text));
                }
                _ => {}
            }
            // Sync, a query by itself, or the farewell.
            if matches!(frame.kind, b'S' | b'Q' | b'X') {
                return Ok(request);
            }
        }
    }

    /// Asks the server; what it answers, to the end.
    pub async fn ask(&mut self, request: &Request) -> io::Result<Vec<u8>> {
        self.server.write_all(&request.bytes).await?;
        let mut answer = Vec::new();
        loop {
            let frame = Frame::read(&mut self.server).await?;
            answer.extend(&frame.bytes);
            if frame.kind == b'Z' {
                return Ok(answer);
            }
        }
    }

    pub async fn answer(&mut self, answer: &[u8]) -> io::Result<()> {
        self.client.write_all(answer).await
    }
}

/// Our statements begin with `-- name` or `-- name: what it does`; of others the text has to do.
fn name_of(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    let name = line.strip_prefix("-- ").map(|name| name.split(':').next());
    name.flatten().unwrap_or(line).to_lowercase()
}
