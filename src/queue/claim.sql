-- claim: heads of lanes, round the accounts that have some
with
-- the accounts whose turn it is: those after the cursor, then from the beginning; at most one a slot
turn as (
    select account_id, state, room, row_number() over () as place
    from (
        (
            select a.account_id, a.state, room.room
            from accounts a
            cross join lateral (
                select $6::bigint - coalesce(max(busy.steps), 0) as room
                from unnest($4::text[], $5::bigint[]) as busy (account_id, steps)
                where busy.account_id = a.account_id
            ) as room
            cross join lateral (
                select from jobs j where j.account_id = a.account_id and j.phase = 'ready' limit 1
            ) as has_ready
            where a.account_id > $3
              and room.room > 0
              and (a.state = 'active' or (a.state = 'parked' and a.probe_at <= now()))
            order by a.account_id
            limit $2
        )
        union all
        (
            select a.account_id, a.state, room.room
            from accounts a
            cross join lateral (
                select $6::bigint - coalesce(max(busy.steps), 0) as room
                from unnest($4::text[], $5::bigint[]) as busy (account_id, steps)
                where busy.account_id = a.account_id
            ) as room
            cross join lateral (
                select from jobs j where j.account_id = a.account_id and j.phase = 'ready' limit 1
            ) as has_ready
            where a.account_id <= $3
              and room.room > 0
              and (a.state = 'active' or (a.state = 'parked' and a.probe_at <= now()))
            order by a.account_id
            limit $2
        )
        limit $2
    ) as walk
),
-- a parked account gets one probe, the others an even share of the slots, as far as they have room
share as (
    select
        account_id,
        state,
        place,
        case
            when state = 'parked' then 1
            else least(ceil($2::numeric / count(*) over ())::bigint, room)
        end as most
    from turn
),
picked as materialized (
    select job.account_id, job.job_id, share.state, share.place, job.ready_seq
    from share,
    lateral (
        select j.account_id, j.job_id, j.ready_seq
        from jobs j
        where j.account_id = share.account_id
          and j.phase = 'ready'
        order by j.ready_seq
        limit share.most
        for update skip locked
    ) as job
    -- when the shares do not divide the batch evenly, everyone's first come first
    order by row_number() over (partition by share.account_id order by job.ready_seq), share.place
    limit $2
),
-- the next probe waits until this one has had its time
probing as (
    update accounts a
    set probe_at = now() + interval '30 seconds',
        probing = true
    where a.state = 'parked'
      and a.probe_at <= now()
      and a.account_id in (select account_id from picked)
    returning a.account_id
),
claimed as (
    update jobs j
    set phase = 'leased',
        state = case when j.cancel_requested and not j.accepted then 'canceling' else 'running' end,
        lease_token = j.lease_token + 1,
        lease_worker = $1,
        ready_seq = null,
        due_at = null,
        waiting_reason = null,
        blocked_by = null,
        event_no = greatest(j.event_no, 2),
        version = j.version + 1,
        started_at = coalesce(j.started_at, now()),
        updated_at = now()
    from picked
    where j.account_id = picked.account_id
      and j.job_id = picked.job_id
      and j.phase = 'ready'
      -- of a parked account only by the process that took the probe
      and (picked.state = 'active' or picked.account_id in (select account_id from probing))
    returning j.*, picked.place, picked.ready_seq as was_ready_seq
)
select
    account_id,
    job_id,
    kind,
    region,
    cluster_name,
    profile_name,
    input,
    step,
    step_data,
    attempt,
    poll_count,
    asked,
    accepted,
    cancel_requested,
    lease_token,
    requested_by,
    traceparent,
    started_at as "started_at!",
    now() as "claimed_at!",
    deadline_at <= now() as "last_look!",
    place as "place!"
from claimed
order by was_ready_seq
