-- Waits in a row for trouble that passes by itself, such as an outage: each is longer than the one
-- before. Any other outcome of a step sets it back to 0.
alter table job_rows
    add column troubles integer not null default 0;
