-- A history of 20,000 rows of each kind, for the tests of plans.

insert into job_rows (
    account_id, job_id, kind, region, cluster_name, profile_name, operation_id, lane,
    phase, state, input, message, requested_by, created_at, deadline_at, finished_at
)
select
    lpad((n % 50)::text, 12, '0'),
    (
        lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
        || lpad(to_hex(n), 20, '0')
    )::uuid,
    case when n % 2 = 0 then 'create_fargate_profile' else 'delete_fargate_profile' end,
    'eu-central-1', 'prod-1', 'fp-' || n,
    lpad(to_hex(n / 100), 32, '0')::uuid,
    'eu-central-1/prod-1', 'finished',
    case when n % 10 = 0 then 'canceled' else 'succeeded' end,
    '{}', 'Done.', 'somebody', at, at, at
from generate_series(1, 20000) as n,
    lateral (select now() - n * interval '1 second' as at) as made;

insert into audit_events (occurred_at, actor, action, account_id, resource)
select
    now() - (20000 - n) * interval '1 second', 'actor-' || n % 3, 'createFargateProfile',
    lpad((n % 50)::text, 12, '0'), '/'
from generate_series(1, 20000) as n;

insert into operations (
    operation_id, action, account_id, region, cluster_name, job_count, requested_by
)
select
    lpad(to_hex(n), 32, '0')::uuid, 'create_fargate_profiles',
    lpad((n % 50)::text, 12, '0'), 'eu-central-1', 'prod-1', 100, 'somebody'
from generate_series(1, 20000) as n;

insert into webhooks (webhook_id, url, event_types, secret)
select lpad(to_hex(n), 32, '0')::uuid, 'https://hooks.example.com', '{job.failed}', 'x'
from generate_series(1, 2) as n;

insert into webhook_deliveries (
    webhook_id, delivery_id, event_type, subject_id, occurred_at, state,
    next_attempt_at, finished_at
)
select
    lpad(to_hex(1 + n % 2), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, 'job.failed',
    lpad(to_hex(n), 32, '0')::uuid, now(), 'succeeded', null, now()
from generate_series(1, 20000) as n;
