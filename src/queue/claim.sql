-- claim: heads of lanes, round the accounts that have some
--
-- Whether a job is leased is asked by a subquery that stays one: as a join, its plan would depend
-- on how many leases there were at the last analyze.
with
-- of the accounts that this worker knows: its steps there, and the last that it was given
known as (
    select *
    from unnest($4::text[], $5::bigint[], $7::bigint[]) as k (account_id, steps, after_seq)
),
-- the accounts whose turn it is: those after the cursor, then from the beginning; at most one a slot
turn as (
    select account_id, state, room, after_seq, row_number() over () as place
    from (
        select
            a.account_id,
            a.state,
            $6::bigint - coalesce(k.steps, 0) as room,
            coalesce(k.after_seq, 0) as after_seq
        from accounts a
        left join known k using (account_id)
        cross join lateral (
            select
            from job_rows j
            where j.account_id = a.account_id
              and j.phase = 'ready'
              and j.ready_seq > coalesce(k.after_seq, 0)
              and (select l.job_id from leases l where (l.account_id, l.job_id) = (j.account_id, j.job_id)) is null
            order by j.ready_seq
            limit 1
        ) as has_ready
        where coalesce(k.steps, 0) < $6::bigint
          and (a.state = 'active' or (a.state = 'parked' and a.probe_at <= now()))
        order by a.account_id <= $3, a.account_id
        limit $2
    ) as walk
),
-- a parked account gets one probe, the others an even share of the slots, as far as they have room
share as (
    select
        account_id,
        state,
        after_seq,
        place,
        case
            when state = 'parked' then 1
            else least(ceil($2::numeric / count(*) over ())::bigint, room)
        end as most
    from turn
),
picked as materialized (
    select job.*, share.state as account_state, share.place, nextval('lease_tokens') as lease_token
    from share,
    lateral (
        select j.*
        from job_rows j
        where j.account_id = share.account_id
          and j.phase = 'ready'
          and j.ready_seq > share.after_seq
          and (select l.job_id from leases l where (l.account_id, l.job_id) = (j.account_id, j.job_id)) is null
        order by j.ready_seq
        limit share.most
        for update of j skip locked
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
    where a.account_id in (
        -- accounts come before jobs, which are locked by now: so nobody is waited for
        select p.account_id
        from accounts p
        where p.state = 'parked'
          and p.probe_at <= now()
          and p.account_id in (select account_id from picked)
        for no key update skip locked
    )
    returning a.account_id
),
leased as (
    insert into leases (account_id, job_id, lane, worker_id, lease_token)
    select account_id, job_id, lane, $1, lease_token
    from picked
    -- of a parked account only by the process that took the probe
    where account_state = 'active'
       or account_id in (select account_id from probing)
    -- one that was leased since this statement began
    on conflict do nothing
    returning 1
)
select
    account_id as "account_id!",
    job_id as "job_id!",
    kind as "kind!",
    region as "region!",
    cluster_name,
    profile_name,
    lane,
    input as "input!",
    step as "step!",
    step_data as "step_data!",
    attempt as "attempt!",
    poll_count as "poll_count!",
    troubles as "troubles!",
    asked as "asked!",
    accepted as "accepted!",
    cancel_requested as "cancel_requested!",
    lease_token as "lease_token!",
    requested_by as "requested_by!",
    traceparent,
    coalesce(started_at, now()) as "started_at!",
    now() as "claimed_at!",
    deadline_at <= now() as "last_look!",
    ready_seq as "ready_seq!",
    place as "place!",
    -- fewer than picked, in the rare cases above: then the leases have to be looked up
    (select count(*) from leased) as "leased!"
from picked
order by ready_seq
