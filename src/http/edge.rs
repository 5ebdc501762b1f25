//! The bytes of a connection, between the socket and the server's HTTP/1 half.
//!
//! actix-http remembers of a connection only what its newest request was: it reads pipelined requests
//! before it has answered the ones before them, and takes for the answer to a `HEAD` what is one to the
//! `GET` behind it (docs/upstream.md). So a request is let through only when the one before it is
//! answered and the answer is written ([`frames`]).
//!
//! A body is let through when a handler has leave for its bytes ([`super::permits`]), or when its
//! request is answered without it: until then it waits at its sender.
//!
//! What the server answers by itself, to heads that it can't read, has no body and none of our headers;
//! it is replaced by a problem ([`replaced`]).
//!
//! A connection takes one file descriptor, and ends when [`super::connections`] cuts it.

mod frames;
mod replaced;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::frames::Frames;
use super::connections::Connection;

/// The most that is kept of what comes behind a request that is not answered yet.
const KEPT: usize = 16 * 1024;
/// The largest head that the server itself reads; of a larger one it says so.
const LARGEST_HEAD: usize = 128 * 1024;
const READ: usize = 8 * 1024;

/// A connection's two ends.
pub(super) struct Edge<T> {
    io: T,
    connection: Arc<Connection>,
    over_tls: bool,
    frames: Frames,
    /// What was read and is not let through.
    kept: BytesMut,
    /// How much at its beginning may go through.
    cleared: usize,
    ended: bool,
    /// Written since the last time that everything was.
    dirty: bool,
    /// Answers of ours whose beginning was seen.
    seen: u32,
    /// Answers that had begun before the request under way.
    begun: u32,
    /// What is written in place of what the server wrote.
    instead: BytesMut,
}

impl<T> Edge<T> {
    pub(super) fn new(io: T, connection: Arc<Connection>, over_tls: bool) -> Self {
        Self {
            io,
            connection,
            over_tls,
            frames: Frames::default(),
            kept: BytesMut::new(),
            cleared: 0,
            ended: false,
            dirty: false,
            seen: 0,
            begun: 0,
            instead: BytesMut::new(),
        }
    }

    pub(super) fn connection(&self) -> Arc<Connection> {
        Arc::clone(&self.connection)
    }

    /// Whether all that was let through is answered, and the answers are written.
    fn is_settled(&self) -> bool {
        !self.dirty && self.connection.answered() >= self.frames.requests()
    }

    /// Whether the body of the request under way may go through: somebody wants it, or the request is
    /// answered without it.
    fn takes_body(&self) -> bool {
        self.connection.wants_body() || self.connection.begun() != self.begun
    }

    /// Clears what may go through now.
    fn clear(&mut self) {
        if self.cleared > 0 {
            return;
        }
        let settled = self.is_settled();
        if self.frames.is_in_body() && !self.takes_body() {
            // It waits in the socket, not in memory.
            return;
        }
        let before = self.frames.requests();
        self.cleared = self.frames.clear(&self.kept, settled);
        if self.frames.requests() != before {
            // Its handler runs when the head has gone through.
            self.connection.another();
            self.begun = self.connection.begun();
        }
        let hopeless = self.ended || self.kept.len() >= LARGEST_HEAD;
        if self.cleared == 0 && settled && hopeless {
            // No more comes, or nothing good: the server says what is wrong with it.
            self.frames.give_up();
            self.cleared = self.kept.len();
        }
    }

    /// Whether more is to be read from the socket.
    fn has_room(&self) -> bool {
        if self.frames.is_sealed() || !self.is_settled() {
            return self.kept.len() < KEPT;
        }
        true
    }
}

