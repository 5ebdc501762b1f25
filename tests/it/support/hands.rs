//! Hands that do what a worker does: claim jobs and write how they ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fargate_fleet::clock::Clock;
use fargate_fleet::database::Share;
use fargate_fleet::queue::ClaimedJob;
use fargate_fleet::queue::claim::{Round, claim};
use fargate_fleet::queue::outcome::{Next, Outcome, Outcomes};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// A worker in the test's own hands.
pub struct Hands {
    pool: PgPool,
    worker: Uuid,
    outcomes: Outcomes,
}

impl Hands {
    pub fn new(pool: PgPool, tracker: &TaskTracker) -> Self {
        let notify = || Arc::new(Notify::new());
        Self {
            outcomes: Outcomes::start(Share::of(pool.clone()), notify(), notify(), tracker),
            worker: Clock::system().uuid(),
            pool,
        }
    }

    /// Claims whatever is ready.
    pub async fn claim(&self) -> Vec<ClaimedJob> {
        let mut connection = self.pool.acquire().await.unwrap();
        let (mut round, nothing) = (Round::default(), HashMap::new());
        claim(
            &mut connection,
            self.worker,
            100,
            &mut round,
            (&nothing, 1_000),
        )
        .await
        .unwrap()
    }

    /// Claims the one job that is ready.
    pub async fn claim_one(&self) -> ClaimedJob {
        let mut claimed = self.claim().await;
        assert_eq!(claimed.len(), 1, "{claimed:?}");
        claimed.remove(0)
    }

    pub async fn succeed(&self, job: &ClaimedJob, result: Value) {
        let done = Outcome {
            next: Next::Succeeded,
            result: Some(result),
            message: "Done.".to_owned(),
            ..self.outcome(job)
        };
        self.write(done).await;
    }

    pub async fn fail(&self, job: &ClaimedJob, code: &str, message: &str) {
        let error = json!({"code": code, "message": message, "retryable": false});
        let failed = Outcome {
            next: Next::Failed,
            error: Some(error),
            message: message.to_owned(),
            ..self.outcome(job)
        };
        self.write(failed).await;
    }

    /// Who these hands are, as leases tell it.
    pub fn worker(&self) -> Uuid {
        self.worker
    }

    /// Ends a job, unless somebody else has it by now.
    pub async fn try_succeed(&self, job: &ClaimedJob) {
        let done = Outcome {
            next: Next::Succeeded,
            message: "Done.".to_owned(),
            ..self.outcome(job)
        };
        let _ = self.outcomes.write(done).await.unwrap();
    }

    /// Lets a job wait for a moment, unless somebody else has it by now.
    pub async fn try_park(&self, job: &ClaimedJob) {
        let parked = Outcome {
            next: Next::Parked,
            after: Duration::from_millis(1),
            waiting_reason: Some("poll"),
            message: "Waits.".to_owned(),
            ..self.outcome(job)
        };
        let _ = self.outcomes.write(parked).await.unwrap();
    }

    /// Parks a job, as one that AWS works on.
    pub async fn park(&self, job: &ClaimedJob, accepted: bool, message: &str) {
        let parked = Outcome {
            next: Next::Parked,
            step: "follow".to_owned(),
            after: Duration::from_secs(20),
            waiting_reason: Some("poll"),
            accepted,
            polls: 1,
            message: message.to_owned(),
            ..self.outcome(job)
        };
        self.write(parked).await;
    }

    /// Notes how far a step came, which goes on.
    pub async fn note(&self, job: &ClaimedJob, message: &str) {
        let noted = Outcome {
            message: message.to_owned(),
            ..self.outcome(job)
        };
        self.write(noted).await;
    }

    /// Makes the waits of parked jobs end now.
    pub async fn wake_parked(&self) {
        sqlx::query(
            "update job_rows set phase = 'ready', ready_seq = nextval('jobs_ready_seq')
             where phase = 'parked'",
        )
        .execute(&self.pool)
        .await
        .unwrap();
    }

    /// Ends everything that is ready or becomes ready.
    pub async fn finish_all(&self) {
        loop {
            let claimed = self.claim().await;
            if claimed.is_empty() {
                return;
            }
            for job in claimed {
                self.succeed(&job, json!({})).await;
            }
        }
    }

    async fn write(&self, outcome: Outcome) {
        self.outcomes.write(outcome).await.unwrap().unwrap();
    }

    fn outcome(&self, job: &ClaimedJob) -> Outcome {
        Outcome {
            worker: self.worker,
            account_id: job.account_id.clone(),
            job_id: job.job_id,
            lane: job.lane.clone(),
            lease_token: job.lease_token,
            next: Next::Leased,
            step: job.step.clone(),
            step_data: json!({}),
            after: Duration::ZERO,
            waiting_reason: None,
            blocked_by: None,
            message: String::new(),
            attempts: 0,
            polls: 0,
            troubles: 0,
            asked: false,
            accepted: false,
            profile_name: None,
            result: None,
            warnings: Vec::new(),
            error: None,
            take_next: false,
        }
    }
}
