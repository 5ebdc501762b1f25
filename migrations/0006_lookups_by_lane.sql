-- The head of a lane, and the next behind it, are looked up by account and lane. In a young table,
-- before its first analyze, Postgres may take the primary key for that and read all jobs of the
-- account; a prepared statement keeps such a plan until the next analyze. Where the account is
-- compared in a collation of its own, no other index fits.

drop index jobs_one_head_a_lane;
create unique index jobs_one_head_a_lane on job_rows (account_id collate "C", lane)
    where lane is not null and phase in ('ready', 'parked');
drop index jobs_next_in_lane;
create index jobs_next_in_lane on job_rows (account_id collate "C", lane, seq) where phase = 'blocked';

create or replace view stuck_jobs as
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
          where h.account_id = b.account_id collate "C"
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
