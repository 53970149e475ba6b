-- What an operator found out about an action that ended as `unknown`. The outcome itself stays: it
-- is what the daemon knew, and it is set once.
ALTER TABLE actions ADD COLUMN settled_outcome TEXT;
ALTER TABLE actions ADD COLUMN settled_at INTEGER;
ALTER TABLE actions ADD COLUMN settled_note TEXT;

-- Calls that no webhook told of have the shape `recovered`: few, and counted in every report.
CREATE INDEX calls_recovered ON calls (campaign, called_at) WHERE shape = 'recovered';

-- How far the provider's list of incoming calls has been read; one row.
CREATE TABLE catch_up (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    since_at      INTEGER NOT NULL,           -- calls before it were nobody's to serve
    covered_until INTEGER NOT NULL            -- whoever rang before it is known
) STRICT;
