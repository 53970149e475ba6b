-- Consents, one row each: who joined which list for what, and the call that is the evidence.
CREATE TABLE subscriptions (
    id            INTEGER PRIMARY KEY,
    list          TEXT    NOT NULL,
    number        TEXT    NOT NULL,
    purpose       TEXT    NOT NULL,
    campaign      TEXT    NOT NULL,
    call_id       INTEGER NOT NULL REFERENCES calls (id),
    consented_at  INTEGER NOT NULL,           -- the call's own time
    withdrawn_at  INTEGER,
    withdrawn_by  TEXT,                       -- missed-call | api | cli | console
    withdrawal_call_id INTEGER REFERENCES calls (id)
) STRICT;
CREATE UNIQUE INDEX subscriptions_in_force ON subscriptions (list, number) WHERE withdrawn_at IS NULL;
CREATE INDEX subscriptions_by_number ON subscriptions (number, list, consented_at);

-- The latest withdrawal from a list: a consent of an earlier call that is told of later is none.
CREATE TABLE withdrawals (
    list    TEXT    NOT NULL,
    number  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    by      TEXT    NOT NULL,
    call_id INTEGER,
    PRIMARY KEY (list, number)
) STRICT, WITHOUT ROWID;

-- The call by which a number opted out; the SMS that confirms it is owed for that very call.
ALTER TABLE suppressions ADD COLUMN call_id INTEGER;

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
    call_id     INTEGER REFERENCES calls (id)
) STRICT;
CREATE INDEX verifications_by_number ON verifications (number, campaign, created_at);
