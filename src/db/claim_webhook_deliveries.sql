-- claim_webhook_deliveries: those that are due, in shares by the account that owns the webhook
with
-- what this process sends, by owner
held as (
    select *
    from unnest($4::text[], $5::bigint[], $6::bigint[]) as h (owner, sending, failing)
),
-- of each webhook as many as it has room for; one that fails is tried with one at a time
candidate as (
    select
        job.webhook_id,
        job.delivery_id,
        job.next_attempt_at,
        owned.owner,
        w.failing_since is not null as failing
    from webhooks w
    cross join lateral (
        select coalesce(min(account_id), '') as owner
        from unnest(w.account_ids) as a (account_id)
    ) as owned
    cross join lateral (
        select d.webhook_id, d.delivery_id, d.next_attempt_at
        from webhook_deliveries d
        where d.webhook_id = w.webhook_id
          and d.state = 'pending'
          and d.next_attempt_at <= now()
          and (d.leased_until is null or d.leased_until <= now())
        order by d.next_attempt_at
        limit greatest(
            0,
            case when w.failing_since is null then $2::bigint else least($2, 1) end - (
                select count(*)
                from webhook_deliveries l
                where l.webhook_id = w.webhook_id
                  and l.state = 'pending'
                  and l.leased_until > now()
            )
        )
    ) as job
    where w.enabled
),
-- those that fail have few slots of each owner, and few in all, the owners taking turns
failing as (
    select *
    from (
        select
            c.*,
            coalesce(held.failing, 0) + row_number() over (
                partition by c.owner order by c.next_attempt_at
            ) as place
        from candidate c
        left join held using (owner)
        where c.failing
    ) as of_owner
    where place <= $8::bigint
    order by place, next_attempt_at
    limit $9::bigint
),
-- then every owner has its share, the owners taking turns
due as (
    select webhook_id, delivery_id, owner, failing
    from (
        select
            c.*,
            coalesce(held.sending, 0) + row_number() over (
                partition by c.owner order by c.next_attempt_at
            ) as place
        from (
            select webhook_id, delivery_id, next_attempt_at, owner, failing
            from candidate
            where not failing
            union all
            select webhook_id, delivery_id, next_attempt_at, owner, failing
            from failing
        ) as c
        left join held using (owner)
    ) as of_owner
    where place <= $7::bigint
    order by place, next_attempt_at
    limit $1::bigint
)
update webhook_deliveries d
set leased_until = now() + $3::interval,
    lease_token = d.lease_token + 1,
    attempts = d.attempts + 1,
    last_attempt_at = now()
from due
join webhooks w on w.webhook_id = due.webhook_id
where d.webhook_id = due.webhook_id
  and d.delivery_id = due.delivery_id
  and d.state = 'pending'
returning
    d.webhook_id,
    w.url,
    w.format,
    w.account_ids,
    w.client_id,
    d.callback_run,
    w.secret,
    case when w.old_secret_until > now() then w.old_secret end as old_secret,
    d.delivery_id,
    d.event_type,
    d.subject_id,
    d.occurred_at,
    d.retry_no,
    d.lease_token,
    due.owner as "owner!",
    due.failing as "failing!"
