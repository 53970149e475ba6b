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
