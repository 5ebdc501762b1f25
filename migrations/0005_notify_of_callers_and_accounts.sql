-- API processes remember callers and accounts for a moment; a change is told to all of them.
-- A claim's and a step's own bookkeeping on the account's row is no change that they act on.

create function tell_of_change() returns trigger
language plpgsql
as $$
begin
    perform pg_notify('fleet_known', '');
    return null;
end
$$;

create trigger api_tokens_tell
after update of role, account_ids, expires_at, revoked_at or delete on api_tokens
for each statement execute function tell_of_change();

create trigger accounts_tell
after update of name, role_arn, pod_execution_role_arn, regions, labels, state or delete on accounts
for each statement execute function tell_of_change();
