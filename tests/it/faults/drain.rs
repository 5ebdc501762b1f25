//! F8: SIGTERM under load, again and again: what was taken is answered, the rest is refused in good
//! order, leases are handed back, and the process ends in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use reqwest::{Client, Method, Response};
use serde_json::Value;

use crate::binary::support::{ACCOUNT, BOUND, Caller, OTHER_ACCOUNT, Stage, profile};

const GRACE_SECONDS: u64 = 10;
const CLIENTS: u32 = 8;

/// What the rounds came to.
#[derive(Default)]
struct Figures {
    answered: u32,
    /// Clients whose last request got a 503; the others found the door closed.
    refused: usize,
    longest: Duration,
}

/// One client's way to the API.
struct Load {
    base: String,
    token: String,
    client: Client,
    answered: Arc<AtomicU32>,
}

/// What came of a request.
enum Told {
    Answered(Value),
    /// The machine was too busy for it; it may be repeated.
    Again,
    End(End),
}

/// What a client's last request met.
enum End {
    /// A 503 that says why.
    Refused,
    /// A closed door. The request's id, which is its idempotency key too: it was not taken.
    Closed(String),
}

impl Load {
    /// Changes and reads, until the API is gone.
    async fn until_refused(self, number: u32) -> End {
        let account = [ACCOUNT, OTHER_ACCOUNT][number as usize % 2];
        let cluster = ["prod-1", "dev-1"][number as usize / 2 % 2];
        let region = format!("/v1/accounts/{account}/regions/eu-central-1");
        let profiles = format!("{region}/clusters/{cluster}/fargate-profiles");
        let name = format!("fp-{number}");
        let one = format!("{profiles}/{name}");
        let mut follow = profiles.clone();
        for turn in 0_u32.. {
            let (method, path, body) = match turn % 6 {
                0 => (Method::POST, &profiles, profile(&name)),
                3 => (Method::DELETE, &one, Value::Null),
                1 | 4 => (Method::GET, &follow, Value::Null),
                _ => (Method::GET, &profiles, Value::Null),
            };
            let mut tries = 0;
            let told = loop {
                tries += 1;
                let id = format!("{}-{number}-{turn}-{tries}", self.base);
                match self.ask((&method, path, &body), &id).await {
                    Told::Again => {}
                    told => break told,
                }
            };
            match told {
                Told::Answered(job) if turn % 3 == 0 => {
                    let job = job["id"].as_str().unwrap();
                    follow = format!("/v1/jobs/{job}?waitSeconds=1");
                }
                Told::Answered(_) | Told::Again => {}
                Told::End(end) => return end,
            }
        }
        End::Refused
    }

    async fn ask(&self, (method, path, body): (&Method, &str, &Value), id: &str) -> Told {
        let url = format!("{}{path}", self.base);
        let mut request = self
            .client
            .request(method.clone(), url)
            .bearer_auth(&self.token)
            .header("X-Request-Id", id)
            .header("Idempotency-Key", id);
        if !body.is_null() {
            request = request.json(body);
        }
        match request.timeout(BOUND).send().await {
            Ok(answer) => self.judge(answer).await,
            Err(error) => {
                assert!(!error.is_timeout(), "no answer: {error:?}");
                Told::End(End::Closed(id.to_owned()))
            }
        }
    }

    async fn judge(&self, answer: Response) -> Told {
        let status = answer.status().as_u16();
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        // An answer that was begun is told to its end.
        let body: Value = answer.json().await.expect("a whole answer");
        if status == 503 {
            assert_eq!(kind, "application/problem+json");
            if body["code"] == "deadline_exceeded" {
                return Told::Again;
            }
            assert_eq!(body["code"], "shutting_down", "{body}");
            return Told::End(End::Refused);
        }
        assert!([200, 202].contains(&status), "{status}: {body}");
        self.answered.fetch_add(1, Ordering::Relaxed);
        Told::Answered(body)
    }
}

