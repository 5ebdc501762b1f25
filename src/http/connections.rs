//! Open connections, and an end to those that say nothing.
//!
//! The server bounds the head of a connection's first request, and the time without any byte after
//! an answer. Who sends one byte after an answer would be waited for without end; so a connection
//! that has had no request under way for as long as all that together is cut off.

use std::any::Any;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::rt::net::TcpStream;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::limits::Limits;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// All open connections; clones share them.
#[derive(Clone)]
pub(super) struct Connections(Arc<Shared>);

struct Shared {
    clock: Clock,
    begun: Instant,
    patience: Duration,
    open: Mutex<Vec<Weak<Connection>>>,
}

/// Lives as long as the server's own hold on the connection.
struct Connection {
    shared: Arc<Shared>,
    socket: std::net::TcpStream,
    under_way: AtomicU32,
    /// In milliseconds since the server began.
    quiet_since: AtomicU64,
}

/// A request of a connection under way.
pub(super) struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        let now = self.0.shared.millis();
        self.0.quiet_since.store(now, Ordering::Relaxed);
        self.0.under_way.fetch_sub(1, Ordering::Release);
    }
}

impl Shared {
    fn millis(&self) -> u64 {
        let since = self.clock.monotonic().duration_since(self.begun);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Connections {
    pub(super) fn new(limits: &Limits, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            begun: clock.monotonic(),
            clock,
            // An answer is read, then nothing comes, then a head.
            patience: limits.body_timeout + limits.keep_alive + limits.head_timeout,
            open: Mutex::new(Vec::new()),
        }))
    }

    /// Takes note of a new connection.
    pub(super) fn opened(&self, stream: &dyn Any, data: &mut Extensions) {
        let plain = stream.downcast_ref::<TcpStream>();
        let socket = plain.or_else(|| {
            let tls = stream.downcast_ref::<TlsStream<TcpStream>>();
            tls.map(|tls| tls.get_ref().0)
        });
        let Some(Ok(socket)) = socket.map(twin) else {
            return;
        };
        let connection = Arc::new(Connection {
            shared: Arc::clone(&self.0),
            socket,
            under_way: AtomicU32::new(0),
            quiet_since: AtomicU64::new(self.0.millis()),
        });
        self.lock().push(Arc::downgrade(&connection));
        data.insert(connection);
    }

    /// Cuts off who says nothing, until the process stops.
    pub(super) async fn watch(self, stop: CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(LOOK))
            .await
            .is_some()
        {
            self.look();
        }
    }

    fn look(&self) {
        let now = self.0.millis();
        self.lock().retain(|connection| {
            let Some(connection) = connection.upgrade() else {
                return false;
            };
            let busy = connection.under_way.load(Ordering::Acquire) > 0;
            let since = connection.quiet_since.load(Ordering::Relaxed);
            let quiet = Duration::from_millis(now.saturating_sub(since));
            let stays = busy || quiet <= self.0.patience;
            if !stays {
                // The server notices, and lets go of it.
                let _ = connection.socket.shutdown(Shutdown::Both);
            }
            stays
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Connection>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A second hold on a socket.
fn twin(stream: &TcpStream) -> io::Result<std::net::TcpStream> {
    Ok(std::net::TcpStream::from(
        stream.as_fd().try_clone_to_owned()?,
    ))
}

/// Takes note of a request; none where the connection is not known.
pub(super) fn busy(request: &ServiceRequest) -> Option<Busy> {
    let connection = request.conn_data::<Arc<Connection>>()?;
    connection.under_way.fetch_add(1, Ordering::Acquire);
    Some(Busy(Arc::clone(connection)))
}

/// A body that keeps its connection busy while it streams.
pub(super) fn held(body: BoxBody, busy: Option<Busy>) -> BoxBody {
    match busy {
        Some(busy) if matches!(body.size(), BodySize::Stream) => {
            BoxBody::new(Streaming { body, _busy: busy })
        }
        _ => body,
    }
}

struct Streaming {
    body: BoxBody,
    _busy: Busy,
}

impl MessageBody for Streaming {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
