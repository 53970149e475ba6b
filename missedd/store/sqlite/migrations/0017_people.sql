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
  AND reason IN (
    'caller-being-rung', 'agent-busy', 'calls-at-once', 'channels-busy', 'agent-no-answer', 'agent-failed');

-- Agents who did not take their latest call; an answer ends the row.
CREATE TABLE agent_misses (
    agent       TEXT    PRIMARY KEY,          -- E.164
    in_a_row    INTEGER NOT NULL,
    rests_until INTEGER NOT NULL,
    reason      TEXT    NOT NULL              -- of the latest miss
) STRICT, WITHOUT ROWID;

-- A campaign owes a person one callback that has not been placed: the one for the latest call. What earlier
-- releases left beside it is closed, and what remains is due when the first of them was, but for retries.
CREATE TABLE waiting AS
SELECT a.id, a.due_at, a.base_at, a.retry_index,
       first_value(a.id) OVER (PARTITION BY a.campaign, a.number
                               ORDER BY c.called_at DESC, a.retry_index, a.id DESC) AS remains
FROM (SELECT campaign, number FROM actions
      WHERE state != 'done' AND state IN ('planned', 'held') AND kind = 'callback' AND reason != 'quarantined'
      GROUP BY campaign, number HAVING count(*) > 1) several
JOIN actions a ON a.number = several.number AND a.kind = 'callback' AND +a.campaign = several.campaign
JOIN calls c ON c.id = a.call_id
WHERE a.state IN ('planned', 'held') AND a.reason != 'quarantined';
UPDATE actions SET state = 'done', outcome = 'dropped', reason = 'already-owed', wake_at = NULL,
    closed_at = unixepoch() * 1000000,
    details = json_set(details, '$.replaced_by', CAST(w.remains AS TEXT))
FROM waiting w WHERE w.id = actions.id AND w.id != w.remains;
UPDATE actions SET
    chain_at = nullif(min(actions.base_at, w.base_at), actions.base_at),
    due_at = min(actions.due_at, w.due_at),
    wake_at = min(actions.wake_at, w.due_at)
FROM (SELECT remains, min(due_at) AS due_at, min(base_at) AS base_at FROM waiting
      WHERE retry_index = 0 GROUP BY remains) w
WHERE w.remains = actions.id;
DROP TABLE waiting;
