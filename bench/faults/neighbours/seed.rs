//! What is there before anybody asks: tokens, a long history, a deep lane, webhooks.

use std::sync::Mutex;

use anyhow::{Context as _, ensure};
use fargate_fleet::clock::Clock;
use fargate_fleet::db::tokens::{self, NewToken};
use fargate_fleet::domain::Role;
use fargate_fleet::rng::Rng;
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::kinds::{Target, webhook};
use crate::faults::caller::Caller;
use crate::faults::stage::{Stage, profiles};

/// How much there is, in the long run and in the short one.
const FINISHED: [i32; 2] = [1_000_000, 50_000];
const EVENTS: [i32; 2] = [100_000, 5_000];
const DEEP: [i32; 2] = [32_000, 2_000];
/// The most that one account may have.
const WEBHOOKS: usize = 50;

/// Plants it all in the first account.
pub async fn plant(stage: &Stage, caller: &Caller, short: bool) -> anyhow::Result<Target> {
    let account = &stage.accounts[0];
    let id = &account.account_id;
    let clusters = account.clusters.iter();
    let clusters = clusters.map(|(region, cluster)| profiles(id, region, cluster));
    let size = usize::from(short);
    let pool = &stage.pool;
    history(pool, id, FINISHED[size], EVENTS[size]).await?;
    let last = lane(pool, id, DEEP[size]).await?;
    Ok(Target {
        base: stage.api_url.clone(),
        viewer: token(stage, "worst-viewer", Role::Viewer, id).await?,
        operator: token(stage, "worst-operator", Role::Operator, id).await?,
        admin: token(stage, "worst-admin", Role::Admin, id).await?,
        account: id.clone(),
        clusters: clusters.collect(),
        succeeded: ended(pool, id, "succeeded").await?,
        failed: retryable(pool, caller, id, &account.clusters[0]).await?,
        last,
        webhooks: Mutex::default(),
    })
}

/// Makes as many as there may be.
pub async fn webhooks(target: &Target) -> anyhow::Result<()> {
    let admin = Caller::new(&target.base, &target.admin, Rng::from_os())?;
    for n in 0..WEBHOOKS {
        let body = webhook(n);
        let made = admin.once(Method::POST, "/v1/webhooks", Some(&body));
        let made = made.await?;
        ensure!(made.status == 201, "{}: {}", made.status, made.body);
        let id = made.body["id"].as_str().context("a webhook's id")?;
        target.webhooks.lock().unwrap().push(id.to_owned());
    }
    Ok(())
}

/// Removes them with their deliveries, which would go on beside the next kind.
pub async fn forget_webhooks(target: &Target) -> anyhow::Result<()> {
    let admin = Caller::new(&target.base, &target.admin, Rng::from_os())?;
    let known = std::mem::take(&mut *target.webhooks.lock().unwrap());
    for id in known {
        let path = format!("/v1/webhooks/{id}");
        admin.answered(Method::DELETE, &path, &[], None).await?;
    }
    Ok(())
}

/// A token of one account.
pub async fn token(stage: &Stage, name: &str, role: Role, account: &str) -> anyhow::Result<String> {
    let new = NewToken {
        name: name.to_owned(),
        role,
        account_ids: Some(vec![account.to_owned()]),
        expires_at: None,
        may_act_for: false,
        created_by: None,
    };
    let mut connection = stage.pool.acquire().await?;
    let (_, token) =
        tokens::create(&mut connection, &Clock::system(), &Rng::from_os(), new).await?;
    Ok(token)
}

