-- Tokens that may name the person behind them, and an audit trail that can't be changed unseen.

alter table api_tokens
    -- its requests may name the person they are made for
    add column may_act_for boolean not null default false;

alter table audit_events
    -- the person that the actor says is behind the request
    add column on_behalf_of text;

-- for filters by time: the trail is in the order of time, but for moments
create index audit_events_by_time on audit_events using brin (occurred_at)
    with (autosummarize = on);

-- The chain over audit_events: one seal a row, in the order in which rows were committed and seen.
-- Written in the background, so that audit rows are never touched again.
create table audit_seals (
    -- from 1, without gaps
    seal_no     bigint primary key,
    -- the row it seals
    event_seq   bigint not null,
    -- SHA-256 of the row
    row_sha256  bytea not null,
    -- SHA-256 of the seal before, this seal's number, time and event, and the row's SHA-256
    seal_sha256 bytea not null,
    sealed_at   timestamptz not null,

    constraint audit_seals_one_an_event unique (event_seq),
    constraint audit_seals_count_from_one check (seal_no >= 1),
    constraint audit_seals_sha256_length
        check (octet_length(row_sha256) = 32 and octet_length(seal_sha256) = 32)
);

create function refuse_change_of_audit() returns trigger
language plpgsql
as $$
begin
    raise exception '% is append-only', tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;

create trigger audit_events_append_only
before update or delete or truncate on audit_events
for each statement execute function refuse_change_of_audit();

create trigger audit_seals_append_only
before update or delete or truncate on audit_seals
for each statement execute function refuse_change_of_audit();
