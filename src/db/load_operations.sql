-- load_operations: by id, newest first, each with how its jobs stand
select
    o.operation_id,
    o.action,
    o.account_id,
    o.region,
    o.cluster_name,
    o.job_count,
    o.requested_by,
    o.created_at,
    job.queued as "queued!",
    job.running as "running!",
    job.waiting as "waiting!",
    job.canceling as "canceling!",
    job.succeeded as "succeeded!",
    job.failed as "failed!",
    job.canceled as "canceled!",
    job.last_finished_at
from operations o
cross join lateral (
    select
        count(*) filter (where j.state = 'queued') as queued,
        count(*) filter (where j.state = 'running') as running,
        count(*) filter (where j.state = 'waiting') as waiting,
        count(*) filter (where j.state = 'canceling') as canceling,
        count(*) filter (where j.state = 'succeeded') as succeeded,
        count(*) filter (where j.state = 'failed') as failed,
        count(*) filter (where j.state = 'canceled') as canceled,
        max(j.finished_at) as last_finished_at
    from jobs j
    where j.operation_id = o.operation_id
) as job
where o.operation_id = any ($1)
  and ($2::text[] is null or o.account_id = any ($2))
order by o.operation_id desc
