-- load_jobs: jobs by id with their place in the lane
with asked as (
    select *
    from jobs
    where job_id = any ($1)
      and ($2::text[] is null or account_id = any ($2))
),
-- the lanes in which some of them are blocked, each looked at once
lane as materialized (
    select
        blocked.account_id,
        blocked.lane,
        blocked.last_seq,
        lead.job_id as leased_job,
        -- 1,000 blocked jobs of each lane are counted; on a page of many lanes 100,000 in all
        least(1000, 100000 / count(*) over ()) as counted
    from (
        select account_id, lane, max(seq) as last_seq
        from asked
        where phase = 'blocked'
        group by account_id, lane
    ) as blocked
    left join leases lead on lead.account_id = blocked.account_id and lead.lane = blocked.lane
),
ranked as (
    select lane.account_id, first.job_id, first.place
    from lane
    cross join lateral (
        select b.job_id, row_number() over (order by b.seq) as place
        from job_rows b
        where b.account_id = lane.account_id collate "C"
          and b.lane = lane.lane
          and b.phase = 'blocked'
          and b.seq <= lane.last_seq
          and b.job_id is distinct from lane.leased_job
        order by b.seq
        limit lane.counted
    ) as first
),
-- of lanes that are deeper: where they begin and end, and how many jobs they have
deep as materialized (
    select
        lane.account_id,
        lane.lane,
        lane.counted,
        lanes.pending,
        first.seq as first_seq,
        last.seq as last_seq
    from lane
    join lanes on lanes.account_id = lane.account_id and lanes.lane = lane.lane
    cross join lateral (
        select b.seq
        from job_rows b
        where b.account_id = lane.account_id collate "C"
          and b.lane = lane.lane
          and b.phase = 'blocked'
        order by b.seq
        limit 1
    ) as first
    cross join lateral (
        select b.seq
        from job_rows b
        where b.account_id = lane.account_id collate "C"
          and b.lane = lane.lane
          and b.phase = 'blocked'
        order by b.seq desc
        limit 1
    ) as last
    where lanes.pending > lane.counted
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
        lane.leased_job,
        (
            select h.job_id
            from job_rows h
            where asked.phase = 'blocked'
              and h.account_id = asked.account_id collate "C"
              and h.lane = asked.lane
              and h.phase in ('ready', 'parked')
        )
    ) as "lane_head?",
    case
        when asked.phase <> 'blocked' then null
        when ranked.place is not null then ranked.place
        -- as if its jobs had come evenly
        else greatest(
            lane.counted + 1,
            deep.pending::numeric * (asked.seq - deep.first_seq)
                / greatest(deep.last_seq - deep.first_seq, 1)
        )::bigint
    end as "lane_position?",
    asked.phase = 'blocked' and ranked.place is null as "lane_position_estimated!",
    a.state as "account_state?",
    now() as "read_at!"
from asked
left join accounts a using (account_id)
left join ranked using (account_id, job_id)
left join lane on lane.account_id = asked.account_id and lane.lane = asked.lane
left join deep on deep.account_id = asked.account_id and deep.lane = asked.lane
order by asked.job_id desc
