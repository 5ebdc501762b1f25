//! Does to the real queue what the model is told, through the functions that workers use.

use std::collections::HashMap;
use std::time::Duration;

use fargate_fleet::queue::cancel::cancel;
use fargate_fleet::queue::outcome::{Fenced, Noted, Outcome, Outcomes};
use fargate_fleet::queue::{Submission, due, maintenance};
use futures_util::future::try_join_all;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::acts::{Act, New, Written};
use super::model::{Claimed, Flags, Model, Phase, Reply};
use crate::queue::lanes::{outcome, outcomes};
use crate::queue::support::{ACCOUNT, Queue, new_job};

const ACCOUNTS: [&str; 2] = [ACCOUNT, "222222222222"];

/// A queue, and the hand that moves it.
pub struct Hand {
    pub queue: Queue,
    outcomes: Outcomes,
}

/// Where a job stands, as its row says: phase, state, worker.
type Standing = (String, String, Option<Uuid>);

impl Hand {
    pub async fn new() -> Self {
        let queue = Queue::new().await;
        queue.add_account(ACCOUNTS[1]).await;
        Self {
            outcomes: outcomes(&queue),
            queue,
        }
    }

    pub async fn act(&self, act: &Act, model: &Model) -> Result<Reply, String> {
        let told = |error: &dyn std::error::Error| {
            let cause = error.source().map(ToString::to_string);
            format!("{act:?}: {error} {cause:?}")
        };
        match act {
            Act::Submit(jobs) => {
                let submitting = jobs
                    .iter()
                    .map(|new| self.queue.enqueuer.submit(self.submission(new)));
                let submitted = try_join_all(submitting).await;
                submitted.map(|_| Reply::Silent).map_err(|e| told(&e))
            }
            Act::Claim { worker, limit } => Ok(self.claim(*worker, *limit).await),
            Act::Write(writes) => {
                let writing = writes
                    .iter()
                    .map(|write| self.outcomes.write(written(write, model)));
                let answers = try_join_all(writing).await.map_err(|e| told(&e))?;
                let stop = |answer: Result<Noted, Fenced>| Some(answer.ok()?.stop);
                Ok(Reply::Written(answers.into_iter().map(stop).collect()))
            }
            Act::Due => match due::wake_due(&self.queue.share()).await {
                Ok(due) => Ok(Reply::Count(due.woken)),
                Err(error) => Err(told(&error)),
            },
            Act::Repair => match maintenance::repair(&self.queue.share()).await {
                Ok(repaired) => Ok(Reply::Count(repaired.rescued)),
                Err(error) => Err(told(&error)),
            },
            Act::Release { worker, but } => {
                let released = maintenance::release(&self.queue.share(), *worker, but).await;
                released.map(Reply::Count).map_err(|e| told(&e))
            }
            Act::Cancel(job) => self.cancel(*job, model).await.map_err(|e| told(&e)),
            Act::Elapse(_) | Act::Die { .. } | Act::Disable(_) | Act::Enable => {
                let mut connection = self.queue.pool().acquire().await.unwrap();
                fate(&mut connection, act, model).await.unwrap();
                Ok(Reply::Silent)
            }
        }
    }

    /// Both at once. When they shall `meet`, they have begun, and seen what they see, before either
    /// gets the lock of its lane.
    pub async fn both(
        &self,
        [a, b]: &[Act; 2],
        model: &Model,
        meet: bool,
    ) -> Result<[Reply; 2], String> {
        /// Enough to come to the lock; who comes later races as without it.
        const BEGUN: Duration = Duration::from_millis(5);
        let mut lanes = self.queue.pool().begin().await.unwrap();
        if meet {
            let lock = sqlx::query("select from lanes for update");
            lock.fetch_all(&mut *lanes).await.unwrap();
        }
        let both = async { tokio::join!(self.act(a, model), self.act(b, model)) };
        tokio::pin!(both);
        let early = tokio::time::timeout(BEGUN, &mut both).await.ok();
        lanes.commit().await.unwrap();
        let (a, b) = match early {
            Some(replies) => replies,
            None => both.await,
        };
        Ok([a?, b?])
    }

