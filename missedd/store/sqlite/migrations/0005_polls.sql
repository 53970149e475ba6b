-- Every vote that came in, counted or not. `standing` says whether it counts, by the rules of its
-- poll and all votes of its number that are known; it changes when an earlier call is told of later.
-- A voter's votes that count lie side by side, so that one more vote need not read the others.
CREATE TABLE votes (
    poll      TEXT    NOT NULL,
    number    TEXT    NOT NULL,
    standing  TEXT    NOT NULL,               -- counted | surplus | replaced | early | late
    called_at INTEGER NOT NULL,
    call_sid  TEXT    NOT NULL,
    option    TEXT    NOT NULL,
    PRIMARY KEY (poll, number, standing, called_at, call_sid)
) STRICT, WITHOUT ROWID;

-- How many votes there are for each option: kept as votes come in, never counted anew to be shown.
CREATE TABLE tallies (
    poll     TEXT    NOT NULL,
    option   TEXT    NOT NULL,
    votes    INTEGER NOT NULL DEFAULT 0,      -- those that count; the others by their standing
    surplus  INTEGER NOT NULL DEFAULT 0,
    replaced INTEGER NOT NULL DEFAULT 0,
    early    INTEGER NOT NULL DEFAULT 0,
    late     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (poll, option)
) STRICT, WITHOUT ROWID;

-- The rules by which the standings above were made; a poll whose rules have changed is counted again.
CREATE TABLE poll_rules (
    poll  TEXT NOT NULL PRIMARY KEY,
    rules TEXT NOT NULL                      -- JSON
) STRICT, WITHOUT ROWID;
