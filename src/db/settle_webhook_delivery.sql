-- settle_webhook_delivery: what came of a sending, fenced by token; what it means for the webhook
with held as materialized (
    select webhook_id
    from webhooks
    where webhook_id = $1
    for no key update
),
settled as (
    update webhook_deliveries d
    set state = $4,
        next_attempt_at = case when $4 = 'pending' then now() + $5::interval end,
        retry_no = d.retry_no + 1,
        leased_until = null,
        last_status = $6,
        last_error = $7,
        finished_at = case when $4 <> 'pending' then now() end
    from held
    where d.webhook_id = held.webhook_id
      and d.delivery_id = $2
      and d.lease_token = $3
      and d.state = 'pending'
      -- not written yet: an answer may have been lost
      and d.leased_until is not null
    returning d.webhook_id
),
succeeded as (
    update webhooks w
    set failing_since = null
    from settled
    where w.webhook_id = settled.webhook_id
      and $4 = 'succeeded'
      and w.failing_since is not null
),
failed as (
    update webhooks w
    set failing_since = coalesce(w.failing_since, now()),
        enabled = w.enabled and not $8 and coalesce(w.failing_since >= now() - $9::interval, true),
        disabled_reason = case
            when not w.enabled then w.disabled_reason
            when $8 then 'The receiver answered 410: it wants no more events.'
            when w.failing_since < now() - $9::interval
                then 'Every delivery since ' || to_char(
                    w.failing_since at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
                ) || ' has failed.'
        end,
        version = w.version + case
            when w.enabled and ($8 or w.failing_since < now() - $9::interval) then 1
            else 0
        end
    from settled
    where w.webhook_id = settled.webhook_id
      and $4 <> 'succeeded'
      and $9::interval is not null
      and (w.failing_since is null or $8 or w.failing_since < now() - $9::interval)
)
select count(*) as "written!"
from settled
