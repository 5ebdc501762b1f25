-- enqueue: everything that a batch of submissions leaves behind, in one statement
with unit as (
    select *
    from unnest(
        $1::int[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::text[]::jsonb[], $13::text[], $14::text[],
        $15::text[], $16::int[], $29::text[], $30::text[], $31::uuid[], $32::text[],
        $33::bytea[], $34::text[]
    ) as u (
        unit_no, subject_id, account_id, requested_by, caller, key, request_sha256,
        traceparent, audit_action, audit_resource, request_id, detail, operation_action,
        operation_region, operation_cluster, job_count, actor, on_behalf_of,
        callback_webhook_id, callback_run, share, share_lane
    )
),
-- the accounts that exist, held against deletion until this commits
account as materialized (
    select account_id, state
    from accounts
    where account_id in (select account_id from unit)
    order by account_id
    for key share
),
-- the first of each key wins; a key older than a day is free again
key_won as (
    insert into idempotency_keys as old (caller, key, request_sha256, subject)
    select distinct on (caller, key) caller, key, request_sha256, subject_id::text
    from unit
    join account using (account_id)
    where key is not null
    order by caller, key, unit_no
    on conflict (caller, key) do update
    set request_sha256 = excluded.request_sha256,
        subject = excluded.subject,
        created_at = now()
    where old.created_at < now() - interval '24 hours'
    returning subject
),
-- reads whose job may be shared no longer: it is a second old or ended badly, or a change of what
-- it reads has begun or ended since. Asked by subqueries that stay ones.
outdated as materialized (
    select unit.share
    from unit
    where share is not null
      and (
          select
              s.created_at < now() - interval '1 second'
              or coalesce(
                  (
                      select j.state in ('failed', 'canceled')
                      from job_rows j
                      where j.account_id = s.account_id
                        and j.job_id = s.job_id
                  ),
                  true
              )
              or coalesce(
                  (
                      select l.touched_at >= s.created_at
                      from lanes l
                      where l.account_id = s.account_id
                        and l.lane = unit.share_lane
                  ),
                  false
              )
              -- all clusters of a region
              or (
                  unit.share_lane like '%/'
                  and exists (
                      select
                      from lanes l
                      where l.account_id = s.account_id
                        and starts_with(l.lane, unit.share_lane)
                        and l.touched_at >= s.created_at
                  )
              )
          from shared_reads s
          where s.share = unit.share
      )
),
-- the first read of each share makes a job, after the keys and before the lanes
shared as (
    insert into shared_reads as old (share, account_id, job_id)
    select distinct on (share) share, account_id, subject_id
    from unit
    join account using (account_id)
    where share is not null
      and (select count(*) from key_won) >= 0
    order by share, unit_no
    on conflict (share) do update
    set account_id = excluded.account_id,
        job_id = excluded.job_id,
        created_at = now()
    where old.share in (select share from outdated)
    returning job_id
),
accepted as materialized (
    select unit.*, account.state as account_state
    from unit
    join account using (account_id)
    where (key is null or subject_id::text in (select subject from key_won))
      and (share is null or subject_id in (select job_id from shared))
),
new_job as materialized (
    select
        j.*,
        a.account_id,
        a.requested_by,
        a.traceparent,
        a.account_state,
        case when a.operation_action is not null then a.subject_id end as operation_id,
        row_number() over (partition by a.account_id, j.lane order by j.job_no) as place
    from unnest(
        $17::int[], $18::uuid[], $19::text[], $20::text[], $21::text[], $22::text[], $23::uuid[],
        $24::text[], $25::text[]::jsonb[], $26::text[], $27::text[]::jsonb[], $28::bigint[]
    ) with ordinality as j (
        unit_no, job_id, kind, region, cluster_name, profile_name, retry_of,
        lane, input, message, warnings, deadline_ms, job_no
    )
    join accepted a using (unit_no)
),
-- takes the lock of every lane, in one order, before any seq is drawn
lane_taken as (
    insert into lanes (account_id, lane, pending)
    select account_id, lane, count(*)::int
    from new_job
    where lane is not null
    group by account_id, lane
    order by account_id, lane
    on conflict (account_id, lane) do update
    set pending = lanes.pending + excluded.pending,
        touched_at = now()
    returning account_id, lane, pending
),
placed as materialized (
    select
        new_job.*,
        lane_taken.pending - count(*) over lane + place - 1 as ahead,
        first_value(job_id) over (lane order by place) as first_of_batch,
        -- the lane was empty, and this is its first job
        new_job.lane is null or (place = 1 and lane_taken.pending = count(*) over lane) as is_head
    from new_job
    left join lane_taken using (account_id, lane)
    window lane as (partition by account_id, new_job.lane)
),
inserted as (
    insert into job_rows (
        account_id, job_id, kind, region, cluster_name, profile_name, operation_id, retry_of, lane,
        phase, state, ready_seq, due_at, input, message, warnings, waiting_reason,
        requested_by, traceparent, deadline_at
    )
    select
        account_id, job_id, kind, region, cluster_name, profile_name, operation_id, retry_of, lane,
        case when is_head then 'ready' else 'blocked' end,
        'queued',
        case when is_head then nextval('jobs_ready_seq') end,
        now(),
        input, message, warnings,
        case when not is_head then 'lane' end,
        requested_by, traceparent,
        now() + deadline_ms * interval '1 millisecond'
    from placed
    order by job_no
    returning phase
),
operation as (
    insert into operations (
        operation_id, action, account_id, region, cluster_name, job_count, requested_by
    )
    select
        subject_id, operation_action, account_id, operation_region, operation_cluster, job_count,
        requested_by
    from accepted
    where operation_action is not null
),
audited as (
    insert into audit_events (
        actor, action, account_id, resource, subject_id, request_id, detail, on_behalf_of
    )
    select
        actor, audit_action, account_id, audit_resource, subject_id, request_id,
        coalesce(detail, '{}'), on_behalf_of
    from accepted
    where audit_action is not null
    order by unit_no
),
called_back as (
    insert into job_callbacks (subject_id, account_id, webhook_id, run)
    select subject_id, account_id, callback_webhook_id, callback_run
    from accepted
    where callback_webhook_id is not null
),
woken as materialized (
    select pg_notify('fleet_ready', '')
    where exists (select from inserted where phase = 'ready')
)
-- a row for each submission; of a single job also where it came to stand
select
    unit_no as "unit_no!",
    true as "known!",
    true as "accepted!",
    is_head as "is_head?",
    coalesce(ahead, 0) as "ahead?",
    case
        when is_head then null
        else coalesce(
            (
                select l.job_id
                from leases l
                where l.account_id = placed.account_id
                  and l.lane = placed.lane
            ),
            (
                select h.job_id
                from job_rows h
                where h.account_id = placed.account_id collate "C"
                  and h.lane = placed.lane
                  and h.phase in ('ready', 'parked')
            ),
            first_of_batch
        )
    end as "lane_head?",
    account_state as "account_state?",
    now() as "at!",
    (select count(*) from woken) as "woken!"
from placed
where operation_id is null
union all
select unit_no, true, true, null, null, null, null, now(), (select count(*) from woken)
from accepted
where operation_action is not null
union all
select
    unit_no,
    account_id in (select account_id from account),
    false,
    null,
    null,
    null,
    null,
    now(),
    0
from unit
where unit_no not in (select unit_no from accepted)
