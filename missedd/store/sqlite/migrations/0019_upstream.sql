-- What waits for the provider is found at once. Refusals of the account are no outcomes any more.
CREATE INDEX actions_stalled ON actions (kind, due_at)
WHERE state = 'held' AND reason IN ('provider-unreachable', 'provider-auth', 'account-problem');
DROP INDEX attempts_refused;
