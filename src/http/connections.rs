//! Open connections, and an end to those that say nothing.
//!
//! The server bounds the head of a connection's first request, and the time without any byte after
//! an answer. Who sends one byte after an answer would be waited for without end; so a connection
//! that has had no request under way for as long as all that together is cut off.
//!
//! It is here too that the two ends of a connection learn of each other: [`super::envelope`], which
//! answers, and [`super::edge`], which lets the next request through when that is done.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceRequest;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
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
pub(super) struct Connection {
    shared: Arc<Shared>,
    under_way: AtomicU32,
    /// In milliseconds since the server began.
    quiet_since: AtomicU64,
    /// Answers that were handed to the server.
    begun: AtomicU32,
    /// Answers that the server is done with.
    answered: AtomicU32,
    /// Whether the body of the request under way is wanted.
    wanted: AtomicBool,
    cut: AtomicBool,
    waker: AtomicWaker,
}

impl Connection {
    pub(super) fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    pub(super) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Acquire)
    }

    pub(super) fn answered(&self) -> u32 {
        self.answered.load(Ordering::Acquire)
    }

    /// Whether the body of the request under way is wanted.
    pub(super) fn wants_body(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    pub(super) fn want_body(&self) {
        self.wanted.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Another request begins, whose body nobody wants yet.
    pub(super) fn another(&self) {
        self.wanted.store(false, Ordering::Release);
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Whom to wake when a body is wanted, an answer is done or the connection is cut.
    pub(super) fn wake_later(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.waker.wake();
    }
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
    pub(super) fn opened(&self) -> Arc<Connection> {
        let connection = Arc::new(Connection {
            shared: Arc::clone(&self.0),
            under_way: AtomicU32::new(0),
            quiet_since: AtomicU64::new(self.0.millis()),
            begun: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            wanted: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        });
        self.lock().push(Arc::downgrade(&connection));
        connection
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
                connection.cut();
            }
            stays
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Connection>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a request is read from now on: there is leave for its bytes.
pub(super) fn want_body(request: &HttpRequest) {
    if let Some(connection) = request.conn_data::<Arc<Connection>>() {
        connection.want_body();
    }
}

/// Takes note of a request; none where the connection is not known.
pub(super) fn busy(request: &ServiceRequest) -> Option<Busy> {
    let connection = request.conn_data::<Arc<Connection>>()?;
    connection.under_way.fetch_add(1, Ordering::Acquire);
    Some(Busy(Arc::clone(connection)))
}

/// An answer's body, as it is handed to the server. Its connection is busy until the server lets go of
/// it, which is when the whole answer is written to its buffer. Of an answer to a `HEAD` only the size
/// is left, so that a stream of events ends at once.
pub(super) fn held(body: BoxBody, busy: Option<Busy>, head: bool) -> BoxBody {
    if let Some(busy) = &busy {
        busy.0.begun.fetch_add(1, Ordering::Release);
        // A body that nobody read may come now, and is left out.
        busy.0.waker.wake();
    }
    let size = body.size();
    let body = if head { None } else { Some(body) };
    BoxBody::new(Answer { body, size, busy })
}

struct Answer {
    body: Option<BoxBody>,
    size: BodySize,
    busy: Option<Busy>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(Busy(connection)) = &self.busy {
            connection.answered.fetch_add(1, Ordering::Release);
            connection.waker.wake();
        }
    }
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_next(context),
            None => Poll::Ready(None),
        }
    }
}
