-- One call of ours to a person at a time, so many to an agent and to the account: `busy_until` is when the
-- call of an action is surely over, `ended_at` when it really was, as far as the provider told.
ALTER TABLE actions ADD COLUMN busy_until INTEGER;
ALTER TABLE actions ADD COLUMN ended_at INTEGER;

-- Requests of before said no limit: four hours is the provider's own, beside two rings of a minute.
UPDATE actions SET busy_until = placed_at + 14520000000
WHERE state != 'done' AND state IN ('attempting', 'placed') AND kind = 'callback';

-- They hold what goes on just now, or may, and next to nothing else.
CREATE INDEX callbacks_going_on ON actions (number, campaign, details ->> 'agent')
WHERE kind = 'callback' AND state IN ('attempting', 'placed');
CREATE INDEX callbacks_unknown ON actions (busy_until)
WHERE outcome = 'unknown' AND settled_outcome IS NULL AND kind = 'callback';
CREATE INDEX callbacks_waiting ON actions (reason, number, campaign)
WHERE kind = 'callback' AND state = 'held'
  AND reason IN ('caller-being-rung', 'agent-busy', 'calls-at-once', 'channels-busy');

-- Agents who did not take their latest call; an answer ends the row.
CREATE TABLE agent_misses (
    agent       TEXT    PRIMARY KEY,          -- E.164
    in_a_row    INTEGER NOT NULL,
    rests_until INTEGER NOT NULL,
    reason      TEXT    NOT NULL              -- of the latest miss
) STRICT, WITHOUT ROWID;

-- A campaign owes a person one callback that has not been placed: the one for the latest call. What earlier
-- releases left beside it is closed, and what remains is due when the first of them was, but for retries.
CREATE TABLE remaining AS
SELECT campaign, number, max(id) AS id, min(iif(retry_index = 0, due_at, NULL)) AS due_at, min(base_at) AS base_at
FROM actions
WHERE state != 'done' AND state IN ('planned', 'held') AND kind = 'callback' AND reason != 'quarantined'
GROUP BY campaign, number HAVING count(*) > 1;
UPDATE actions SET state = 'done', outcome = 'dropped', reason = 'already-owed', wake_at = NULL,
    closed_at = max(created_at, due_at),
    details = json_set(details, '$.replaced_by', (
        SELECT CAST(r.id AS TEXT) FROM remaining r WHERE r.campaign = actions.campaign AND r.number = actions.number))
WHERE state != 'done' AND state IN ('planned', 'held') AND kind = 'callback' AND reason != 'quarantined'
  AND EXISTS (SELECT 1 FROM remaining r
              WHERE r.campaign = actions.campaign AND r.number = actions.number AND r.id != actions.id);
UPDATE actions SET
    chain_at = nullif((SELECT base_at FROM remaining r WHERE r.id = actions.id), base_at),
    due_at = min(due_at, coalesce((SELECT due_at FROM remaining r WHERE r.id = actions.id), due_at)),
    wake_at = min(wake_at, coalesce((SELECT due_at FROM remaining r WHERE r.id = actions.id), wake_at))
WHERE id IN (SELECT id FROM remaining);
DROP TABLE remaining;
