-- Sums by stretches of some hundred calls instead of hours, so that no bound of a period is dear, however
-- dense the calls. All sums are dropped here and made anew by the daemon from what they are sums of, while
-- it serves.
DELETE FROM summary;
DROP TABLE levels;
DROP TABLE figures;
DROP TABLE IF EXISTS hourly_calls;
DROP TABLE callers;
DROP TABLE caller_sets;
DROP TABLE late_callers;
DROP TRIGGER changes_count;
DROP TRIGGER changes_of_calls;
-- What a database holds that was made between two releases.
DROP TABLE IF EXISTS stretches;
DROP TABLE IF EXISTS call_hours;

-- Time in stretches, each with what was summed at once: some hundred calls. Each ends where the next
-- begins, the last at `until_at`. 32 of them make a bucket of the second level, 1,024 one of the third.
CREATE TABLE stretches (number INTEGER PRIMARY KEY, since_at INTEGER NOT NULL UNIQUE) STRICT;
CREATE TABLE levels (level INTEGER PRIMARY KEY, stretches INTEGER NOT NULL) STRICT;
INSERT INTO levels VALUES (0, 1), (1, 32), (2, 1024);

CREATE TABLE figures (
    campaign TEXT    NOT NULL,
    level    INTEGER NOT NULL,
    bucket   INTEGER NOT NULL,
    fact     TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (campaign, level, bucket, fact)
) STRICT, WITHOUT ROWID;

-- Missed calls by hour: what every figure by time of day is made of.
CREATE TABLE call_hours (
    campaign TEXT    NOT NULL,
    level    INTEGER NOT NULL,
    bucket   INTEGER NOT NULL,
    hour     INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (campaign, level, bucket, hour)
) STRICT, WITHOUT ROWID;

-- Who rang, as sets of small ids, so that the callers of any period are a union of few sets. Above the
-- first level a set is made once all of its stretches are there.
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
    stretch  INTEGER NOT NULL,
    number   TEXT    NOT NULL,
    PRIMARY KEY (campaign, stretch, number)
) STRICT, WITHOUT ROWID;

-- Changes of what is summed find their stretch by its bounds.
CREATE TRIGGER changes_count INSTEAD OF INSERT ON changes BEGIN
    INSERT INTO figures (campaign, level, bucket, fact, n)
    SELECT f.campaign, l.level,
           (SELECT number FROM stretches WHERE since_at <= f.at ORDER BY since_at DESC LIMIT 1) / l.stretches,
           f.fact, NEW.sign
    FROM facts f, summary s, levels l
    WHERE f.source = NEW.source AND f.id = NEW.id AND f.at < s.until_at
    ON CONFLICT (campaign, level, bucket, fact) DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER changes_of_calls INSTEAD OF INSERT ON changes WHEN NEW.source = 'call' BEGIN
    INSERT INTO call_hours (campaign, level, bucket, hour, n)
    SELECT c.campaign, l.level,
           (SELECT number FROM stretches WHERE since_at <= c.called_at ORDER BY since_at DESC LIMIT 1)
               / l.stretches,
           (c.called_at - s.phase_us) / s.width_us, NEW.sign
    FROM calls c, summary s, levels l
    WHERE c.id = NEW.id AND c.campaign IS NOT NULL AND c.called_at < s.until_at
      AND c.verdict IN ('accepted', 'duplicate', 'suppressed', 'no-caller-id')
    ON CONFLICT (campaign, level, bucket, hour) DO UPDATE SET n = n + excluded.n;
    INSERT INTO late_callers (campaign, stretch, number)
    SELECT c.campaign,
           (SELECT number FROM stretches WHERE since_at <= c.called_at ORDER BY since_at DESC LIMIT 1), c.caller
    FROM calls c, summary s
    WHERE c.id = NEW.id AND NEW.sign > 0 AND c.campaign IS NOT NULL AND c.called_at < s.until_at
      AND c.verdict IN ('accepted', 'duplicate', 'suppressed', 'no-caller-id') AND c.caller IS NOT NULL
    ON CONFLICT (campaign, stretch, number) DO NOTHING;
END;
