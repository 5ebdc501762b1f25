-- outcome: what a batch of steps leaves behind, fenced by token; the lanes they free go on
--
-- Locks are taken in the order of everyone: lanes, jobs, leases.
with outcome as (
    select *
    from unnest(
        $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
        $9::jsonb[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::int[], $15::int[],
        $16::bool[], $17::bool[], $18::text[], $19::jsonb[], $20::jsonb[], $21::jsonb[], $22::bool[],
        $23::int[]
    ) as o (
        account_id, job_id, lane, lease_token, phase, state, step,
        step_data, after_ms, waiting_reason, blocked_by, message, attempts, polls,
        asked, accepted, profile_name, result, warnings, error, take_next, troubles
    )
),
lane_locked as materialized (
    select l.account_id, l.lane
    from lanes l
    where (l.account_id, l.lane) in (
        select account_id, lane
        from outcome
        where phase <> 'leased'
          and lane is not null
    )
    order by l.account_id, l.lane
    for update
),
-- a cancel that came in time turns a wait into the end
ruled as materialized (
    select
        o.*,
        l.claimed_at,
        j.message as old_message,
        j.cancel_requested
            and not (j.accepted or o.accepted or j.asked or o.asked)
            and o.phase = 'parked' as canceled
    from outcome o
    join job_rows j using (account_id, job_id)
    join leases l using (account_id, job_id)
    where (select count(*) from lane_locked) >= 0
      and l.worker_id = $1
      and l.lease_token = o.lease_token
      and j.phase <> 'finished'
    order by o.account_id, o.job_id
    for update of j, l
),
unleased as (
    delete from leases l
    using ruled r
    where l.account_id = r.account_id
      and l.job_id = r.job_id
      and (r.canceled or r.phase <> 'leased')
    returning 1
),
written as (
    update job_rows j
    set phase = case
            when r.canceled then 'finished'
            when r.phase = 'leased' then j.phase
            else r.phase
        end,
        state = case
            when r.canceled then 'canceled'
            when r.phase in ('parked', 'leased') and j.cancel_requested and not (j.accepted or r.accepted)
                then 'canceling'
            else r.state
        end,
        step = r.step,
        step_data = r.step_data,
        -- one more look at the deadline, and none after it
        due_at = case
            when r.canceled or r.phase = 'finished' then null
            when r.phase = 'leased' then j.due_at
            else least(
                now() + r.after_ms * interval '1 millisecond',
                greatest(j.deadline_at, now() + interval '10 milliseconds')
            )
        end,
        waiting_reason = case when not r.canceled then r.waiting_reason end,
        blocked_by = case when not r.canceled then r.blocked_by end,
        message = case when r.canceled then 'Canceled before AWS was asked to change anything.' else r.message end,
        attempt = j.attempt + r.attempts,
        poll_count = j.poll_count + r.polls,
        troubles = case when r.phase = 'leased' then j.troubles else r.troubles end,
        -- once asked, only a look can tell what came of it
        asked = j.asked or r.asked,
        accepted = j.accepted or r.accepted,
        profile_name = coalesce(r.profile_name, j.profile_name),
        result = coalesce(r.result, j.result),
        warnings = j.warnings || r.warnings,
        error = r.error,
        event_no = greatest(j.event_no, 2) + case
            when r.canceled or r.message <> j.message or r.phase = 'finished' then 1
            else 0
        end,
        version = j.version + 2,
        started_at = coalesce(j.started_at, r.claimed_at),
        updated_at = now(),
        finished_at = case when r.canceled or r.phase = 'finished' then now() end
    from ruled r
    where j.account_id = r.account_id
      and j.job_id = r.job_id
      -- the lease goes before the lane's next is handed out
      and (select count(*) from unleased) >= 0
    returning
        j.account_id, j.job_id, j.lane, j.seq, j.phase, j.state, j.step, j.waiting_reason, j.message,
        j.operation_id, j.event_no, j.cancel_requested, j.accepted, r.take_next, r.lease_token,
        -- looking again at the same thing is no news
        r.old_message <> j.message as told
),
lane_left as (
    update lanes l
    set pending = greatest(l.pending - 1, 0),
        touched_at = now()
    -- a lane runs one job at a time, so it ends at most one
    from written w
    where w.phase = 'finished'
      and l.account_id = w.account_id
      and l.lane = w.lane
    returning l.account_id, l.lane, l.pending, w.lease_token as freed_by, w.seq, w.take_next
),
-- each freed lane's next job; none is found when it came while this statement ran
next as materialized (
    select
        lane_left.account_id as lane_account,
        lane_left.lane as lane_name,
        lane_left.freed_by,
        lane_left.take_next and exists (
            select
            from accounts a
            where a.account_id = lane_left.account_id
              and a.state = 'active'
        ) as handed,
        case when lane_left.take_next then nextval('lease_tokens') end as lease_token,
        job.*
    from lane_left
    left join lateral (
        select b.*
        from job_rows b
        where b.account_id = lane_left.account_id collate "C"
          and b.lane = lane_left.lane
          and b.phase = 'blocked'
          and b.seq > lane_left.seq
        order by b.seq
        limit 1
        for update
    ) as job on true
    where lane_left.pending > 0
),
-- to the worker that freed the lane, if it asked for that
leased as (
    insert into leases (account_id, job_id, lane, worker_id, lease_token)
    select account_id, job_id, lane, $1, lease_token
    from next
    where handed
      and job_id is not null
),
-- or to whoever comes first
promoted as (
    update job_rows j
    set phase = 'ready',
        ready_seq = nextval('jobs_ready_seq'),
        due_at = now(),
        waiting_reason = null,
        version = j.version + 2,
        updated_at = now()
    from next
    where j.account_id = next.account_id
      and j.job_id = next.job_id
      and not next.handed
    returning j.job_id
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
-- for webhooks: ends of changes, not of reads; looked at once a statement
announced as (
    insert into webhook_events (account_id, job_id, operation_id, state)
    select account_id, job_id, operation_id, state
    from written
    where phase = 'finished'
      and lane is not null
      and exists (select from webhooks where enabled)
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
        select job_id from next where job_id is not null
    ) as changed
    having count(*) > 0
),
notified as materialized (
    select (select count(*) from woken) + (select count(*) from heard) as count
)
-- a row for each outcome that was written, then one for each lane that has more to do
select
    account_id as "account_id!",
    lane as "lane?",
    job_id as "job_id?",
    null::bigint as "freed_by?",
    cancel_requested and not accepted as "stop!",
    false as "handed!",
    null::text as "kind?",
    null::text as "region?",
    null::text as "cluster_name?",
    null::text as "profile_name?",
    null::jsonb as "input?",
    null::text as "step?",
    null::jsonb as "step_data?",
    lease_token as "lease_token?",
    null::text as "requested_by?",
    null::text as "traceparent?",
    null::timestamptz as "deadline_at?",
    now() as "now!",
    (select count from notified) as "notified!"
from written
union all
select
    lane_account,
    lane_name,
    job_id,
    freed_by,
    false,
    handed,
    kind,
    region,
    cluster_name,
    profile_name,
    input,
    step,
    step_data,
    lease_token,
    requested_by,
    traceparent,
    deadline_at,
    now(),
    0
from next
