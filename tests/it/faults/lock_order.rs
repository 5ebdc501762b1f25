//! All statements at once, on the same few accounts, lanes, keys and webhooks: Postgres never has to
//! give one up for another one's sake.

use std::cell::Cell;
use std::time::Duration;

use fargate_fleet::database::Share;
use fargate_fleet::db::{breaker, job_callbacks};
use fargate_fleet::queue::enqueue::IdempotencyKey;
use fargate_fleet::queue::{due, lanes, maintenance};
use futures_util::future::{LocalBoxFuture, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio_util::task::TaskTracker;

use crate::queue::support::Queue;
use crate::support::app::{Send as _, TestApp};
use crate::support::database::Database;
use crate::webhooks::support::sender;

const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];
/// Rounds that run beside each other.
const PARALLEL: usize = 4;
const ROUNDS: usize = 25;

/// How often Postgres broke a deadlock in this database, by its own count. A session tells what it
/// met when it ends, so all others have to be gone.
async fn deadlocks(database: &Database) -> i64 {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let alone = async {
        let others = "select count(*) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()";
        while sqlx::query_scalar::<_, i64>(others)
            .fetch_one(&mut connection)
            .await
            .unwrap()
            > 0
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let alone = tokio::time::timeout(Duration::from_secs(20), alone).await;
    alone.expect("all others are gone");
    sqlx::query_scalar("select deadlocks from pg_stat_database where datname = current_database()")
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

fn profile(name: &str) -> Value {
    json!({"name": name, "selectors": [{"namespace": "default"}]})
}

/// What one round does, all of it at the same moment, half of it with one of a few keys.
struct Round<'a> {
    app: &'a TestApp,
    key: String,
    calls: Cell<usize>,
    account: &'static str,
    jobs: Vec<String>,
    webhooks: Vec<String>,
}

impl Round<'_> {
    fn call(&self, method: Method, path: &str, body: Option<Value>) -> LocalBoxFuture<'_, u16> {
        let number = self.calls.get();
        self.calls.set(number + 1);
        let mut request = self.app.admin(method, path);
        if number.is_multiple_of(2) {
            let key = format!("{}-{}", self.key, number % 5);
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Box::pin(async move { request.answer().await.status })
    }

    /// By another caller.
    fn other(&self, path: &str, body: &Value) -> LocalBoxFuture<'_, u16> {
        let request = self.app.operator(Method::POST, path).json(body);
        Box::pin(async move { request.answer().await.status })
    }

    /// A live read, which others ask for at the same moment.
    fn read(&self, path: &str) -> LocalBoxFuture<'_, u16> {
        let request = self.app.viewer(&format!("{path}?waitSeconds=0"));
        Box::pin(async move { request.answer().await.status })
    }

    fn callers(&self) -> Vec<LocalBoxFuture<'_, u16>> {
        let mut all: Vec<LocalBoxFuture<'_, u16>> = Vec::new();
        for account in ACCOUNTS {
            let clusters = format!("/v1/accounts/{account}/regions/eu-central-1/clusters");
            for cluster in ["prod-1", "prod-2"] {
                let base = format!("{clusters}/{cluster}/fargate-profiles");
                all.push(self.other(&base, &profile("fp-b")));
                all.push(self.read(&base));
                all.push(self.call(Method::POST, &base, Some(profile("fp-a"))));
            }
        }
        let account = format!("/v1/accounts/{}", self.account);
        for name in ["one", "two"] {
            let body = json!({"name": name});
            all.push(self.call(Method::PATCH, &account, Some(body)));
        }
        all.push(self.call(Method::DELETE, &account, None));
        let body = json!({"accountId": self.account, "name": "x", "regions": ["eu-central-1"]});
        all.push(self.call(Method::POST, "/v1/accounts", Some(body)));
        for job in &self.jobs {
            for verb in ["cancel", "retry"] {
                let path = format!("/v1/jobs/{job}/{verb}");
                all.push(self.call(Method::POST, &path, None));
            }
        }
        for webhook in &self.webhooks {
            let path = format!("/v1/webhooks/{webhook}");
            let body = json!({"description": self.key});
            all.push(self.call(Method::PATCH, &path, Some(body)));
            let test = format!("{path}/test");
            all.push(self.call(Method::POST, &test, None));
            all.push(self.call(Method::DELETE, &path, None));
        }
        all
    }
}

