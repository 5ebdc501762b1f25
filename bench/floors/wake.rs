//! From just before an INSERT that notifies to the answer of the claim that a waiting listener makes: the least that
//! any queue with LISTEN needs from enqueue to first step.

use std::time::{Duration, Instant};

use futures_util::future::try_join;
use sqlx::postgres::PgListener;
use sqlx::{Connection as _, PgConnection};

use super::{Latency, body, with_table};

const ENQUEUE: &str = "
with job as (insert into floor (body) values ($1::jsonb) returning id)
select pg_notify('floor', '') from job";

const CLAIM: &str = "
update floor
set claimed = true
where id = (
    select id from floor where not claimed order by id limit 1 for update skip locked
)
returning id, body";

/// So many, one at a time, after pauses of 5 to 25 ms.
pub async fn measure(url: &str, samples: u32) -> anyhow::Result<Latency> {
    let mut enqueuer = with_table(url).await?;
    sqlx::query("create index on floor (id) where not claimed")
        .execute(&mut enqueuer)
        .await?;
    let mut claimer = PgConnection::connect(url).await?;
    let mut listener = PgListener::connect(url).await?;
    listener.listen("floor").await?;
    let mut taken = Vec::new();
    for _ in 0..samples {
        let pause = Duration::from_millis(rand::random_range(5..=25));
        tokio::time::sleep(pause).await;
        let sent = Instant::now();
        let write = sqlx::query(ENQUEUE).bind(body()).execute(&mut enqueuer);
        let claim = async {
            listener.recv().await?;
            sqlx::query(CLAIM).fetch_one(&mut claimer).await?;
            Ok(sent.elapsed())
        };
        let (_, took) = try_join(write, claim).await?;
        taken.push(took);
    }
    Ok(Latency::of(taken))
}
