-- Stretches in which a campaign contacts nobody, by an operator's word. In force while `ended_at` is
-- NULL and `until_at` is not over.
CREATE TABLE pauses (
    id         INTEGER PRIMARY KEY,
    campaign   TEXT    NOT NULL,
    since_at   INTEGER NOT NULL,
    until_at   INTEGER,
    why        TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    peer       TEXT,
    ended_at   INTEGER
) STRICT;
CREATE INDEX pauses_in_force ON pauses (campaign) WHERE ended_at IS NULL;

-- What waits for a person. Next to nothing is in these unless something is broken.
CREATE INDEX actions_parked ON actions (id) WHERE kind = 'webhook' AND outcome IN ('failed', 'refused');
CREATE INDEX actions_unknown ON actions (id) WHERE outcome = 'unknown' AND settled_outcome IS NULL;
