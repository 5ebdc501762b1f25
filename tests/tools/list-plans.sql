-- A year's history: :jobs finished jobs in 1,000 accounts, as many changes in the audit trail, an
-- operation for every hundred jobs, a delivery for every ten.
set synchronous_commit = off;
set maintenance_work_mem = '512MB';

create function job_id(at timestamptz, n bigint) returns uuid
language sql immutable
return (
    lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7000'
    || lpad(to_hex(n), 16, '0')
)::uuid;

insert into accounts (account_id, name, role_arn, external_id, regions)
select lpad(n::text, 12, '0'), 'account-' || n, 'arn', 'id', '{eu-central-1,us-east-1}'
from generate_series(0, 999) as n;

insert into job_rows (
    account_id, job_id, kind, region, cluster_name, profile_name, operation_id, lane, phase, state,
    input, result, message, requested_by, created_at, started_at, updated_at, finished_at,
    deadline_at, event_no, error
)
select
    lpad((n % 1000)::text, 12, '0'),
    job_id(at, n),
    case when n % 3 = 0 then 'delete_fargate_profile' else 'create_fargate_profile' end,
    case when n % 2 = 0 then 'eu-central-1' else 'us-east-1' end,
    'prod-' || n / 1000 % 20,
    'fp-' || n / 1000 % 200,
    case when n % 100 < 10 then job_id(now() - interval '1 year' * (:jobs - n / 100 * 100) / :jobs, n / 100) end,
    'eu-central-1/prod-' || n / 1000 % 20,
    'finished',
    case when n % 50 = 0 then 'failed' else 'succeeded' end,
    '{"profile": {"name": "fp", "selectors": [{"namespace": "default"}]}}',
    '{"profile": {"name": "fp", "status": "ACTIVE", "selectors": [{"namespace": "default"}]}}',
    'The profile is ACTIVE.',
    'ci-' || n % 40,
    at, at, at + interval '2 minutes', at + interval '2 minutes', at + interval '1 day', 5,
    case when n % 50 = 0 then '{"code": "not_stabilized", "message": "CREATE_FAILED", "retryable": false}'::jsonb end
from generate_series(1, :jobs) as n,
    lateral (select now() - interval '1 year' * (:jobs - n) / :jobs as at) as made;

insert into operations (
    operation_id, action, account_id, region, cluster_name, job_count, requested_by, created_at
)
select operation_id, 'create_fargate_profiles', min(account_id), 'eu-central-1', 'prod-1', count(*),
    'ci-1', min(created_at)
from job_rows
where operation_id is not null
group by operation_id;

insert into audit_events (occurred_at, actor, action, account_id, resource, detail)
select
    now() - interval '1 year' * (:jobs - n) / :jobs,
    'ci-' || n % 40,
    case when n % 3 = 0 then 'deleteFargateProfile' else 'createFargateProfile' end,
    lpad((n % 1000)::text, 12, '0'),
    '/v1/accounts/' || lpad((n % 1000)::text, 12, '0') || '/regions/eu-central-1/clusters/prod-1',
    '{"actorKind": "api_token"}'
from generate_series(1, :jobs) as n;

insert into webhooks (webhook_id, url, event_types, account_ids, secret)
select job_id(timestamptz '2026-01-01 00:00Z', n), 'https://hooks.example.com', '{job.failed}',
    array[lpad(n::text, 12, '0')], 'x'
from generate_series(0, 99) as n;

insert into webhook_deliveries (
    webhook_id, delivery_id, event_type, subject_id, occurred_at, state, next_attempt_at,
    created_at, finished_at
)
select w.webhook_id, job_id(now() - interval '30 days' * (:jobs / 10 - n) / (:jobs / 10), n),
    'job.failed', job_id(now(), n), now(), 'succeeded', null, now(), now()
from generate_series(1, :jobs / 10) as n
join lateral (select job_id(timestamptz '2026-01-01 00:00Z', n % 100) as webhook_id) as w on true;

insert into api_tokens (token_id, name, token_sha256, role, account_ids, revoked_at)
select job_id(now() - interval '1 day', n), 'old-' || n, sha256(n::text::bytea), 'viewer',
    array[lpad((n % 1000)::text, 12, '0')], case when n % 2 = 0 then now() end
from generate_series(1, 20000) as n;

-- One lane that is 32,000 deep.
insert into job_rows (
    account_id, job_id, kind, region, cluster_name, lane, phase, state, ready_seq, due_at, input,
    message, requested_by, deadline_at
)
select
    '000000000007', job_id(now(), n), 'create_fargate_profile', 'eu-central-1', 'deep',
    'eu-central-1/deep', case when n = 1 then 'ready' else 'blocked' end, 'queued',
    case when n = 1 then 1 end, now(), '{}', 'Queued.', 'ci-1', now() + interval '1 day'
from generate_series(1, 32000) as n;
insert into lanes (account_id, lane, pending) values ('000000000007', 'eu-central-1/deep', 32000);

vacuum analyze;
