-- What an API request leaves behind besides its jobs.

-- One change that became several jobs.
create table operations (
    operation_id uuid primary key,
    action       text not null,
    account_id   text not null,
    region       text not null,
    cluster_name text not null,
    job_count    integer not null,
    requested_by text not null,
    created_at   timestamptz not null default now(),
    constraint operations_have_jobs check (job_count > 0)
);

create index operations_by_account on operations (account_id, operation_id);

-- The same key and the same request within 24 hours: the same answer.
create table idempotency_keys (
    caller         text not null,
    key            text not null,
    request_sha256 bytea not null,
    -- the job, operation or account that the first request made
    subject        text not null,
    created_at     timestamptz not null default now(),
    primary key (caller, key)
);

create index idempotency_keys_by_age on idempotency_keys (created_at);
