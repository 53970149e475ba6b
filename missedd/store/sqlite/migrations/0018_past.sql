-- Until when time has surely passed, whatever the clock shows; one row. Retention counts from it.
CREATE TABLE past (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    until_at    INTEGER NOT NULL,
    latest_call INTEGER NOT NULL              -- the latest time that a call had told of itself by then
) STRICT;
