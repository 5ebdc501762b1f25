-- Leases move to a table of their own: a job's row is wide and stands in many indexes, and a claim
-- no longer writes it. `jobs` becomes a view of both, for all who read.
--
-- Stop the workers of the version before; their API processes may go on reading.

drop view stuck_jobs;
drop index jobs_by_worker;
drop index jobs_one_head_a_lane;
alter table jobs rename to job_rows;

-- the fence: every lease draws a greater one
create sequence lease_tokens;
select setval('lease_tokens', (select coalesce(max(lease_token), 0) + 1 from job_rows));

-- A worker runs a step of a job. There while the step runs, and no longer.
create table leases (
    account_id  text not null,
    job_id      uuid not null,
    -- the job's lane, for the index below
    lane        text,
    worker_id   uuid not null,
    -- named by every write of the step
    lease_token bigint not null,
    claimed_at  timestamptz not null default now(),
    primary key (account_id, job_id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- One mutation per cluster, whatever the code does: one step a lane runs,
create unique index leases_one_a_lane on leases (account_id, lane) where lane is not null;

insert into leases (account_id, job_id, lane, worker_id, lease_token)
select account_id, job_id, lane, lease_worker, lease_token
from job_rows
where phase = 'leased';

alter table job_rows
    drop constraint jobs_phase_known,
    drop constraint jobs_leased_has_worker,
    drop constraint jobs_unleased_has_due_time;

update job_rows
set phase = 'ready',
    ready_seq = nextval('jobs_ready_seq'),
    due_at = now()
where phase = 'leased';

-- where a job stands in the queue, leased or not:
--   ready     claimable now: the head of its lane, or without lane
--   blocked   behind another job of its lane; leased only when that one's worker was handed it
--   parked    waits until due_at, holds its lane but no worker
--   finished  kept as history
alter table job_rows
    add constraint jobs_phase_known
        check (phase in ('ready', 'blocked', 'parked', 'finished')),
    add constraint jobs_unfinished_has_due_time
        check ((phase = 'finished') = (due_at is null)),
    drop column lease_worker,
    drop column lease_token;

-- and one job a lane stands first in it.
create unique index jobs_one_head_a_lane on job_rows (account_id, lane)
    where lane is not null and phase in ('ready', 'parked');

-- Jobs as they stand: the row, and the lease if a worker runs a step.
create view jobs as
select
    j.account_id,
    j.job_id,
    j.seq,
    j.kind,
    j.region,
    j.cluster_name,
    j.profile_name,
    j.operation_id,
    j.retry_of,
    j.lane,
    case when l.job_id is null then j.phase else 'leased' end as phase,
    case
        when l.job_id is null then j.state
        when j.cancel_requested and not j.accepted then 'canceling'
        else 'running'
    end as state,
    j.ready_seq,
    case when l.job_id is null then j.due_at end as due_at,
    l.worker_id as lease_worker,
    l.lease_token,
    j.rescues,
    j.step,
    j.step_data,
    j.attempt,
    j.poll_count,
    j.asked,
    j.accepted,
    j.cancel_requested,
    case when l.job_id is null then j.waiting_reason end as waiting_reason,
    case when l.job_id is null then j.blocked_by end as blocked_by,
    j.message,
    j.input,
    j.result,
    j.warnings,
    j.error,
    case when l.job_id is null then j.event_no else greatest(j.event_no, 2) end as event_no,
    -- every write adds 2, a lease shows as 1
    case when l.job_id is null then j.version else j.version + 1 end as version,
    j.requested_by,
    j.traceparent,
    j.created_at,
    coalesce(j.started_at, l.claimed_at) as started_at,
    j.updated_at,
    j.finished_at,
    j.deadline_at
from job_rows j
left join leases l on l.account_id = j.account_id and l.job_id = j.job_id;

-- What must always be empty: unfinished jobs that nothing would ever touch again.
create view stuck_jobs as
    select account_id, job_id, 'neither leased nor due' as why
    from jobs
    where phase <> 'finished'
      and lease_worker is null
      and due_at is null
    union all
    select b.account_id, b.job_id, 'blocked in a lane that has no head'
    from job_rows b
    where b.phase = 'blocked'
      and not exists (
          select
          from job_rows h
          where h.account_id = b.account_id
            and h.lane = b.lane
            and h.phase in ('ready', 'parked')
      )
      and not exists (
          select
          from leases l
          where l.account_id = b.account_id
            and l.lane = b.lane
      )
    union all
    select l.account_id, l.job_id, 'leased without an unfinished job'
    from leases l
    where not exists (
        select
        from job_rows j
        where j.account_id = l.account_id
          and j.job_id = l.job_id
          and j.phase <> 'finished'
    );
