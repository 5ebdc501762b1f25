-- Live reads are shared for a second and kept for minutes.

-- What is read, with whose rights, and the job that reads it: whoever asks for the same within a
-- second shares that job. Unlogged: after a crash nobody shares for a second.
create unlogged table shared_reads (
    -- SHA-256 of what is read and of the reader's rights
    share      bytea primary key,
    account_id text not null,
    job_id     uuid not null,
    created_at timestamptz not null default now(),
    constraint shared_reads_share_length check (octet_length(share) = 32)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- Reads that are over, oldest first, for their removal: those that nobody made anew, and retries,
-- which an idempotency key may name for a day. Writers wait while it is made.
create index job_reads_by_age on job_rows ((retry_of is not null), job_id)
    where lane is null and phase = 'finished';
