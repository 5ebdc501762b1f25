//! Three INSERTs and two NOTIFYs, one after the other, each its own commit: what the way through the queue and back
//! adds to a call at the least (job, claim and outcome are written; worker and caller are woken).

use std::time::Instant;

use super::{Latency, body, with_table};

/// So many, one at a time.
pub async fn measure(url: &str, samples: u32) -> anyhow::Result<Latency> {
    let mut connection = with_table(url).await?;
    let body = body();
    let mut taken = Vec::new();
    for _ in 0..samples {
        let begun = Instant::now();
        for notifies in [true, true, false] {
            sqlx::query("insert into floor (body) values ($1::jsonb)")
                .bind(&body)
                .execute(&mut connection)
                .await?;
            if notifies {
                sqlx::query("select pg_notify('floor', '')")
                    .execute(&mut connection)
                    .await?;
            }
        }
        taken.push(begun.elapsed());
    }
    Ok(Latency::of(taken))
}
