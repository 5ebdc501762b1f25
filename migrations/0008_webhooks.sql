-- Webhooks: who wants to be told of what, what there is to tell, and how the telling went.

create table webhooks (
    webhook_id       uuid primary key,
    url              text not null,
    description      text,
    -- such as job.succeeded
    event_types      text[] not null,
    -- null: all accounts
    account_ids      text[],
    enabled          boolean not null default true,
    -- why the service itself disabled it
    disabled_reason  text,
    -- the first failure since the last success
    failing_since    timestamptz,
    -- what deliveries are signed with, sealed by a key that is not in this table
    secret           bytea not null,
    -- the one before the last rotation, which signs too until then
    old_secret       bytea,
    old_secret_until timestamptz,
    -- raised by every change a person makes, and when the service disables it; its ETag
    version          bigint not null default 1,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),

    constraint webhooks_have_event_types check (cardinality(event_types) between 1 and 20),
    constraint webhooks_have_accounts check (cardinality(account_ids) between 1 and 1000),
    constraint webhooks_old_secret_ends check ((old_secret is null) = (old_secret_until is null))
);

-- Ends of jobs that are to be told; written by the statement that ends the job, while any webhook
-- is enabled. A worker takes a row and writes its deliveries in one transaction.
create table webhook_events (
    event_no     bigint generated always as identity primary key,
    account_id   text not null,
    job_id       uuid not null,
    operation_id uuid,
    -- how the job ended
    state        text not null,
    occurred_at  timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- One event for one webhook: sent until it is accepted, or given up.
create table webhook_deliveries (
    webhook_id      uuid not null references webhooks on delete cascade,
    -- UUIDv7; the header webhook-id of every attempt
    delivery_id     uuid not null,
    event_type      text not null,
    -- the job, the operation, or for a ping the delivery itself
    subject_id      uuid not null,
    occurred_at     timestamptz not null,
    state           text not null default 'pending',
    -- sendings begun
    attempts        integer not null default 0,
    -- place in the list of delays; a replay begins it anew
    retry_no        integer not null default 0,
    -- while pending: when it is sent next
    next_attempt_at timestamptz default now(),
    -- while a worker sends it: until when nobody else does
    leased_until    timestamptz,
    -- the fence: raised by every lease and every replay, named by the write after a sending
    lease_token     bigint not null default 0,
    last_attempt_at timestamptz,
    -- what the last answer was, or why there was none
    last_status     integer,
    last_error      text,
    created_at      timestamptz not null default now(),
    finished_at     timestamptz,

    primary key (webhook_id, delivery_id),
    -- one delivery a webhook and event, whatever the code does
    constraint webhook_deliveries_once unique (webhook_id, subject_id, event_type),
    constraint webhook_deliveries_state_known check (state in ('pending', 'succeeded', 'failed')),
    constraint webhook_deliveries_pending_is_due
        check ((state = 'pending') = (next_attempt_at is not null)),
    constraint webhook_deliveries_ended_has_time
        check ((state = 'pending') = (finished_at is null))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_attempt_at)
    where state = 'pending';
-- old ones are swept
create index webhook_deliveries_by_age on webhook_deliveries (created_at);
