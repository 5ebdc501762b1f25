-- The AWS accounts of the fleet, and who may call the API.

create table accounts (
    account_id             text primary key,
    -- what people call it
    name                   text not null,
    -- the role a worker assumes in the account
    role_arn               text not null,
    -- minted by the service; the role's trust policy demands it
    external_id            text not null,
    -- default for profiles that name no role of their own
    pod_execution_role_arn text,
    -- where jobs may run
    regions                text[] not null,
    labels                 jsonb not null default '{}',
    -- parked: the circuit breaker is open, because the role can't be assumed
    state                  text not null default 'active',
    -- failures to assume the role since the last success
    role_failures          integer not null default 0,
    -- AWS's words at the last failure
    parked_reason          text,
    -- while parked: when one job may try the role again
    probe_at               timestamptz,
    -- while parked: that job is on its way; only its failure makes the pause longer
    probing                boolean not null default false,
    last_verified_at       timestamptz,
    -- raised by every change a person makes; its ETag
    version                bigint not null default 1,
    created_at             timestamptz not null default now(),
    updated_at             timestamptz not null default now(),

    constraint accounts_id_is_12_digits check (account_id ~ '^[0-9]{12}$'),
    constraint accounts_state_known check (state in ('active', 'parked', 'disabled')),
    constraint accounts_parked_has_probe check ((state = 'parked') = (probe_at is not null)),
    constraint accounts_have_regions check (cardinality(regions) between 1 and 50)
);

create table api_tokens (
    token_id     uuid primary key,
    name         text not null,
    -- SHA-256 of the token; the token itself is never stored
    token_sha256 bytea not null,
    role         text not null,
    -- null: all accounts
    account_ids  text[],
    created_at   timestamptz not null default now(),
    expires_at   timestamptz,
    -- written at most once a minute
    last_used_at timestamptz,
    revoked_at   timestamptz,

    constraint api_tokens_sha256_unique unique (token_sha256),
    constraint api_tokens_role_known check (role in ('viewer', 'operator', 'admin')),
    constraint api_tokens_sha256_length check (octet_length(token_sha256) = 32)
);

-- One row a change, written in the transaction of the change.
create table audit_events (
    event_seq   bigint generated always as identity primary key,
    occurred_at timestamptz not null default now(),
    -- who, by the name of the token
    actor       text not null,
    -- the API operation, such as createFargateProfile
    action      text not null,
    account_id  text,
    -- the thing changed, by its API path
    resource    text not null,
    -- the job or operation that carries the change out
    subject_id  uuid,
    request_id  text,
    detail      jsonb not null default '{}'
);

create index audit_events_by_account on audit_events (account_id, event_seq);

-- Keys and secrets of the service itself, made at the first start.
create table service_secrets (
    name       text primary key,
    secret     bytea not null,
    created_at timestamptz not null default now()
);
