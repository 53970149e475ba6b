-- A change of a summed fact is noted, and put into the sums later, instead of changing three sums at once. Where
-- several daemons share a database, sums that all of them change would make each wait for all the others.
CREATE TABLE late_facts (
    id       INTEGER PRIMARY KEY,
    campaign TEXT    NOT NULL,
    stretch  INTEGER NOT NULL,
    hour     INTEGER NOT NULL,
    fact     TEXT    NOT NULL,
    n        INTEGER NOT NULL                 -- 1 for a fact that became true, -1 for one that was
) STRICT;
DROP TRIGGER changes_count;
DROP TRIGGER changes_of_calls;
CREATE TRIGGER changes_count INSTEAD OF INSERT ON changes BEGIN
    INSERT INTO late_facts (campaign, stretch, hour, fact, n)
    SELECT f.campaign, (SELECT number FROM stretches WHERE since_at <= f.at ORDER BY since_at DESC LIMIT 1),
           (f.at - s.phase_us) / s.width_us, f.fact, NEW.sign
    FROM facts f, summary s
    WHERE f.source = NEW.source AND f.id = NEW.id AND f.at < s.until_at;
END;
CREATE TRIGGER changes_of_calls INSTEAD OF INSERT ON changes WHEN NEW.source = 'call' AND NEW.sign > 0 BEGIN
    INSERT INTO late_callers (campaign, stretch, number)
    SELECT c.campaign,
           (SELECT number FROM stretches WHERE since_at <= c.called_at ORDER BY since_at DESC LIMIT 1), c.caller
    FROM calls c, summary s
    WHERE c.id = NEW.id AND c.campaign IS NOT NULL AND c.called_at < s.until_at
      AND c.verdict IN ('accepted', 'duplicate', 'suppressed', 'no-caller-id') AND c.caller IS NOT NULL
    ON CONFLICT (campaign, stretch, number) DO NOTHING;
END;
DROP TABLE levels;

-- A tally is the sum of its places. One writer needs one place; several write to one each, so that none waits
-- for another one's commit.
CREATE TABLE tallies_by_place (
    poll     TEXT    NOT NULL,
    option   TEXT    NOT NULL,
    place    INTEGER NOT NULL DEFAULT 0,
    votes    INTEGER NOT NULL DEFAULT 0,      -- those that count; the others by their standing
    surplus  INTEGER NOT NULL DEFAULT 0,
    replaced INTEGER NOT NULL DEFAULT 0,
    early    INTEGER NOT NULL DEFAULT 0,
    late     INTEGER NOT NULL DEFAULT 0,
    foreign_votes INTEGER NOT NULL DEFAULT 0, -- of countries that the poll leaves out
    PRIMARY KEY (poll, option, place)
) STRICT, WITHOUT ROWID;
INSERT INTO tallies_by_place (poll, option, votes, surplus, replaced, early, late, foreign_votes)
SELECT poll, option, votes, surplus, replaced, early, late, foreign_votes FROM tallies;
DROP TABLE tallies;
ALTER TABLE tallies_by_place RENAME TO tallies;

-- In words that other databases understand too.
DROP INDEX suppressed_prefixes;
CREATE INDEX suppressed_prefixes ON suppressions (number) WHERE number != rtrim(number, '*');
