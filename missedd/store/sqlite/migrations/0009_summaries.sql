-- When the customer answered, as exactly as the provider told it; and the provider's code with which
-- an SMS ended.
ALTER TABLE actions ADD COLUMN answered_at INTEGER;
ALTER TABLE actions ADD COLUMN code TEXT;

-- A lead counts in the period in which it was first seen.
CREATE INDEX leads_by_campaign ON leads (campaign, first_seen_at);

-- What the figures are made of, a row each: a fact, and when it counts. What follows from a call counts
-- at the call's own time. Latencies are lower bounds of buckets in tenths of a second: `bucket_of`.
CREATE VIEW facts (source, id, campaign, at, fact) AS
    SELECT 'call', id, campaign, called_at,
           'call|' || verdict || '|' || reason || '|' || iif(shape = 'recovered', 'recovered', '')
    FROM calls WHERE campaign IS NOT NULL
UNION ALL
    SELECT 'action', a.id, c.campaign, c.called_at,
           'action|' || a.kind || '|' || a.state || '|' || coalesce(a.settled_outcome, a.outcome, '') || '|'
           || CASE WHEN a.settled_outcome IS NOT NULL THEN 'settled-by-operator'
                   WHEN a.state = 'done' THEN a.reason
                   ELSE '' END
           || '|' || iif(a.kind = 'sms', coalesce(a.code, ''), '')
           || '|' || iif(a.placed_at IS NULL, '', 'placed')
    FROM calls c JOIN actions a ON a.call_id = c.id WHERE c.campaign IS NOT NULL
UNION ALL
    SELECT 'action', id, campaign, called_at, what || '|' ||
           CASE WHEN late < 64 THEN late
                WHEN late < 128 THEN late - late % 2
                WHEN late < 256 THEN late - late % 4
                WHEN late < 512 THEN late - late % 8
                WHEN late < 1024 THEN late - late % 16
                WHEN late < 2048 THEN late - late % 32
                WHEN late < 4096 THEN late - late % 64
                WHEN late < 8192 THEN late - late % 128
                WHEN late < 16384 THEN late - late % 256
                WHEN late < 32768 THEN late - late % 512
                WHEN late < 65536 THEN late - late % 1024
                WHEN late < 131072 THEN late - late % 2048
                WHEN late < 262144 THEN late - late % 4096
                WHEN late < 524288 THEN late - late % 8192
                WHEN late < 1048576 THEN late - late % 16384
                WHEN late < 2097152 THEN late - late % 32768
                WHEN late < 4194304 THEN late - late % 65536
                WHEN late < 8388608 THEN late - late % 131072
                ELSE 8388608 END
    FROM (
        SELECT a.id, c.campaign, c.called_at, 'called-back' AS what,
               max(a.placed_at - c.called_at, 0) / 100000 AS late
        FROM calls c JOIN actions a ON a.call_id = c.id
        WHERE c.campaign IS NOT NULL AND a.kind = 'callback' AND a.retry_index = 0
          AND a.placed_at IS NOT NULL
        UNION ALL
        SELECT a.id, c.campaign, c.called_at, 'answered', max(a.answered_at - c.called_at, 0) / 100000
        FROM calls c JOIN actions a ON a.call_id = c.id
        WHERE c.campaign IS NOT NULL AND a.kind = 'callback' AND a.outcome = 'answered'
          AND a.answered_at IS NOT NULL
    )
UNION ALL
    SELECT 'lead', id, campaign, first_seen_at, iif(converted_at IS NULL, 'lead|', 'lead|converted') FROM leads
UNION ALL
    SELECT 'conversion', id, campaign, at, 'conversion' FROM conversions;

-- What is summed: the facts before `until_at` of the rows up to the given ids. Later ones, and those of
-- newer rows, are counted from the view. One row, made by the daemon, which knows the time zone whose hours
-- the grid's are; without it nothing is summed.
CREATE TABLE summary (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    width_us        INTEGER NOT NULL,
    phase_us        INTEGER NOT NULL,
    until_at        INTEGER NOT NULL,
    last_call       INTEGER NOT NULL DEFAULT 0,
    last_action     INTEGER NOT NULL DEFAULT 0,
    last_lead       INTEGER NOT NULL DEFAULT 0,
    last_conversion INTEGER NOT NULL DEFAULT 0,
    callers         INTEGER NOT NULL DEFAULT 0   -- how many ids they have been given
) STRICT;

-- Buckets of one hour add up to those of 24, and these to those of 768.
CREATE TABLE levels (level INTEGER PRIMARY KEY, hours INTEGER NOT NULL) STRICT;
INSERT INTO levels VALUES (0, 1), (1, 24), (2, 768);

CREATE TABLE figures (
    campaign TEXT    NOT NULL,
    level    INTEGER NOT NULL,
    bucket   INTEGER NOT NULL,
    fact     TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (campaign, level, bucket, fact)
) STRICT, WITHOUT ROWID;

-- Missed calls by hour alone: what every figure by time of day is made of.
CREATE TABLE hourly_calls (
    campaign TEXT    NOT NULL,
    hour     INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (campaign, hour)
) STRICT, WITHOUT ROWID;