/// One process under load, told to end at a moment of its own.
async fn round(stage: &Stage, token: &str, round: u32, figures: &mut Figures) {
    let (process, address) = stage.both(&GRACE_SECONDS.to_string()).await;
    let answered = Arc::new(AtomicU32::new(0));
    let load = || Load {
        base: format!("http://{address}"),
        token: token.to_owned(),
        client: Client::new(),
        answered: Arc::clone(&answered),
    };
    let clients = join_all((0..CLIENTS).map(|number| load().until_refused(number)));
    let terminated = async {
        let enough = CLIENTS * 4 + round % 10 * 7;
        let loaded = async {
            while answered.load(Ordering::Relaxed) < enough {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let waited = tokio::time::timeout(BOUND, loaded).await;
        assert!(waited.is_ok(), "round {round}: no load");
        let began = Instant::now();
        process.signal(Signal::SIGTERM);
        let ended = process.ended().await;
        assert_eq!(ended.status.code(), Some(0), "{:#?}", ended.stderr);
        let bad = |line: &&String| line.contains("ERROR") || line.contains("panicked");
        assert_eq!(ended.stderr.iter().find(bad), None);
        (began.elapsed(), ended.stderr)
    };
    let (ends, (took, log)) = tokio::join!(clients, terminated);
    assert!(
        took < Duration::from_secs(GRACE_SECONDS),
        "it took {took:?}"
    );
    let (log, mine) = (log.join("\n"), format!("{address}-"));
    assert!(log.contains(&mine), "the log names requests by their ids");
    let closed: Vec<String> = ends.iter().filter_map(End::closed).collect();
    for id in &closed {
        assert!(!log.contains(id), "{id} was taken, and never answered");
    }
    assert_handed_back(stage, &closed).await;
    figures.answered += answered.load(Ordering::Relaxed);
    figures.refused += ends.len() - closed.len();
    figures.longest = figures.longest.max(took);
}

impl End {
    fn closed(&self) -> Option<String> {
        match self {
            Self::Refused => None,
            Self::Closed(id) => Some(id.clone()),
        }
    }
}

/// Nothing is left of the process, and it has taken nothing that it did not answer.
async fn assert_handed_back(stage: &Stage, closed: &[String]) {
    assert_eq!(stage.leased().await, 0, "a lease was not handed back");
    let counts = "select (select count(*) from workers),
        (select count(*) from idempotency_keys where key = any ($1))";
    let counts: (i64, i64) = sqlx::query_as(counts)
        .bind(closed)
        .fetch_one(&stage.database.pool)
        .await
        .unwrap();
    assert_eq!(counts, (0, 0), "(workers, changes taken without an answer)");
}

async fn drains(rounds: u32) {
    let stage = Stage::new().await;
    let token = stage.token("admin", &[]).await;
    let (api, address) = stage.api().await;
    stage.register(&Caller::new(&address, &token)).await;
    api.die().await;
    let mut figures = Figures::default();
    for number in 0..rounds {
        round(&stage, &token, number, &mut figures).await;
    }
    println!(
        "{rounds} drains of {CLIENTS} clients: {} requests answered, {} clients refused with 503, the others by a closed door; the longest took {:?}",
        figures.answered, figures.refused, figures.longest
    );

    let (_worker, _) = stage.worker("5").await;
    let unfinished = "select count(*) from jobs where phase <> 'finished'";
    crate::binary::support::until("all jobs have ended", || async {
        let count: i64 = sqlx::query_scalar(unfinished)
            .fetch_one(&stage.database.pool)
            .await
            .unwrap();
        count == 0
    })
    .await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_told_to_end_under_load_refuses_in_good_order_and_leaves_nothing_behind() {
    // `bench/run F8` asks for more.
    let asked = std::env::vars_os().find(|(name, _)| name == "DRAIN_ROUNDS");
    let rounds = asked.and_then(|(_, rounds)| rounds.to_str()?.parse().ok());
    drains(rounds.unwrap_or(5)).await;
}
