//! A wire to Postgres that knows the statements that pass, by name, and can fail at each of them:
//! before the server has it, or when it is done and the answer is on its way.
//!
//! Everything that the engine and the operations await is a statement or a call to AWS, so the
//! statements are the failpoints of the database, and a new statement is a new one by itself.

mod frames;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use frames::Frames;

/// A place to fail at: a statement's name, and how many of that name pass first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    pub statement: String,
    pub before: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The server does not have the statement yet.
    Before,
    /// The server has done it, the client does not know.
    After,
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// This connection breaks.
    Cut,
    /// Nothing passes any more, on any connection, until told.
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    Stopped,
    Dead,
}

/// What all connections share.
struct Gate {
    armed: Option<(Point, Moment, Failure)>,
    passed: Mutex<HashMap<String, usize>>,
    flow: watch::Sender<Flow>,
    reached: watch::Sender<bool>,
}

/// The wire.
pub struct Wire {
    gate: Arc<Gate>,
    pub pool: PgPool,
}

impl Wire {
    /// A wire to the database of this URL that fails at the point, if one is given.
    pub async fn new(url: &str, armed: Option<(Point, Moment, Failure)>) -> Self {
        let options: PgConnectOptions = url.parse().expect("a URL");
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, options.get_port()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let gate = Arc::new(Gate {
            armed,
            passed: Mutex::default(),
            flow: watch::channel(Flow::Open).0,
            reached: watch::channel(false).0,
        });
        // Ends with the test's runtime.
        TaskTracker::new().spawn(accept(listener, server, Arc::clone(&gate)));
        let options = options.host("127.0.0.1").port(port);
        let pool = PgPoolOptions::new()
            .max_connections(20)
            .acquire_timeout(Duration::from_secs(30))
            .connect_lazy_with(options.ssl_mode(PgSslMode::Disable));
        Self { gate, pool }
    }

    /// Waits until the point is reached.
    pub async fn reached(&self) {
        let mut reached = self.gate.reached.subscribe();
        reached.wait_for(|reached| *reached).await.unwrap();
    }

    /// Lets what was stopped go on.
    pub fn go_on(&self) {
        self.gate.flow.send_replace(Flow::Open);
    }

    /// Breaks everything for good: what the server does not have by now it never gets.
    pub fn die(&self) {
        self.gate.flow.send_replace(Flow::Dead);
    }

    /// The names of the statements that passed, and how many of each.
    pub fn passed(&self) -> HashMap<String, usize> {
        self.gate.passed.lock().unwrap().clone()
    }
}

impl Gate {
    /// Counts a statement; whether it is the one to fail at, and when.
    fn count(&self, statement: &str) -> Option<(Moment, Failure)> {
        let mut passed = self.passed.lock().unwrap();
        let count = passed.entry(statement.to_owned()).or_default();
        *count += 1;
        let (point, moment, failure) = self.armed.as_ref()?;
        let here = point.statement == statement && point.before + 1 == *count;
        here.then_some((*moment, *failure))
    }

    /// Waits until what comes now may pass.
    async fn pass(&self, failure: Option<Failure>) -> io::Result<()> {
        match failure {
            Some(Failure::Cut) => {
                self.reached.send_replace(true);
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            Some(Failure::Stop) => {
                self.flow.send_replace(Flow::Stopped);
                self.reached.send_replace(true);
            }
            None => {}
        }
        let mut flow = self.flow.subscribe();
        let moves = flow.wait_for(|flow| *flow != Flow::Stopped).await;
        match moves.map(|flow| *flow) {
            Ok(Flow::Open) => Ok(()),
            _ => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, gate: Arc<Gate>) {
    while let Ok((client, _)) = listener.accept().await {
        let gate = Arc::clone(&gate);
        TaskTracker::new().spawn(async move {
            let mut ended = gate.flow.subscribe();
            let dead = ended.wait_for(|flow| *flow == Flow::Dead);
            // However it ends, both sides are closed.
            tokio::select! {
                _ = carry(client, server, &gate) => {}
                _ = dead => {}
            }
        });
    }
}

/// Carries a request there and its answer back, as long as there are requests.
async fn carry(client: TcpStream, server: SocketAddr, gate: &Gate) -> io::Result<()> {
    gate.pass(None).await?;
    let mut frames = Frames::new(client, TcpStream::connect(server).await?);
    frames.introduce().await?;
    loop {
        let request = frames.request().await?;
        let fails = request
            .statement
            .as_deref()
            .and_then(|name| gate.count(name));
        let at = |now| {
            fails
                .filter(|(moment, _)| *moment == now)
                .map(|(_, how)| how)
        };
        gate.pass(at(Moment::Before)).await?;
        let answer = frames.ask(&request).await?;
        gate.pass(at(Moment::After)).await?;
        frames.answer(&answer).await?;
    }
}
