//! Keys of the service itself, made by whoever needs them first.

use sqlx::PgConnection;

/// Reads the secret `name`; when there is none, `fresh` becomes it, for every process.
pub async fn get_or_create(
    connection: &mut PgConnection,
    name: &str,
    fresh: &[u8],
) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query!(
        "-- create_service_secret
        insert into service_secrets (name, secret)
        values ($1, $2)
        on conflict (name) do nothing",
        name,
        fresh,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!(
        "-- read_service_secret
        select secret
        from service_secrets
        where name = $1",
        name,
    )
    .fetch_one(connection)
    .await
}
