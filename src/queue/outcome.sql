-- outcome: what a batch of steps leaves behind, fenced by token; the lanes they free go on
with outcome as (
    select *
    from unnest(
        $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::jsonb[],
        $9::bigint[], $10::text[], $11::text[], $12::text[], $13::int[], $14::int[], $15::bool[],
        $16::bool[], $17::text[], $18::jsonb[], $19::jsonb[], $20::jsonb[]
    ) as o (
        account_id, job_id, lease_token, phase, state, step, step_data,
        after_ms, waiting_reason, blocked_by, message, attempts, polls, asked, accepted,
        profile_name, result, warnings, error
    )
),
-- lanes before jobs, as everyone takes them
lane_locked as materialized (
    select l.account_id, l.lane
    from lanes l
    where (l.account_id, l.lane) in (
        select j.account_id, j.lane
        from outcome o
        join jobs j using (account_id, job_id)
        where o.phase <> 'leased'
          and j.lane is not null
    )
    order by l.account_id, l.lane
    for update
),
-- a cancel that came in time turns a wait into the end
ruled as (
    select
        o.*,
        j.message as old_message,
        j.cancel_requested
            and not (j.accepted or o.accepted or j.asked or o.asked)
            and o.phase = 'parked' as canceled
    from outcome o
    join jobs j using (account_id, job_id)
    where (select count(*) from lane_locked) >= 0
      and j.phase = 'leased'
      and j.lease_worker = $1
      and j.lease_token = o.lease_token
    order by account_id, job_id
    for update of j
),
written as (
    update jobs j
    set phase = case when r.canceled then 'finished' else r.phase end,
        state = case
            when r.canceled then 'canceled'
            when r.phase = 'leased' then j.state
            when r.phase = 'parked' and j.cancel_requested and not (j.accepted or r.accepted) then 'canceling'
            else r.state
        end,
        step = r.step,
        step_data = r.step_data,
        -- one more look at the deadline, and none after it
        due_at = case
            when r.canceled or r.phase in ('finished', 'leased') then null
            else least(
                now() + r.after_ms * interval '1 millisecond',
                greatest(j.deadline_at, now() + interval '10 milliseconds')
            )
        end,
        lease_worker = case when r.phase = 'leased' then j.lease_worker end,
        waiting_reason = case when not r.canceled then r.waiting_reason end,
        blocked_by = case when not r.canceled then r.blocked_by end,
        message = case when r.canceled then 'Canceled before AWS was asked to change anything.' else r.message end,
        attempt = j.attempt + r.attempts,
        poll_count = j.poll_count + r.polls,
        -- once asked, only a look can tell what came of it
        asked = j.asked or r.asked,
        accepted = j.accepted or r.accepted,
        profile_name = coalesce(r.profile_name, j.profile_name),
        result = coalesce(r.result, j.result),
        warnings = j.warnings || r.warnings,
        error = r.error,
        event_no = j.event_no + case
            when r.canceled or r.message <> j.message or r.phase = 'finished' then 1
            else 0
        end,
        version = j.version + 1,
        updated_at = now(),
        finished_at = case when r.canceled or r.phase = 'finished' then now() end
    from ruled r
    where j.account_id = r.account_id
      and j.job_id = r.job_id
    returning
        j.account_id, j.job_id, j.lane, j.phase, j.state, j.step, j.waiting_reason, j.message,
        j.event_no, j.cancel_requested, j.accepted,
        -- looking again at the same thing is no news
        r.old_message <> j.message as told
),
freed as (
    select account_id, lane, count(*)::int as jobs
    from written
    where phase = 'finished'
      and lane is not null
    group by account_id, lane
),
lane_left as (
    update lanes l
    set pending = greatest(l.pending - freed.jobs, 0),
        touched_at = now()
    from freed
    where l.account_id = freed.account_id
      and l.lane = freed.lane
    returning l.account_id, l.lane, l.pending
),
promoted as (
    update jobs j
    set phase = 'ready',
        ready_seq = nextval('jobs_ready_seq'),
        due_at = now(),
        waiting_reason = null,
        version = j.version + 1,
        updated_at = now()
    from (
        select next.account_id, next.job_id
        from lane_left,
        lateral (
            select b.account_id, b.job_id
            from jobs b
            where b.account_id = lane_left.account_id
              and b.lane = lane_left.lane
              and b.phase = 'blocked'
            order by b.seq
            limit 1
        ) as next
        where lane_left.pending > 0
    ) as next
    where j.account_id = next.account_id
      and j.job_id = next.job_id
      and j.phase = 'blocked'
    returning j.account_id, j.lane, j.job_id
),
-- the end is told by the job itself
told as (
    insert into job_events (
        account_id, job_id, event_no, state, step, waiting_reason, message
    )
    select account_id, job_id, event_no, state, step, waiting_reason, message
    from written
    where told
      and phase <> 'finished'
    on conflict (account_id, job_id, event_no) do nothing
),
woken as materialized (
    select pg_notify('fleet_ready', '')
    where exists (select from promoted)
),
heard as materialized (
    select pg_notify(
        'fleet_jobs',
        case when count(*) <= 200 then string_agg(job_id::text, ',') else '' end
    )
    from (
        select job_id from written where told or phase = 'finished'
        union all
        select job_id from promoted
    ) as changed
    having count(*) > 0
)
select
    written.account_id as "account_id!",
    written.job_id as "job_id!",
    written.phase as "phase!",
    written.state as "state!",
    written.cancel_requested and not written.accepted as "stop!",
    -- the lane has more, but none was promoted: a job came while this statement ran
    coalesce(
        lane_left.pending > 0
            and not exists (
                select
                from promoted
                where promoted.account_id = written.account_id
                  and promoted.lane = written.lane
            ),
        false
    ) as "headless!",
    written.lane,
    (select count(*) from woken) + (select count(*) from heard) as "notified!"
from written
left join lane_left
    on lane_left.account_id = written.account_id
   and lane_left.lane = written.lane
   and written.phase = 'finished'
