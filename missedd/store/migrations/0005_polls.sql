-- Every vote that came in, counted or not. `standing` says whether it counts, by the rules of its
-- poll and all votes of its number that are known; it changes when an earlier call is told of later.
CREATE TABLE votes (
    action_id INTEGER PRIMARY KEY REFERENCES actions (id),
    poll      TEXT    NOT NULL,
    option    TEXT    NOT NULL,
    number    TEXT    NOT NULL,
    call_id   INTEGER NOT NULL REFERENCES calls (id),
    called_at INTEGER NOT NULL,
    standing  TEXT    NOT NULL               -- counted | surplus | replaced | early | late
) STRICT;
CREATE INDEX votes_by_voter ON votes (poll, number, called_at, action_id);

-- How many votes count for each option: kept as votes come in, never counted anew to be shown.
CREATE TABLE tallies (
    poll   TEXT    NOT NULL,
    option TEXT    NOT NULL,
    votes  INTEGER NOT NULL,
    PRIMARY KEY (poll, option)
) STRICT, WITHOUT ROWID;

-- The rules by which the standings above were made; a poll whose rules have changed is counted again.
CREATE TABLE poll_rules (
    poll  TEXT NOT NULL PRIMARY KEY,
    rules TEXT NOT NULL                      -- JSON
) STRICT, WITHOUT ROWID;
