-- Each time that a backup took the place of the database. While `released_at` is NULL nothing that
-- is owed for a call from before `restored_at` is sent: it may have been sent since the backup.
CREATE TABLE restores (
    id          INTEGER PRIMARY KEY,
    restored_at INTEGER NOT NULL,
    released_at INTEGER,
    dropped     INTEGER NOT NULL DEFAULT 0    -- 1 where the operator dropped what was waiting
) STRICT;
