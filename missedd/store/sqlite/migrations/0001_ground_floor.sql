-- Instants are whole microseconds since 1970 UTC; names end in _at. Numbers are E.164.

-- Every inbound call that was understood, decided once; the received fields stay, so that a call
-- can be decided again.
CREATE TABLE calls (
    id           INTEGER PRIMARY KEY,
    call_sid     TEXT    NOT NULL UNIQUE,
    campaign     TEXT,
    caller       TEXT,
    exophone     TEXT,
    called_at    INTEGER NOT NULL,            -- what the delay runs from
    received_at  INTEGER NOT NULL,
    verdict      TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    shape        TEXT    NOT NULL,            -- native | passthru
    redeliveries INTEGER NOT NULL DEFAULT 0,  -- how often Exotel delivered it again
    fields       TEXT    NOT NULL             -- JSON object of the received fields
) STRICT;
CREATE INDEX calls_by_caller ON calls (caller, campaign, called_at);
CREATE INDEX calls_by_campaign ON calls (campaign, called_at);
CREATE INDEX calls_by_time ON calls (called_at);

-- One thing owed. `wake_at` is the next instant at which the daemon must look at it: its due time
-- while planned or held, its next look-up while attempting or placed; NULL when it is done, and
-- while its request is in flight.
CREATE TABLE actions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: it is in status report URLs
    call_id     INTEGER NOT NULL REFERENCES calls (id),
    kind        TEXT    NOT NULL,
    campaign    TEXT    NOT NULL,
    number      TEXT    NOT NULL,             -- whom it contacts, or whom it concerns
    exophone    TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    outcome     TEXT,
    reason      TEXT    NOT NULL,
    plan        TEXT    NOT NULL,             -- open | after-hours
    retry_index INTEGER NOT NULL DEFAULT 0,   -- unanswered callbacks before this one
    origin_id   INTEGER REFERENCES actions (id),  -- the action that this one repeats
    base_at     INTEGER NOT NULL,             -- what the delay and give_up_after run from
    due_at      INTEGER NOT NULL,
    expires_at  INTEGER,
    wake_at     INTEGER,
    placed_at   INTEGER,                      -- when its request went out, unless it surely reached nobody
    provider_sid TEXT,
    looks       INTEGER NOT NULL DEFAULT 0,   -- look-ups made of what became of it
    details     TEXT    NOT NULL DEFAULT '{}',-- JSON object of what only this kind has
    created_at  INTEGER NOT NULL,
    closed_at   INTEGER,
    CHECK ((state = 'done') = (outcome IS NOT NULL)),
    CHECK (state != 'done' OR wake_at IS NULL)
) STRICT;
CREATE INDEX actions_by_call ON actions (call_id);
CREATE INDEX actions_by_wake ON actions (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX actions_open ON actions (state) WHERE state != 'done';
CREATE INDEX actions_by_number ON actions (number, kind, due_at);
CREATE INDEX actions_by_sid ON actions (provider_sid) WHERE provider_sid IS NOT NULL;
CREATE INDEX actions_by_campaign ON actions (campaign, kind, created_at);

-- One request to a provider or to the application. Written before the request goes out; `result`
-- stays NULL until the answer is known.
CREATE TABLE attempts (
    id           INTEGER PRIMARY KEY,
    action_id    INTEGER NOT NULL REFERENCES actions (id),
    number       INTEGER NOT NULL,            -- from 1
    started_at   INTEGER NOT NULL,
    finished_at  INTEGER,
    result       TEXT,                        -- accepted | refused | unknown
    code         TEXT,                        -- the provider's status or error code
    reason       TEXT,
    provider_sid TEXT,
    message      TEXT,                        -- the provider's words, for people
    UNIQUE (action_id, number)
) STRICT;
CREATE INDEX attempts_by_start ON attempts (started_at);

-- Status reports as they came, with what each one changed.
CREATE TABLE reports (
    id           INTEGER PRIMARY KEY,
    action_id    INTEGER,
    provider_sid TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    status       TEXT    NOT NULL,
    code         TEXT,
    source       TEXT    NOT NULL,            -- report | look-up
    effect       TEXT    NOT NULL,            -- applied | ignored, and why
    fields       TEXT    NOT NULL
) STRICT;
CREATE INDEX reports_by_action ON reports (action_id);

-- One person and campaign, whatever spelling of the number arrived.
CREATE TABLE leads (
    id            INTEGER PRIMARY KEY,
    campaign      TEXT    NOT NULL,
    number        TEXT    NOT NULL,
    source        TEXT    NOT NULL,
    status        TEXT    NOT NULL DEFAULT 'new',
    first_seen_at INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    count         INTEGER NOT NULL,           -- missed calls, duplicates included
    first_call_id INTEGER NOT NULL REFERENCES calls (id),
    UNIQUE (campaign, number)
) STRICT;

-- Who must not be contacted. What an operator's texting route may not reach (SMS on the DND
-- register) may still be rung when the person asks for it, hence the channel.
CREATE TABLE suppressions (
    number   TEXT    NOT NULL,
    channel  TEXT    NOT NULL DEFAULT 'all',  -- all | sms
    reason   TEXT    NOT NULL,
    source   TEXT    NOT NULL,                -- api | cli | provider
    since_at INTEGER NOT NULL,
    until_at INTEGER,
    PRIMARY KEY (number, channel)
) STRICT;
