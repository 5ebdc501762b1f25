//! An API on a database of its own.

use std::sync::Arc;
use std::time::Duration;

use fargate_fleet::clock::Clock;
use fargate_fleet::database::Shares;
use fargate_fleet::db::tokens::{self, NewToken};
use fargate_fleet::domain::Role;
use fargate_fleet::http::{Api, ApiOptions, ApiParts};
use fargate_fleet::limits::Limits;
use fargate_fleet::queue::Enqueuer;
use fargate_fleet::queue::listener::{self, Watchers};
use fargate_fleet::rng::Rng;
use fargate_fleet::webhooks::{Rules, Setup};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::database::Database;
use super::hands::Hands;

/// The account that [`TestApp::start`] registers.
pub const ACCOUNT: &str = "111111111111";
/// Its cluster's profiles.
pub const BASE: &str =
    "/v1/accounts/111111111111/regions/eu-central-1/clusters/prod-1/fargate-profiles";

/// A running API.
pub struct TestApp {
    pub pool: PgPool,
    /// The connections of the API.
    pub shares: Shares,
    pub hands: Hands,
    pub tokens: Tokens,
    pub addr: std::net::SocketAddr,
    http: reqwest::Client,
    api: Api,
    tracker: TaskTracker,
    stop: CancellationToken,
    database: Database,
}

/// One caller of each role on all accounts, and some of another account.
pub struct Tokens {
    pub viewer: String,
    pub operator: String,
    pub admin: String,
    pub other_viewer: String,
    pub other_operator: String,
    pub other_admin: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Fails unless the status is this one.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Fails unless this is a problem with that status and code.
    pub fn problem(self, status: u16, code: &str) -> Value {
        let body = self.json();
        assert_eq!(
            (self.status, body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        for member in ["type", "title", "detail", "instance", "requestId"] {
            assert!(
                body[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member}: {body}"
            );
        }
        assert_eq!(body["requestId"], self.header("x-request-id"));
        assert_eq!(body["status"], status);
        assert!(body["retryable"].is_boolean());
        if body["retryable"] == true {
            let seconds = body["retryAfterSeconds"].as_u64().unwrap();
            assert_eq!(self.header("retry-after"), seconds.to_string());
        }
        body
    }
}

impl TestApp {
    /// An API with one account, [`ACCOUNT`].
    pub async fn start() -> Self {
        Self::start_with(true).await
    }

    /// The answer to a viewer, as soon as it is a refusal: a change of a token is told to the API.
    pub async fn refused_soon(&self, path: &str) -> Answer {
        let refused = async {
            loop {
                let answer = self.viewer(path).answer().await;
                if answer.status == 401 {
                    return answer;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), refused)
            .await
            .expect("refused within a moment")
    }

    /// The same in a process whose other half says whether it is `ready`.
    pub async fn start_with(ready: bool) -> Self {
        let options = ApiOptions {
            webhooks: webhook_setup(),
            ..ApiOptions::default()
        };
        Self::start_as(ready, Clock::system(), options).await
    }

    /// The same with other rules for webhooks.
    pub async fn start_with_webhooks(webhooks: Setup) -> Self {
        let options = ApiOptions {
            webhooks,
            ..ApiOptions::default()
        };
        Self::start_as(true, Clock::system(), options).await
    }

    /// The same with these limits.
    pub async fn start_limited(limits: Limits) -> Self {
        let options = ApiOptions {
            limits,
            ..ApiOptions::default()
        };
        Self::start_as(true, Clock::system(), options).await
    }

    /// The same by another clock and with other options, on a port of its own.
    pub async fn start_as(ready: bool, clock: Clock, options: ApiOptions) -> Self {
        let database = Database::new().await;
        let shares = database.shares();
        Self::start_with_parts(ready, clock, options, (database, shares)).await
    }

    /// The same with shares of these sizes: LISTEN, heartbeat, engine, changes, reads.
    pub async fn start_on(sizes: [u32; 5], options: ApiOptions) -> Self {
        let database = Database::new().await;
        let shares = database.shares_of(sizes);
        Self::start_with_parts(true, Clock::system(), options, (database, shares)).await
    }

    async fn start_with_parts(
        ready: bool,
        clock: Clock,
        options: ApiOptions,
        (database, shares): (Database, Shares),
    ) -> Self {
        let pool = database.pool.clone();
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let wake = Arc::new(Notify::new());
        let watchers = Watchers::default();
        tracker.spawn(listener::listen(
            shares.listen.clone(),
            Arc::clone(&wake),
            watchers.clone(),
            stop.clone(),
        ));
        let parts = ApiParts {
            shares: shares.clone(),
            enqueuer: Enqueuer::start(shares.changes.clone(), Arc::clone(&wake), &tracker),
            watchers,
            clock,
            rng: Rng::from_os(),
        };
        let listen = ([127, 0, 0, 1], 0).into();
        let options = ApiOptions {
            listen,
            workers: 1,
            ..options
        };
        let unready = move || (!ready).then(|| "The worker of this process is gone.".to_owned());
        let api = Api::start(parts, unready, options).await.unwrap();
        let app = Self {
            hands: Hands::new(pool.clone(), &tracker),
            tokens: Tokens::create(&pool).await,
            addr: api.addr(),
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            pool,
            shares,
            api,
            tracker,
            stop,
            database,
        };
        app.register(ACCOUNT).await;
        app
    }

    /// Registers an account with two regions and a role for pods.
    pub async fn register(&self, account_id: &str) {
        let role = format!("arn:aws:iam::{account_id}:role/fargate-pod-execution");
        let body = json!({
            "accountId": account_id,
            "name": "test",
            "regions": ["eu-central-1", "us-east-1"],
            "podExecutionRoleARN": role,
        });
        self.admin(Method::POST, "/v1/accounts")
            .json(&body)
            .answer()
            .await
            .expect(201);
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("http://{}{path}", self.addr))
    }

    pub fn viewer(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
            .bearer_auth(&self.tokens.viewer)
    }

    pub fn operator(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
            .bearer_auth(&self.tokens.operator)
    }

    pub fn admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&self.tokens.admin)
    }

