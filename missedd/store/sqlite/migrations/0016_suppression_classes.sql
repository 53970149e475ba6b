-- A suppression says what it is about. What was learned from a refusal of promotional SMS bars no others;
-- the register's refusal of a call ends by itself. Of an opting out the sender was not kept: it goes on to
-- bar every SMS, as it did.
CREATE TABLE suppressions_by_class (
    number   TEXT    NOT NULL,                -- or the beginning of several, with an asterisk: +232*
    channel  TEXT    NOT NULL DEFAULT 'all',  -- all | sms | calls
    class    TEXT    NOT NULL DEFAULT '',     -- of SMS: promotional | sender | takes-no-sms; empty for all
    sender   TEXT    NOT NULL DEFAULT '',     -- of the class sender
    reason   TEXT    NOT NULL,
    source   TEXT    NOT NULL,                -- api | cli | console | provider | opt-out
    since_at INTEGER NOT NULL,
    until_at INTEGER,
    asked_at INTEGER,                         -- opt-outs: the latest call's own time
    call_id  INTEGER REFERENCES calls (id),   -- opt-outs: the call that began it; its confirmation may go
    PRIMARY KEY (number, channel, class, sender, source)
) STRICT;
INSERT INTO suppressions_by_class (number, channel, class, reason, source, since_at, until_at, asked_at, call_id)
SELECT number, channel, iif(source = 'provider' AND channel = 'sms' AND reason != 'sms 23020', 'promotional', ''),
       reason, source, since_at, until_at, asked_at, call_id
FROM suppressions WHERE source != 'provider' OR channel != 'all';
INSERT OR IGNORE INTO suppressions_by_class (number, channel, class, reason, source, since_at, until_at)
SELECT number, iif(is_sms, 'sms', 'calls'), iif(is_sms, 'promotional', ''), reason, source, since_at,
       iif(is_sms, until_at, since_at + 2592000000000)
FROM (SELECT *, coalesce((SELECT a.kind = 'sms' FROM actions a JOIN attempts t ON t.action_id = a.id
                          WHERE a.number = s.number AND t.reason = 'do-not-disturb'
                          ORDER BY t.started_at DESC LIMIT 1), 0) AS is_sms
      FROM suppressions s WHERE source = 'provider' AND channel = 'all');
DROP TABLE suppressions;
ALTER TABLE suppressions_by_class RENAME TO suppressions;

-- Next to nothing is in it; it is asked beside the numbers of each batch.
CREATE INDEX suppressed_prefixes ON suppressions (number) WHERE number GLOB '*[*]';
