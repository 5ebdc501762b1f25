-- load_jobs: jobs by id with their place in the lane
with asked as (
    select *
    from jobs
    where job_id = any ($1)
      and ($2::text[] is null or account_id = any ($2))
),
-- the lanes in which some of them are blocked, each counted once
lane as (
    select account_id, lane, max(seq) as last_seq
    from asked
    where phase = 'blocked'
    group by account_id, lane
),
ranked as (
    select
        j.account_id,
        j.job_id,
        row_number() over (partition by j.account_id, j.lane order by j.seq) as place
    from lane
    join job_rows j
        on j.account_id = lane.account_id collate "C"
       and j.lane = lane.lane
       and j.phase = 'blocked'
       and j.seq <= lane.last_seq
       and not exists (select from leases l where l.account_id = j.account_id and l.job_id = j.job_id)
)
select
    asked.account_id as "account_id!",
    asked.job_id as "job_id!",
    asked.kind as "kind!",
    asked.region as "region!",
    asked.cluster_name,
    asked.profile_name,
    asked.operation_id,
    asked.retry_of,
    asked.phase as "phase!",
    asked.state as "state!",
    asked.due_at,
    asked.step as "step!",
    asked.attempt as "attempt!",
    asked.poll_count as "poll_count!",
    asked.accepted as "accepted!",
    asked.waiting_reason,
    asked.blocked_by,
    asked.message as "message!",
    asked.input as "input!",
    asked.result,
    asked.warnings as "warnings!",
    asked.error,
    asked.event_no as "event_no!",
    asked.version as "version!",
    asked.requested_by as "requested_by!",
    asked.created_at as "created_at!",
    asked.started_at,
    asked.finished_at,
    asked.deadline_at as "deadline_at!",
    coalesce(
        (
            select l.job_id
            from leases l
            where asked.phase = 'blocked'
              and l.account_id = asked.account_id
              and l.lane = asked.lane
        ),
        (
            select h.job_id
            from job_rows h
            where asked.phase = 'blocked'
              and h.account_id = asked.account_id collate "C"
              and h.lane = asked.lane
              and h.phase in ('ready', 'parked')
        )
    ) as "lane_head?",
    ranked.place as "lane_position?",
    a.state as "account_state?",
    now() as "read_at!"
from asked
left join accounts a using (account_id)
left join ranked using (account_id, job_id)
order by asked.job_id desc
