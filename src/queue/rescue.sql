-- rescue
with dead as (
    delete from workers
    where worker_id in (
        select worker_id
        from workers
        where heartbeat_at + lease < now()
        order by worker_id
        for update
    )
    returning worker_id
),
lost as materialized (
    select l.account_id, l.job_id, l.lease_token
    from leases l
    join job_rows j using (account_id, job_id)
    where l.worker_id in (select worker_id from dead)
       or not exists (select from workers w where w.worker_id = l.worker_id)
    order by l.account_id, l.job_id
    for update of j skip locked
),
unleased as (
    delete from leases l
    using lost
    where l.account_id = lost.account_id
      and l.job_id = lost.job_id
      and l.lease_token = lost.lease_token
    returning l.account_id, l.job_id, l.claimed_at
),
rescued as (
    update job_rows j
    set phase = 'ready',
        state = case when j.cancel_requested and not j.accepted then 'canceling' else 'waiting' end,
        waiting_reason = 'retry',
        ready_seq = nextval('jobs_ready_seq'),
        due_at = now(),
        rescues = j.rescues + 1,
        event_no = greatest(j.event_no, 2),
        version = j.version + 2,
        started_at = coalesce(j.started_at, unleased.claimed_at),
        updated_at = now()
    from unleased
    where j.account_id = unleased.account_id
      and j.job_id = unleased.job_id
    returning 1
),
woken as materialized (
    select pg_notify('fleet_ready', '')
    where exists (select from rescued)
)
select (select count(*) from rescued) + 0 * (select count(*) from woken) as "rescued!"
