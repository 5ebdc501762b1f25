//! Many rows a statement: the most that two connections bring into a table.

use std::time::{Duration, Instant};

use futures_util::future::try_join;
use sqlx::{Connection as _, PgConnection};

use super::{body, with_table};

const ROWS: u32 = 500;

/// Inserts for so long.
pub async fn rows_per_second(url: &str, seconds: u32) -> anyhow::Result<f64> {
    drop(with_table(url).await?);
    let begun = Instant::now();
    let until = begun + Duration::from_secs(seconds.into());
    let (one, other) = try_join(fill(url, until), fill(url, until)).await?;
    let rows = one + other;
    Ok(f64::from(rows) / begun.elapsed().as_secs_f64())
}

async fn fill(url: &str, until: Instant) -> anyhow::Result<u32> {
    let mut connection = PgConnection::connect(url).await?;
    let bodies = vec![body(); ROWS as usize];
    let mut rows = 0;
    while Instant::now() < until {
        sqlx::query("insert into floor (body) select body::jsonb from unnest($1::text[]) as body")
            .bind(&bodies)
            .execute(&mut connection)
            .await?;
        rows += ROWS;
    }
    Ok(rows)
}