-- Who rang, as sets of small ids, so that the callers of any period are a union of few sets. Above the
-- hours a set is made once its bucket is over.
CREATE TABLE callers (number TEXT NOT NULL PRIMARY KEY, caller_id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE caller_sets (
    id       INTEGER PRIMARY KEY,
    campaign TEXT    NOT NULL,
    level    INTEGER NOT NULL,
    bucket   INTEGER NOT NULL,
    callers  BLOB    NOT NULL,                -- a portable Roaring bitmap
    UNIQUE (campaign, level, bucket)
) STRICT;
-- Those of summed calls that were decided anew, until they are put into their set.
CREATE TABLE late_callers (
    campaign TEXT    NOT NULL,
    hour     INTEGER NOT NULL,
    number   TEXT    NOT NULL,
    PRIMARY KEY (campaign, hour, number)
) STRICT, WITHOUT ROWID;

-- Whatever is changed in what is summed, by whichever statement, changes the sums with it: the facts of
-- a row are taken out before the change and put in after it. New rows cost nothing: they have higher ids.
CREATE VIEW changes (source, id, sign) AS SELECT 'call', 0, 1 WHERE 0;
CREATE TRIGGER changes_count INSTEAD OF INSERT ON changes BEGIN
    INSERT INTO figures (campaign, level, bucket, fact, n)
    SELECT f.campaign, l.level, (f.at - s.phase_us) / (s.width_us * l.hours), f.fact, NEW.sign
    FROM facts f, summary s, levels l
    WHERE f.source = NEW.source AND f.id = NEW.id AND f.at < s.until_at
    ON CONFLICT (campaign, level, bucket, fact) DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER changes_of_calls INSTEAD OF INSERT ON changes WHEN NEW.source = 'call' BEGIN
    INSERT INTO hourly_calls (campaign, hour, n)
    SELECT c.campaign, (c.called_at - s.phase_us) / s.width_us, NEW.sign
    FROM calls c, summary s
    WHERE c.id = NEW.id AND c.campaign IS NOT NULL AND c.called_at < s.until_at
      AND c.verdict IN ('accepted', 'duplicate', 'suppressed', 'no-caller-id')
    ON CONFLICT (campaign, hour) DO UPDATE SET n = n + excluded.n;
    INSERT INTO late_callers (campaign, hour, number)
    SELECT c.campaign, (c.called_at - s.phase_us) / s.width_us, c.caller
    FROM calls c, summary s
    WHERE c.id = NEW.id AND NEW.sign > 0 AND c.campaign IS NOT NULL AND c.called_at < s.until_at
      AND c.verdict IN ('accepted', 'duplicate', 'suppressed', 'no-caller-id') AND c.caller IS NOT NULL
    ON CONFLICT (campaign, hour, number) DO NOTHING;
END;

CREATE TRIGGER calls_leave BEFORE UPDATE OF campaign, caller, called_at, verdict, reason, shape ON calls
WHEN OLD.id <= (SELECT last_call FROM summary)
BEGIN INSERT INTO changes VALUES ('call', OLD.id, -1); END;
CREATE TRIGGER calls_enter AFTER UPDATE OF campaign, caller, called_at, verdict, reason, shape ON calls
WHEN NEW.id <= (SELECT last_call FROM summary)
BEGIN INSERT INTO changes VALUES ('call', NEW.id, 1); END;

CREATE TRIGGER actions_leave
BEFORE UPDATE OF state, outcome, settled_outcome, reason, code, placed_at, answered_at ON actions
WHEN OLD.id <= (SELECT last_action FROM summary)
 AND (SELECT called_at FROM calls WHERE id = OLD.call_id) < (SELECT until_at FROM summary)
BEGIN INSERT INTO changes VALUES ('action', OLD.id, -1); END;
CREATE TRIGGER actions_enter
AFTER UPDATE OF state, outcome, settled_outcome, reason, code, placed_at, answered_at ON actions
WHEN NEW.id <= (SELECT last_action FROM summary)
 AND (SELECT called_at FROM calls WHERE id = NEW.call_id) < (SELECT until_at FROM summary)
BEGIN INSERT INTO changes VALUES ('action', NEW.id, 1); END;

CREATE TRIGGER leads_leave BEFORE UPDATE OF campaign, first_seen_at, converted_at ON leads
WHEN OLD.id <= (SELECT last_lead FROM summary)
 AND (OLD.campaign, OLD.first_seen_at, OLD.converted_at IS NULL)
     IS NOT (NEW.campaign, NEW.first_seen_at, NEW.converted_at IS NULL)
BEGIN INSERT INTO changes VALUES ('lead', OLD.id, -1); END;
CREATE TRIGGER leads_enter AFTER UPDATE OF campaign, first_seen_at, converted_at ON leads
WHEN NEW.id <= (SELECT last_lead FROM summary)
 AND (OLD.campaign, OLD.first_seen_at, OLD.converted_at IS NULL)
     IS NOT (NEW.campaign, NEW.first_seen_at, NEW.converted_at IS NULL)
BEGIN INSERT INTO changes VALUES ('lead', NEW.id, 1); END;
