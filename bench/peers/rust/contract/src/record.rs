//! Sees every job begin and end.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

use tokio::sync::{mpsc, watch};

use crate::{Arguments, Payload};

/// The drain's record: counts, and what went wrong with keys.
#[derive(Debug)]
pub struct Record {
    awaited: AtomicUsize,
    seen: Vec<AtomicBool>,
    running: Vec<AtomicBool>,
    last: Vec<AtomicI64>,
    pub overlaps: AtomicUsize,
    pub out_of_order: AtomicUsize,
    ended: watch::Sender<Option<Instant>>,
}

impl Record {
    pub fn new(arguments: &Arguments) -> Self {
        let (jobs, keys) = (arguments.jobs, arguments.keys);
        Self {
            awaited: AtomicUsize::new(jobs),
            seen: (0..jobs).map(|_| AtomicBool::new(false)).collect(),
            running: (0..keys).map(|_| AtomicBool::new(false)).collect(),
            last: (0..keys).map(|_| AtomicI64::new(-1)).collect(),
            overlaps: AtomicUsize::new(0),
            out_of_order: AtomicUsize::new(0),
            ended: watch::Sender::new(None),
        }
    }

    /// A job's first statement.
    pub fn begin(&self, job: &Payload) {
        let Ok(key) = usize::try_from(job.key) else {
            return;
        };
        if self.running[key].swap(true, SeqCst) {
            self.overlaps.fetch_add(1, SeqCst);
        }
        let number = job.number.cast_signed() as i64;
        if self.last[key].swap(number, SeqCst) > number {
            self.out_of_order.fetch_add(1, SeqCst);
        }
    }

    /// A job's last statement.
    pub fn end(&self, job: &Payload) {
        if let Ok(key) = usize::try_from(job.key) {
            self.running[key].store(false, SeqCst);
        }
        if self.seen[job.number].swap(true, SeqCst) {
            eprintln!("job {} ran twice", job.number);
            std::process::exit(1);
        }
        if self.awaited.fetch_sub(1, SeqCst) == 1 {
            self.ended.send_replace(Some(Instant::now()));
        }
    }

    /// Waits until all have ended; when that was.
    pub async fn finished(&self) -> Instant {
        let mut ended = self.ended.subscribe();
        let found = ended
            .wait_for(Option::is_some)
            .await
            .expect("the record outlives the wait");
        found.expect("waited for it")
    }
}

/// When jobs began, one after the other.
pub struct Samples {
    begun: mpsc::UnboundedReceiver<Instant>,
}

impl Samples {
    /// The measuring side, and what a job says first.
    pub fn new() -> (Self, mpsc::UnboundedSender<Instant>) {
        let (sender, begun) = mpsc::unbounded_channel();
        (Self { begun }, sender)
    }

    /// Waits until the next job has begun; when that was.
    pub async fn next(&mut self) -> Instant {
        self.begun
            .recv()
            .await
            .expect("the worker holds the other end")
    }
}