impl<T: AsyncRead + Unpin> Edge<T> {
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.kept.reserve(READ);
        let read = tokio_util::io::poll_read_buf(Pin::new(&mut self.io), context, &mut self.kept);
        let read = match read {
            Poll::Ready(read) => read?,
            Poll::Pending => {
                if self.kept.is_empty() {
                    // A connection that says nothing keeps nothing.
                    self.kept = BytesMut::new();
                }
                return Poll::Pending;
            }
        };
        self.ended = read == 0;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Edge<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let edge = &mut *self;
        loop {
            // Before anything is looked at that may change meanwhile.
            edge.connection.wake_later(context.waker());
            if edge.connection.is_cut() {
                return Poll::Ready(Ok(()));
            }
            edge.clear();
            if edge.cleared > 0 {
                let length = edge.cleared.min(out.remaining());
                out.put_slice(&edge.kept[..length]);
                edge.kept.advance(length);
                edge.cleared -= length;
                return Poll::Ready(Ok(()));
            }
            if edge.ended && (edge.kept.is_empty() || edge.frames.is_sealed()) {
                return Poll::Ready(Ok(()));
            }
            if edge.ended || !edge.has_room() {
                return Poll::Pending;
            }
            ready!(edge.poll_fill(context))?;
        }
    }
}

impl<T: AsyncWrite + Unpin> Edge<T> {
    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.instead.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(context, &self.instead))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.instead.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// What to write in place of all of `written`, if it is not to be written as it is.
    fn replacement(&mut self, written: &[u8]) -> Option<BytesMut> {
        if !self.dirty {
            let begun = self.connection.begun();
            if self.seen != begun {
                self.seen = begun;
            } else if let Some(status) = replaced::status(written) {
                let clock = self.connection.clock();
                return Some(replaced::problem(status, clock, self.over_tls));
            }
        }
        // One request has one answer: what the server adds to ours is left out.
        let ours = replaced::without_tail(written)?;
        let whole = self.connection.answered() == self.seen;
        whole.then(|| BytesMut::from(ours))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Edge<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        written: &[u8],
    ) -> Poll<io::Result<usize>> {
        let edge = &mut *self;
        edge.connection.wake_later(context.waker());
        if edge.connection.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        ready!(edge.poll_instead(context))?;
        if let Some(instead) = edge.replacement(written) {
            edge.dirty = true;
            edge.instead = instead;
            // The rest goes with the flush.
            let _ = edge.poll_instead(context)?;
            return Poll::Ready(Ok(written.len()));
        }
        edge.dirty = true;
        Pin::new(&mut edge.io).poll_write(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let edge = &mut *self;
        ready!(edge.poll_instead(context))?;
        ready!(Pin::new(&mut edge.io).poll_flush(context))?;
        if std::mem::take(&mut edge.dirty) && !edge.kept.is_empty() {
            // The next request may be let through now.
            context.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let edge = &mut *self;
        ready!(edge.poll_instead(context))?;
        Pin::new(&mut edge.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;
    use crate::clock::Clock;
    use crate::http::connections::Connections;
    use crate::limits::Limits;

    #[tokio::test]
    async fn a_body_waits_until_somebody_wants_it() {
        const HEAD: &str = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n";
        let connection = Connections::new(&Limits::default(), Clock::system()).opened();
        let (mut client, server) = duplex(1_024);
        let mut edge = Edge::new(server, Arc::clone(&connection), false);
        let sent = format!("{HEAD}abc");
        client.write_all(sent.as_bytes()).await.unwrap();
        let mut read = [0; 256];
        let length = edge.read(&mut read).await.unwrap();
        assert_eq!(&read[..length], HEAD.as_bytes());
        assert!(edge.read(&mut read).now_or_never().is_none(), "not yet");
        connection.want_body();
        let length = edge.read(&mut read).await.unwrap();
        assert_eq!(&read[..length], b"abc");
    }

    #[tokio::test]
    async fn what_waits_at_its_sender_is_not_kept() {
        let connection = Connections::new(&Limits::default(), Clock::system()).opened();
        let (mut client, server) = duplex(1_024);
        let mut edge = Edge::new(server, connection, false);
        let sending = async {
            let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
            client.write_all(head.as_bytes()).await.unwrap();
            client.write_all(&[b'x'; 100_000]).await.unwrap();
        };
        let mut read = [0; 256];
        let reading = async {
            edge.read(&mut read).await.unwrap();
            edge.read(&mut read).await.unwrap();
        };
        let both = futures_util::future::join(sending, reading);
        let mut both = Box::pin(both);
        for _ in 0..1_000 {
            assert!((&mut both).now_or_never().is_none(), "it waits");
        }
        drop(both);
        assert!(edge.kept.len() < KEPT + READ, "{}", edge.kept.len());
    }
}