async fn history(pool: &PgPool, account: &str, jobs: i32, events: i32) -> anyhow::Result<()> {
    sqlx::query(
        "insert into job_rows (
            account_id, job_id, kind, region, cluster_name, profile_name, lane, phase, state, input,
            message, requested_by, created_at, deadline_at, finished_at
        )
        select
            $1,
            (
                lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
                || '7000' || '8' || lpad(to_hex(n), 15, '0')
            )::uuid,
            'create_fargate_profile', 'eu-central-1', 'old', 'fp-' || n, 'eu-central-1/old',
            'finished', 'succeeded', '{}', 'Done.', 'seed', at, at, at
        from generate_series(1, $2) as n,
            lateral (select now() - interval '1 hour' - n * interval '1 second' as at) as made",
    )
    .bind(account)
    .bind(jobs)
    .execute(pool)
    .await?;
    sqlx::query(
        "insert into audit_events (occurred_at, actor, action, account_id, resource)
        select now() - ($2 - n) * interval '1 second', 'seed', 'createFargateProfile', $1, '/'
        from generate_series(1, $2) as n",
    )
    .bind(account)
    .bind(events)
    .execute(pool)
    .await?;
    sqlx::raw_sql("vacuum analyze job_rows")
        .execute(pool)
        .await?;
    Ok(())
}

/// A lane whose first job waits for ever; the last job of it.
async fn lane(pool: &PgPool, account: &str, depth: i32) -> anyhow::Result<Uuid> {
    sqlx::query(
        "with deep as (
            insert into job_rows (
                account_id, job_id, kind, region, cluster_name, lane, phase, state, due_at, input,
                message, requested_by, deadline_at
            )
            select
                $1,
                (
                    lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0')
                    || '7001' || '8' || lpad(to_hex(n), 15, '0')
                )::uuid,
                'create_fargate_profile', 'eu-central-1', 'deep', 'eu-central-1/deep',
                case when n = 1 then 'parked' else 'blocked' end,
                case when n = 1 then 'waiting' else 'queued' end,
                now() + interval '1 day', '{}', 'Queued.', 'seed', now() + interval '2 days'
            from generate_series(1, $2) as n
            returning 1
        )
        insert into lanes (account_id, lane, pending)
        select $1, 'eu-central-1/deep', count(*) from deep",
    )
    .bind(account)
    .bind(depth)
    .execute(pool)
    .await?;
    let last = sqlx::query_scalar(
        "select job_id from job_rows where lane = 'eu-central-1/deep' order by seq desc limit 1",
    );
    Ok(last.fetch_one(pool).await?)
}

async fn ended(pool: &PgPool, account: &str, state: &str) -> anyhow::Result<Uuid> {
    let one = sqlx::query_scalar(
        "select job_id from job_rows where account_id = $1 and state = $2 limit 1",
    );
    Ok(one.bind(account).bind(state).fetch_one(pool).await?)
}

/// A creation, canceled: one with an input, which can be made again.
async fn retryable(
    pool: &PgPool,
    caller: &Caller,
    account: &str,
    (region, cluster): &(String, String),
) -> anyhow::Result<Uuid> {
    let path = format!("{}?waitSeconds=30", profiles(account, region, cluster));
    let body = json!({"name": "retried", "selectors": [{"namespace": "retried"}]});
    let answer = caller.once(Method::POST, &path, Some(&body)).await?;
    ensure!(answer.status == 200, "{}: {}", answer.status, answer.body);
    let id: Uuid = answer.body["id"].as_str().context("a job's id")?.parse()?;
    let cancel = sqlx::query(
        "update job_rows set state = 'canceled', requested_by = 'seed' where job_id = $1",
    );
    cancel.bind(id).execute(pool).await?;
    Ok(id)
}

/// Takes what is unfinished out of the queue, but for what was planted and what a worker has in hand.
pub async fn clear(pool: &PgPool) -> anyhow::Result<()> {
    let mut change = pool.begin().await?;
    // No claim meanwhile: it would lease a job that is gone.
    for statement in [
        "lock table lanes, leases in exclusive mode",
        "delete from job_rows j
        where j.phase <> 'finished'
          and j.requested_by <> 'seed'
          and not exists (
              select from leases l where l.account_id = j.account_id and l.job_id = j.job_id
          )",
        "update lanes n
        set pending = (
            select count(*)
            from job_rows j
            where j.account_id = n.account_id and j.lane = n.lane and j.phase <> 'finished'
        )",
    ] {
        sqlx::query(statement).execute(&mut *change).await?;
    }
    change.commit().await?;
    Ok(())
}
