-- end_expired: jobs whose deadline passed while nobody may claim them, if no worker holds them
with ended as (
    update job_rows j
    set phase = 'finished',
        state = 'failed',
        ready_seq = null,
        due_at = null,
        waiting_reason = null,
        blocked_by = null,
        message = e.message,
        error = e.error,
        event_no = j.event_no + 1,
        version = j.version + 2,
        updated_at = now(),
        finished_at = now()
    from unnest($1::text[], $2::uuid[], $3::text[], $4::jsonb[])
        as e (account_id, job_id, message, error)
    where j.account_id = e.account_id
      and j.job_id = e.job_id
      and not exists (
          select
          from leases l
          where l.account_id = j.account_id
            and l.job_id = j.job_id
      )
    returning j.account_id, j.job_id, j.operation_id, j.lane, j.state
),
lane_left as (
    update lanes l
    set pending = greatest(l.pending - left_by.jobs, 0),
        touched_at = now()
    from (
        select account_id, lane, count(*)::int as jobs
        from ended
        where lane is not null
        group by account_id, lane
    ) as left_by
    where l.account_id = left_by.account_id
      and l.lane = left_by.lane
),
announced as (
    insert into webhook_events (account_id, job_id, operation_id, state)
    select account_id, job_id, operation_id, state
    from ended
    where lane is not null
      and exists (select from webhooks where enabled)
),
heard as materialized (
    select pg_notify('fleet_jobs', string_agg(job_id::text, ','))
    from ended
    having count(*) > 0
)
select job_id as "job_id!"
from ended
where (select count(*) from heard) > 0
