//! Migrations of databases that have rows.

use fargate_fleet::service::MIGRATIONS;
use sqlx::PgPool;

use crate::support::database::Database;

/// Brings an empty database to a level.
async fn migrate(pool: &PgPool, levels: std::ops::RangeInclusive<i64>) {
    let wanted = MIGRATIONS
        .iter()
        .filter(|migration| levels.contains(&migration.version));
    for migration in wanted {
        sqlx::raw_sql(migration.sql.clone())
            .execute(pool)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn tokens_that_share_a_name_go_on_under_names_of_their_own_and_their_makers_are_found() {
    const OLD: &str = "
        insert into api_tokens (token_id, name, token_sha256, role, expires_at, revoked_at)
        select ('00000000-0000-7000-8000-00000000000' || n)::uuid, name, sha256(n::text::bytea), 'admin',
            expires_at, revoked_at
        from (values
            (1, 'root', null::timestamptz, null::timestamptz),
            (2, 'ci', null, null),
            (3, 'ci', null, null),
            (4, 'ci', now() - interval '1 day', null),
            (5, 'ci', null, now()),
            (6, 'made', null, null)
        ) old (n, name, expires_at, revoked_at);
        insert into audit_events (actor, action, resource, subject_id, detail)
        select actor, 'createToken', '/v1/tokens', ('00000000-0000-7000-8000-00000000000' || n)::uuid,
            '{\"actorKind\": \"api_token\"}'
        from (values ('root', 6), ('ci', 2)) made (actor, n);
    ";
    let database = Database::unmigrated().await;
    migrate(&database.pool, 1..=12).await;
    sqlx::raw_sql(OLD).execute(&database.pool).await.unwrap();
    migrate(&database.pool, 13..=i64::MAX).await;
    let tokens: Vec<(String, Option<String>)> =
        sqlx::query_as("select name, right(created_by::text, 1) from api_tokens order by token_id")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    let names: Vec<&str> = tokens.iter().map(|(name, _)| name.as_str()).collect();
    let second = "ci-00000000-0000-7000-8000-000000000003";
    assert_eq!(names, ["root", "ci", second, "ci", "ci", "made"]);
    let made: Vec<Option<&str>> = tokens.iter().map(|(_, by)| by.as_deref()).collect();
    // Of `ci` there was more than one: nobody knows which of them it was.
    assert_eq!(made, [None, None, None, None, None, Some("1")]);
    let taken = "insert into api_tokens (token_id, name, token_sha256, role)
        values (gen_random_uuid(), 'ci', sha256('new'), 'viewer')";
    let refused = sqlx::query(taken).execute(&database.pool).await;
    let constraint = refused.unwrap_err();
    let constraint = constraint
        .as_database_error()
        .and_then(|error| error.constraint());
    assert_eq!(constraint, Some("api_tokens_living_name"));
}
