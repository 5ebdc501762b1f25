-- Names of tokens are unique among the living; who made a token or a webhook is kept; refused changes
-- are found in the audit trail.

alter table api_tokens
    -- the token whose bearer made it; null: the command line, a caller of an issuer, or not noted
    add column created_by uuid,
    -- false once it has ended and another has taken its name
    add column name_held boolean not null default true;

alter table webhooks
    -- as of tokens
    add column created_by uuid;

-- What was made before is known from the trail, where the actor's name was that of one token only.
with maker as (
    select name, min(token_id::text)::uuid as token_id
    from api_tokens
    group by name
    having count(*) = 1
),
made as (
    select e.action, e.subject_id, m.token_id
    from audit_events e
    join maker m on m.name = e.actor
    where e.action in ('createToken', 'createWebhook')
      and e.detail ->> 'actorKind' = 'api_token'
      and e.subject_id is distinct from m.token_id
),
tokens_made as (
    update api_tokens t
    set created_by = made.token_id
    from made
    where made.action = 'createToken'
      and made.subject_id = t.token_id
)
update webhooks w
set created_by = made.token_id
from made
where made.action = 'createWebhook'
  and made.subject_id = w.webhook_id;

update api_tokens
set name_held = false
where revoked_at is not null
   or expires_at <= now();

-- Of those that live and share a name, the oldest keeps it; the others go on with their id behind it.
do $$
begin
    loop
        update api_tokens t
        set name = left(t.name, 63) || '-' || t.token_id
        from (
            select token_id, row_number() over (partition by name order by token_id) as place
            from api_tokens
            where name_held
        ) shared
        where shared.token_id = t.token_id
          and shared.place > 1;
        exit when not found;
    end loop;
end
$$;

create unique index api_tokens_living_name on api_tokens (name)
    where name_held and revoked_at is null;

create index api_tokens_by_maker on api_tokens (created_by)
    where created_by is not null;
create index webhooks_by_maker on webhooks (created_by)
    where created_by is not null;

-- For the filter by outcome. Refusals are few among the changes, and so are the index's entries.
create index audit_events_denied on audit_events (event_seq)
    where detail ->> 'outcome' = 'denied';