    /// Asks for a profile of this name; the job.
    pub async fn create_profile(&self, name: &str) -> Value {
        let body = json!({"name": name, "selectors": [{"namespace": "default"}]});
        self.operator(Method::POST, BASE)
            .json(&body)
            .answer()
            .await
            .expect(202)
            .json()
    }

    /// Reads so far are shared no longer, as after a second.
    pub async fn forget_reads(&self) {
        sqlx::query("delete from shared_reads")
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// A token with `mayActFor`, as the command line makes it.
    pub async fn token_that_acts_for(&self, name: &str, role: Role) -> String {
        let new = NewToken {
            name: name.to_owned(),
            role,
            account_ids: None,
            expires_at: None,
            may_act_for: true,
            created_by: None,
        };
        let mut connection = self.pool.acquire().await.unwrap();
        let made = tokens::create(&mut connection, &Clock::system(), &Rng::from_os(), new).await;
        made.unwrap().1
    }

    /// Makes a webhook for all job events and operations; the answer, with its secret.
    pub async fn create_webhook(&self, url: &str) -> Value {
        let body = json!({
            "url": url,
            "eventTypes": ["job.succeeded", "job.failed", "job.canceled", "operation.finished"],
        });
        self.admin(Method::POST, "/v1/webhooks")
            .json(&body)
            .answer()
            .await
            .expect(201)
            .json()
    }

    /// Ends all jobs, checks that nothing is left, and stops everything.
    pub async fn end(self) {
        self.settle().await;
        self.stop().await;
    }

    /// The same; the database is left, and nobody else has a session there.
    pub async fn end_keeping(self) -> Database {
        self.settle().await;
        let (pool, shares) = (self.pool.clone(), self.shares.clone());
        let database = self.stop().await;
        shares.close().await;
        pool.close().await;
        database
    }

    async fn settle(&self) {
        self.hands.wake_parked().await;
        self.hands.finish_all().await;
        self.database.assert_settled().await;
    }

    /// A second pool on the database, as another process would have.
    pub fn another_pool(&self) -> PgPool {
        self.database.another_pool()
    }

    /// Stops everything.
    pub async fn stop(self) -> Database {
        self.api.stop(Duration::from_secs(5)).await;
        self.stop.cancel();
        drop(self.hands);
        self.tracker.close();
        self.tracker.wait().await;
        self.database
    }
}

/// Receivers of the tests: on this machine, and at an address of documentation that stands for one
/// that is public.
pub fn webhook_setup() -> Setup {
    let allowed = ["127.0.0.1/32", "198.51.100.0/24"];
    Setup {
        rules: Rules {
            allow_http: true,
            allowed: allowed.map(|net| net.parse().unwrap()).to_vec(),
            ..Rules::default()
        },
        secrets_key: None,
    }
}

impl Tokens {
    async fn create(pool: &PgPool) -> Self {
        let token = async |role: Role, account_ids: Option<&str>| {
            let new = NewToken {
                name: format!("{}-{role}", account_ids.map_or("all", |_| "other")),
                role,
                account_ids: account_ids.map(|id| vec![id.to_owned()]),
                expires_at: None,
                may_act_for: false,
                created_by: None,
            };
            let mut connection = pool.acquire().await.unwrap();
            let made =
                tokens::create(&mut connection, &Clock::system(), &Rng::from_os(), new).await;
            made.unwrap().1
        };
        let other = Some("999999999999");
        Self {
            viewer: token(Role::Viewer, None).await,
            operator: token(Role::Operator, None).await,
            admin: token(Role::Admin, None).await,
            other_viewer: token(Role::Viewer, other).await,
            other_operator: token(Role::Operator, other).await,
            other_admin: token(Role::Admin, other).await,
        }
    }
}

/// Sends a request and reads the answer to its end.
pub trait Send {
    fn answer(self) -> impl Future<Output = Answer>;
}

impl Send for RequestBuilder {
    async fn answer(self) -> Answer {
        let response = self.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }
}
