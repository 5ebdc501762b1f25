//! A database of its own for every test, on one throw-away server a test process.
//!
//! The server is made at the first use and ends with the process, however that ends.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fargate_fleet::config::Environment;
use fargate_fleet::database::Shares;
use fargate_fleet::throwaway_postgres::{Options, ThrowawayPostgres};
use nix::sys::statvfs::statvfs;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use tokio::runtime::Runtime;

struct Server {
    runtime: Runtime,
    postgres: ThrowawayPostgres,
}

/// One server, with the migrated schema in the database `fleet`, which serves as the template.
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    // A thread of its own: tests run inside runtimes, where nothing may block on another.
    std::thread::spawn(|| {
        let runtime = Runtime::new().expect("a runtime for the server");
        let postgres = runtime.block_on(start());
        Server { runtime, postgres }
    })
    .join()
    .expect("starting the server")
});

async fn start() -> ThrowawayPostgres {
    let options = Options {
        binaries: Environment::read().postgres_binaries(),
        max_connections: 900,
        parent: in_memory(),
        ..Options::default()
    };
    let postgres = ThrowawayPostgres::start(options)
        .await
        .expect("a throw-away Postgres");
    let mut template = PgConnection::connect(&postgres.url())
        .await
        .expect("the template");
    sqlx::migrate!("./migrations")
        .run(&mut template)
        .await
        .expect("the migrations");
    template.close().await.expect("closing the template");
    postgres
}

/// A directory in memory, where there is one with room: the files of a database a test cost a file
/// system on a disk more than Postgres itself takes.
pub fn in_memory() -> Option<PathBuf> {
    const ROOM: u64 = 4 << 30;
    let path = Path::new("/dev/shm");
    let found = statvfs(path).ok()?;
    let room = found.blocks_available() * found.fragment_size();
    (room >= ROOM).then(|| path.to_path_buf())
}

/// An empty, migrated database; dropped with this.
pub struct Database {
    name: String,
    /// A pool for the test.
    pub pool: PgPool,
}

impl Database {
    /// A new database.
    pub async fn new() -> Self {
        Self::made("template fleet strategy wal_log").await
    }

    /// One that no migration was run on.
    pub async fn unmigrated() -> Self {
        Self::made("template template0").await
    }

    async fn made(how: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        admin(format!("create database {name} {how}")).await;
        let pool = Self::connect(&name, 20);
        Self { name, pool }
    }

    /// The address for processes that connect by themselves.
    pub fn url(&self) -> String {
        SERVER
            .postgres
            .url()
            .replace("/fleet?", &format!("/{}?", self.name))
    }

    /// A second pool on the same database, as another process would have.
    pub fn another_pool(&self) -> PgPool {
        Self::connect(&self.name, 20)
    }

    /// The connections of a service, one for each kind of work: whoever needs two waits for ever.
    pub fn shares(&self) -> Shares {
        self.shares_of([1; 5])
    }

    /// Shares of these sizes.
    pub fn shares_of(&self, sizes: [u32; 5]) -> Shares {
        Shares::of(sizes.map(|connections| Self::connect(&self.name, connections)))
    }

    fn connect(name: &str, connections: u32) -> PgPool {
        let options: PgConnectOptions = SERVER.postgres.url().parse().expect("a URL");
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(30))
            .connect_lazy_with(options.database(name))
    }

    /// What must hold at the end of every test: nothing unfinished, nothing stuck.
    pub async fn assert_settled(&self) {
        let left: Vec<(String, String, String)> = sqlx::query_as(
            "select kind, phase, message from jobs where phase <> 'finished' order by seq",
        )
        .fetch_all(&self.pool)
        .await
        .expect("reading the jobs");
        assert!(left.is_empty(), "jobs are left: {left:?}");
        self.assert_nothing_stuck().await;
        let lanes: Vec<(String, String, i32)> =
            sqlx::query_as("select account_id, lane, pending from lanes where pending <> 0")
                .fetch_all(&self.pool)
                .await
                .expect("reading the lanes");
        assert!(lanes.is_empty(), "lanes are taken by no job: {lanes:?}");
    }

    /// What must hold at any moment.
    pub async fn assert_nothing_stuck(&self) {
        let stuck: Vec<(String, String)> =
            sqlx::query_as("select job_id::text, why from stuck_jobs")
                .fetch_all(&self.pool)
                .await
                .expect("reading the view");
        assert!(stuck.is_empty(), "jobs are stuck: {stuck:?}");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("drop database if exists {} with (force)", self.name);
        SERVER.runtime.spawn(admin_here(drop));
    }
}

async fn admin(statement: String) {
    SERVER
        .runtime
        .spawn(admin_here(statement))
        .await
        .expect("the statement ran");
}

async fn admin_here(statement: String) {
    // One at a time: a template can be copied by one session only.
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _turn = TURN.lock().await;
    let mut connection = PgConnection::connect(&SERVER.postgres.admin_url())
        .await
        .expect("the server");
    connection
        .execute(AssertSqlSafe(statement))
        .await
        .expect("an administrative statement");
}