    fn submission(&self, new: &New) -> Submission {
        let lane = new.lane.map(|lane| format!("lane-{lane}"));
        Submission {
            subject_id: new.id,
            jobs: vec![new_job(new.id, lane.as_deref(), json!({}))],
            ..self.queue.one(ACCOUNTS[new.account], None, json!({}))
        }
    }

    async fn claim(&self, worker: Uuid, limit: usize) -> Reply {
        let limit = i64::try_from(limit).unwrap();
        let claimed = self.queue.claim(worker, limit).await;
        let told = claimed.into_iter().map(|job| Claimed {
            id: job.job_id,
            token: job.lease_token,
            flags: Flags {
                cancel_requested: job.cancel_requested,
                asked: job.asked,
                accepted: job.accepted,
            },
        });
        Reply::Claimed(told.collect())
    }

    async fn cancel(&self, job: usize, model: &Model) -> Result<Reply, sqlx::Error> {
        let job = &model.jobs[job];
        let mut transaction = self.queue.pool().begin().await?;
        let canceled = cancel(&mut transaction, ACCOUNTS[job.account], job.id).await?;
        transaction.commit().await?;
        Ok(Reply::Canceled(canceled))
    }

    /// What the rows say beside what the model says; and what is stuck.
    pub async fn compare(&self, model: &Model) -> Result<(), String> {
        let ids: Vec<Uuid> = model.jobs.iter().map(|job| job.id).collect();
        let rows: Vec<(Uuid, String, String, Option<Uuid>)> = sqlx::query_as(
            "select job_id, phase, state, lease_worker
            from jobs
            where job_id = any ($1)
            union all
            select job_id, why, 'stuck', null
            from stuck_jobs",
        )
        .bind(&ids)
        .fetch_all(self.queue.pool())
        .await
        .unwrap();
        let mut found: HashMap<Uuid, Standing> = HashMap::new();
        for (id, phase, state, worker) in rows {
            if state == "stuck" {
                return Err(format!("job {id} is stuck: {phase}"));
            }
            found.insert(id, (phase, state, worker));
        }
        for job in &model.jobs {
            let expected = (name(job.phase).to_owned(), job.state.to_owned(), job.worker);
            if found.get(&job.id) != Some(&expected) {
                return Err(format!("expected {job:?}, found {:?}", found.get(&job.id)));
            }
        }
        Ok(())
    }
}

const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Ready => "ready",
        Phase::Blocked => "blocked",
        Phase::Leased => "leased",
        Phase::Parked { .. } => "parked",
        Phase::Finished => "finished",
    }
}

fn written(write: &Written, model: &Model) -> Outcome {
    let job = &model.jobs[write.job];
    Outcome {
        account_id: ACCOUNTS[job.account].to_owned(),
        after: Duration::from_hours(u64::from(!write.due)),
        asked: write.asked,
        accepted: write.accepted,
        error: Some(json!({"code": "internal"})),
        // As a worker names it, so that the locks are taken in everyone's order.
        lane: job.lane.map(|lane| format!("lane-{lane}")),
        ..outcome(write.worker, job.id, write.token, write.next)
    }
}

/// What nobody does: time, death, and an administrator. The only statements here that know tables.
async fn fate(connection: &mut PgConnection, act: &Act, model: &Model) -> Result<(), sqlx::Error> {
    let register = "insert into workers (worker_id, host, lease)
        values ($1, 'test', interval '1 hour')";
    let die = "update workers set heartbeat_at = now() - interval '1 day' where worker_id = $1";
    let elapse = "update job_rows set due_at = now() where job_id = $1 and phase = 'parked'";
    let disable = "update accounts set state = 'disabled' where account_id = $1";
    let enable = "update accounts set state = 'active'";
    match act {
        Act::Elapse(job) => sqlx::query(elapse).bind(model.jobs[*job].id),
        Act::Die { worker, successor } => {
            sqlx::query(register)
                .bind(successor)
                .execute(&mut *connection)
                .await?;
            sqlx::query(die).bind(worker)
        }
        Act::Disable(account) => sqlx::query(disable).bind(ACCOUNTS[*account]),
        _ => sqlx::query(enable),
    }
    .execute(connection)
    .await?;
    Ok(())
}