/// What workers do: claims, the ends of what was claimed, and notes under way.
async fn work(app: &TestApp, rounds: usize) {
    for _ in 0..rounds {
        let claimed = app.hands.claim().await;
        join_all(claimed.iter().enumerate().map(|(n, job)| async move {
            match n % 3 {
                0 => app.hands.try_park(job).await,
                _ => app.hands.try_succeed(job).await,
            }
        }))
        .await;
    }
}

/// What repairs do, each as its own session.
async fn repair(pool: PgPool, worker: uuid::Uuid, rounds: usize) {
    let share = Share::of(pool.clone());
    for _ in 0..rounds {
        maintenance::release(&share, worker, &[]).await.unwrap();
        maintenance::repair(&share).await.unwrap();
        due::wake_due(&share).await.unwrap();
        lanes::mend(&share).await.unwrap();
        maintenance::sweep(&share).await.unwrap();
        maintenance::sweep_reads(&share, Duration::ZERO)
            .await
            .unwrap();
        let account = ACCOUNTS[0];
        breaker::role_failed(&pool, account, "denied", 1_000.0)
            .await
            .unwrap();
        breaker::role_worked(&pool, account).await.unwrap();
        job_callbacks::sweep(&pool, Duration::from_hours(1))
            .await
            .unwrap();
    }
    pool.close().await;
}

async fn ids(pool: &PgPool, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
}

async fn storm(app: &TestApp, number: usize) {
    for round in 0..ROUNDS {
        let webhook = json!({"url": "http://127.0.0.1:9/", "eventTypes": ["job.canceled"]});
        let making = app.admin(Method::POST, "/v1/webhooks").json(&webhook);
        making.answer().await;
        let jobs = "select job_id::text from jobs order by random() limit 6";
        let hooks = "select webhook_id::text from webhooks order by random() limit 3";
        let this = Round {
            app,
            // Shared with the rounds beside this one.
            key: format!("key-{round}-{}", number % 2),
            calls: Cell::new(0),
            account: ACCOUNTS[round % ACCOUNTS.len()],
            jobs: ids(&app.pool, jobs).await,
            webhooks: ids(&app.pool, hooks).await,
        };
        let statuses = join_all(this.callers()).await;
        let bad: Vec<_> = statuses.iter().filter(|status| **status >= 500).collect();
        assert!(bad.is_empty(), "{bad:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_statements_at_once_never_deadlock() {
    let app = TestApp::start().await;
    for account in &ACCOUNTS[1..] {
        app.register(account).await;
    }
    let tracker = TaskTracker::new();
    let repairs = [app.another_pool(), app.another_pool()].map(|pool| {
        let worker = app.hands.worker();
        tracker.spawn(repair(pool, worker, 3 * ROUNDS))
    });
    let told = sender(&app);
    let telling = async {
        for _ in 0..ROUNDS {
            // What nobody takes is tried again later.
            let _ = told.round().await;
            let _ = told.sweep().await;
        }
    };
    let storms = join_all((0..PARALLEL).map(|number| storm(&app, number)));
    let working = join_all((0..2).map(|_| work(&app, 3 * ROUNDS)));
    tokio::join!(storms, working, telling);
    for repair in repairs {
        repair.await.unwrap();
    }
    let database = app.end_keeping().await;
    assert_eq!(deadlocks(&database).await, 0);
}

/// The other order of keys and accounts, beside an enqueue: that is a deadlock, and it is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_would_be_counted() {
    let queue = Queue::new().await;
    let mut submission = queue.one(ACCOUNTS[0], None, json!({}));
    submission.idempotency = Some(IdempotencyKey {
        key: "key".to_owned(),
        request_sha256: vec![0; 32],
    });
    let mut other = queue.pool().begin().await.unwrap();
    sqlx::query(
        "insert into idempotency_keys (caller, key, request_sha256, subject)
        values ($1, 'key', '\\x00', 'subject')",
    )
    .bind(&submission.caller)
    .execute(&mut *other)
    .await
    .unwrap();
    let enqueuer = queue.enqueuer.clone();
    let enqueuing = TaskTracker::new().spawn(async move { enqueuer.submit(submission).await });
    let waiting = "select count(*) from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()";
    while sqlx::query_scalar::<_, i64>(waiting)
        .fetch_one(queue.pool())
        .await
        .unwrap()
        == 0
    {
        tokio::task::yield_now().await;
    }
    let account = "select from accounts where account_id = $1 for update";
    let _ = sqlx::query(account)
        .bind(ACCOUNTS[0])
        .execute(&mut *other)
        .await;
    let _ = other.rollback().await;
    enqueuing.await.unwrap().unwrap();
    queue.pool().close().await;
    assert!(deadlocks(&queue.database).await >= 1);
}
