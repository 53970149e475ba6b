-- Every call that joined a list, with itself as the evidence. `standing` says what it is worth by all
-- that is known to have been said, each by its own time; it changes when an earlier call is told of
-- later. What is `repeated` found a consent in force and is none of its own.
CREATE TABLE subscriptions (
    id            INTEGER PRIMARY KEY,
    list          TEXT    NOT NULL,
    number        TEXT    NOT NULL,
    purpose       TEXT    NOT NULL,
    campaign      TEXT    NOT NULL,
    call_id       INTEGER NOT NULL REFERENCES calls (id),
    consented_at  INTEGER NOT NULL,           -- the call's own time
    standing      TEXT    NOT NULL,           -- in-force | withdrawn | repeated
    withdrawn_at  INTEGER,
    withdrawn_by  TEXT,                       -- missed-call | api | cli | console
    withdrawal_call_id INTEGER REFERENCES calls (id),
    CHECK ((standing = 'withdrawn') = (withdrawn_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX subscriptions_in_force ON subscriptions (list, number) WHERE standing = 'in-force';
CREATE INDEX subscriptions_by_number ON subscriptions (number, list, consented_at);
CREATE INDEX subscriptions_by_list ON subscriptions (list) WHERE standing != 'repeated';

-- Every word that a number leaves a list, whether it found a consent or not: a call that joined before
-- it may be told of later.
CREATE TABLE withdrawals (
    id      INTEGER PRIMARY KEY,
    list    TEXT    NOT NULL,
    number  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    by      TEXT    NOT NULL,
    call_id INTEGER REFERENCES calls (id)
) STRICT;
CREATE INDEX withdrawals_by_number ON withdrawals (number, list, at);

-- A suppression stands by its source: what one of them lifts or lets run out, another may still want.
CREATE TABLE suppressions_by_source (
    number   TEXT    NOT NULL,
    channel  TEXT    NOT NULL DEFAULT 'all',  -- all | sms
    reason   TEXT    NOT NULL,
    source   TEXT    NOT NULL,                -- api | cli | console | provider | opt-out
    since_at INTEGER NOT NULL,
    until_at INTEGER,
    asked_at INTEGER,                         -- opt-outs: the latest call's own time
    call_id  INTEGER REFERENCES calls (id),   -- opt-outs: the call that began it; its confirmation may go
    PRIMARY KEY (number, channel, source)
) STRICT;
INSERT INTO suppressions_by_source (number, channel, reason, source, since_at, until_at)
SELECT number, channel, reason, source, since_at, until_at FROM suppressions;
DROP TABLE suppressions;
ALTER TABLE suppressions_by_source RENAME TO suppressions;

-- A number that somebody wants proved: it has to ring `exophone` before `expires_at`.
CREATE TABLE verifications (
    id          TEXT    NOT NULL PRIMARY KEY,  -- not to be guessed
    number      TEXT    NOT NULL,
    campaign    TEXT    NOT NULL,
    exophone    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    status      TEXT    NOT NULL,              -- pending | verified | expired
    reason      TEXT    NOT NULL,
    closed_at   INTEGER,
    call_id     INTEGER REFERENCES calls (id),
    CHECK ((status = 'pending') = (closed_at IS NULL)),
    CHECK ((status = 'verified') = (call_id IS NOT NULL))
) STRICT;
CREATE INDEX verifications_by_number ON verifications (number, campaign, created_at);
CREATE UNIQUE INDEX verifications_by_call ON verifications (call_id) WHERE call_id IS NOT NULL;
CREATE UNIQUE INDEX verifications_pending ON verifications (number, campaign) WHERE status = 'pending';
