-- Callbacks of portals: a request may name the run of a portal that is told how its job has ended.

alter table webhooks
    -- standard: posts by Standard Webhooks 1.0; port, cortex: url is the base of that portal's API
    add column format text not null default 'standard'
        constraint webhooks_format_known check (format in ('standard', 'port', 'cortex')),
    -- Port: the client id that the secret belongs to
    add column client_id text;

alter table webhook_deliveries
    -- the portal's run that is told, as the request named it
    add column callback_run text;

-- Runs to be told. Written by the statement that makes the job or operation; when that has ended, a
-- worker takes the row and writes its delivery in one transaction. Rows of a webhook that is
-- disabled wait for it.
create table job_callbacks (
    -- the job or the operation
    subject_id uuid primary key,
    account_id text not null,
    -- no foreign key: a webhook that is deleted at the same moment must not fail the statement that
    -- makes many others' jobs too
    webhook_id uuid not null,
    -- Port: the id of an action's run; Cortex: the URL of a callback
    run        text not null,
    created_at timestamptz not null default now()
);
