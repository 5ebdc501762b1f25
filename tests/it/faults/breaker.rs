//! F9: the breaker of an account's role beside a model of it, through random histories of failures,
//! successes and probes.

use std::cell::RefCell;

use fargate_fleet::db::breaker::{FAILURES_TO_PARK, role_failed, role_worked};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Builder;

use super::seeds::for_seeds;
use crate::queue::support::{ACCOUNT, Queue};

#[derive(Debug, Clone, Copy)]
enum Event {
    /// A step could not assume the role.
    Failed,
    /// A step could.
    Worked,
    /// The time of the next probe comes, and a worker claims.
    Claimed,
}

#[derive(Debug, Default, PartialEq)]
struct Breaker {
    parked: bool,
    failures: i32,
    probing: bool,
}

impl Breaker {
    /// Seconds until the next probe, when the event has set it anew.
    fn moved(&mut self, event: Event) -> Option<f64> {
        match event {
            Event::Worked => {
                *self = Self::default();
                None
            }
            Event::Claimed => {
                self.probing = self.parked;
                self.parked.then_some(30.0)
            }
            // What was under way when the account was parked says nothing new.
            Event::Failed if self.parked && !self.probing => None,
            Event::Failed => {
                self.failures += 1;
                self.probing = false;
                self.parked = self.failures >= FAILURES_TO_PARK;
                let doubled = (self.failures - FAILURES_TO_PARK).clamp(0, 10);
                self.parked.then(|| (30.0 * 2_f64.powi(doubled)).min(600.0))
            }
        }
    }
}

async fn happens(queue: &Queue, event: Event, model: &mut Breaker) -> Result<(), TestCaseError> {
    let pool = queue.pool();
    let pause = model.moved(event);
    match event {
        Event::Failed => {
            let failed = role_failed(pool, ACCOUNT, "denied", 1.0).await.unwrap();
            prop_assert_eq!(failed.parked, model.parked);
        }
        Event::Worked => role_worked(pool, ACCOUNT).await.unwrap(),
        Event::Claimed => {
            let due = "update accounts set probe_at = now() where state = 'parked'";
            sqlx::query(due).execute(pool).await.unwrap();
            let worker = queue.clock.uuid();
            let claimed = queue.claim(worker, 10).await.len();
            prop_assert_eq!(claimed, if model.parked { 1 } else { 2 });
            prop_assert!(!model.parked || queue.claim(worker, 10).await.is_empty());
            let release = fargate_fleet::queue::maintenance::release;
            release(&queue.share(), worker, &[]).await.unwrap();
        }
    }
    let (state, failures, probing, wait): (String, i32, bool, Option<f64>) = sqlx::query_as(
        "select state, role_failures, probing, extract(epoch from probe_at - now())::float8
        from accounts",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    let found = Breaker {
        parked: state == "parked",
        failures,
        probing,
    };
    prop_assert_eq!(&found, &*model);
    if let Some(pause) = pause {
        let wait = wait.unwrap_or(f64::INFINITY);
        prop_assert!((pause - 5.0..=pause).contains(&wait), "{wait} for {pause}");
    }
    Ok(())
}

#[test]
fn the_breaker_does_what_its_model_does() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let spare = RefCell::new(None);
    let event = prop_oneof![
        5 => Just(Event::Failed),
        1 => Just(Event::Worked),
        3 => Just(Event::Claimed),
    ];
    for_seeds(100, &vec(event, 1..25), |events| {
        runtime.block_on(async {
            let queue: Option<Queue> = spare.borrow_mut().take();
            let queue = match queue {
                Some(queue) => queue,
                None => two_jobs().await,
            };
            role_worked(queue.pool(), ACCOUNT).await.unwrap();
            let mut model = Breaker::default();
            for event in events {
                happens(&queue, event, &mut model).await?;
            }
            spare.replace(Some(queue));
            Ok(())
        })
    });
}

async fn two_jobs() -> Queue {
    let queue = Queue::new().await;
    for _ in 0..2 {
        queue.submit(ACCOUNT, None, json!({})).await;
    }
    queue
}
