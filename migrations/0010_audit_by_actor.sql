-- For filters by actor. Without it the changes of one who made few, or none, take reading the whole
-- trail. Writers wait while it is made, about two seconds a million rows. Not `concurrently`: that waits
-- for whoever waits to migrate, who waits for this, and the deadlock leaves an index of no use.
create index audit_events_by_actor on audit_events (actor, event_seq);
