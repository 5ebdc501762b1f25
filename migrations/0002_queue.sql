-- The queue: jobs, the lanes that serialise them, the workers that lease them.

create sequence jobs_ready_seq;

create table jobs (
    account_id       text not null,
    -- UUIDv7, made by the API
    job_id           uuid not null,
    -- order of arrival; drawn while the lane's row is locked, so it is the order inside a lane
    seq              bigint generated always as identity,
    kind             text not null,
    region           text not null,
    cluster_name     text,
    profile_name     text,
    operation_id     uuid,
    -- the job this one repeats
    retry_of         uuid,
    -- a mutation's cluster as region/cluster; reads have none
    lane             text,

    -- where the job stands in the queue:
    --   ready     claimable now: the head of its lane, or without lane
    --   blocked   behind another job of its lane
    --   leased    a worker runs a step
    --   parked    waits until due_at, holds its lane but no worker
    --   finished  kept as history
    phase            text not null,
    -- what callers see
    state            text not null,
    -- order among the ready; drawn each time a job becomes ready
    ready_seq        bigint,
    -- unleased and unfinished: when it may be looked at next
    due_at           timestamptz,
    lease_worker     uuid,
    -- the fence: raised by every claim, named by every later write
    lease_token      bigint not null default 0,
    -- leases lost to dead workers
    rescues          integer not null default 0,

    -- progress: the name of the step to run next, and what it has to know
    step             text not null default 'start',
    step_data        jsonb not null default '{}',
    -- failures that count
    attempt          integer not null default 0,
    poll_count       integer not null default 0,
    -- AWS is being asked for a change, or was when a worker died: it may have accepted
    asked            boolean not null default false,
    -- AWS has accepted a change: from here on it is followed to its end
    accepted         boolean not null default false,
    cancel_requested boolean not null default false,

    waiting_reason   text,
    blocked_by       text,
    -- one sentence for people
    message          text not null,
    input            jsonb not null,
    result           jsonb,
    warnings         jsonb not null default '[]',
    error            jsonb,

    -- number of the newest event: 1 queued, 2 running, then one a transition
    event_no         integer not null default 1,
    -- raised by every write; the ETag
    version          bigint not null default 1,
    requested_by     text not null,
    traceparent      text,
    created_at       timestamptz not null default now(),
    started_at       timestamptz,
    updated_at       timestamptz not null default now(),
    finished_at      timestamptz,
    deadline_at      timestamptz not null,

    primary key (account_id, job_id),
    constraint jobs_phase_known
        check (phase in ('ready', 'blocked', 'leased', 'parked', 'finished')),
    constraint jobs_state_known
        check (state in ('queued', 'running', 'waiting', 'canceling', 'succeeded', 'failed', 'canceled')),
    constraint jobs_finished_is_terminal
        check ((phase = 'finished') = (state in ('succeeded', 'failed', 'canceled'))),
    constraint jobs_finished_has_time
        check ((phase = 'finished') = (finished_at is not null)),
    constraint jobs_leased_has_worker
        check ((phase = 'leased') = (lease_worker is not null)),
    constraint jobs_unleased_has_due_time
        check ((phase in ('ready', 'blocked', 'parked')) = (due_at is not null)),
    constraint jobs_ready_has_order
        check (phase <> 'ready' or ready_seq is not null),
    constraint jobs_blocked_has_lane
        check (phase <> 'blocked' or lane is not null),
    constraint jobs_failed_has_error
        check (state <> 'failed' or error is not null)
) with (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.05
);

-- The claim reads only this: claimable heads, by account, in the order they became ready.
create index jobs_ready on jobs (account_id, ready_seq) where phase = 'ready';
-- One mutation per cluster, whatever the code does.
create unique index jobs_one_head_a_lane on jobs (account_id, lane)
    where lane is not null and phase in ('ready', 'leased', 'parked');
create index jobs_next_in_lane on jobs (account_id, lane, seq) where phase = 'blocked';
create index jobs_due on jobs (due_at) where phase = 'parked';
create index jobs_by_worker on jobs (lease_worker) where phase = 'leased';
create index jobs_by_id on jobs (job_id);
-- Was a profile deleted by one job while another waited to delete it?
create index jobs_finished_deletions on jobs (account_id, region, cluster_name, profile_name, finished_at)
    where kind = 'delete_fargate_profile' and phase = 'finished';
create index jobs_by_operation on jobs (operation_id, seq) where operation_id is not null;

-- One row a lane in use: its lock at enqueue and at finish, and how many of its jobs are unfinished.
create table lanes (
    account_id text not null,
    lane       text not null,
    pending    integer not null,
    touched_at timestamptz not null default now(),
    primary key (account_id, lane),
    constraint lanes_pending_not_negative check (pending >= 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- One heartbeat row a worker process; leases point at it.
create table workers (
    worker_id    uuid primary key,
    host         text not null,
    started_at   timestamptz not null default now(),
    heartbeat_at timestamptz not null default now(),
    -- how long after the last heartbeat its leases stand
    lease        interval not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- Transitions between the first start and the end. The first two events (queued, running) and the
-- terminal one are read off the job itself.
create table job_events (
    account_id     text not null,
    job_id         uuid not null,
    event_no       integer not null,
    occurred_at    timestamptz not null default now(),
    state          text not null,
    step           text not null,
    waiting_reason text,
    message        text not null,
    primary key (account_id, job_id, event_no)
);

-- What must always be empty: unfinished jobs that nothing would ever touch again.
create view stuck_jobs as
    select account_id, job_id, 'neither leased nor due' as why
    from jobs
    where phase <> 'finished'
      and lease_worker is null
      and due_at is null
    union all
    select b.account_id, b.job_id, 'blocked in a lane that has no head'
    from jobs b
    where b.phase = 'blocked'
      and not exists (
          select
          from jobs h
          where h.account_id = b.account_id
            and h.lane = b.lane
            and h.phase in ('ready', 'leased', 'parked')
      );
