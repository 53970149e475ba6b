-- The tables of SQLite's migrations 1 to 20. Instants are whole microseconds since 1970 UTC; names end in _at.
-- Numbers are E.164. Texts are compared byte by byte, as in SQLite, whatever the language of the database.

-- Ids come in blocks of 32: whoever gets 65 may use 65 to 96. A transaction takes its blocks after it has its
-- transaction id, on which the watermarks of the rollups rely.
CREATE SEQUENCE call_ids INCREMENT BY 32;
CREATE SEQUENCE action_ids INCREMENT BY 32;
CREATE SEQUENCE conversion_ids INCREMENT BY 32;

-- Every inbound call that was understood, decided once; the received fields stay, so that a call
-- can be decided again.
CREATE TABLE calls (
    id           bigint PRIMARY KEY DEFAULT nextval('call_ids'),
    call_sid     text COLLATE "C" NOT NULL UNIQUE,
    campaign     text COLLATE "C",
    caller       text COLLATE "C",
    exophone     text COLLATE "C",
    called_at    bigint NOT NULL,             -- what the delay runs from
    received_at  bigint NOT NULL,
    verdict      text COLLATE "C" NOT NULL,
    reason       text COLLATE "C" NOT NULL,
    shape        text COLLATE "C" NOT NULL,   -- native | passthru | recovered
    redeliveries bigint NOT NULL DEFAULT 0,   -- how often Exotel delivered it again
    fields       text COLLATE "C" NOT NULL,   -- JSON object of the received fields
    reached_at   bigint,                      -- when a decided call turned out to have been taken
    reached_by   text COLLATE "C"             -- conversation | voicemail
);
CREATE INDEX calls_by_caller ON calls (caller, campaign, called_at);
CREATE INDEX calls_by_campaign ON calls (campaign, called_at, id);
CREATE INDEX calls_by_time ON calls (called_at, id);
CREATE INDEX calls_recovered ON calls (campaign, called_at) WHERE shape = 'recovered';
CREATE INDEX calls_reached ON calls (reached_at) WHERE reached_at IS NOT NULL;

-- One thing owed. `wake_at` is the next instant at which the leader must look at it: its due time
-- while planned or held, its next look-up while attempting or placed; NULL when it is done, and
-- while its request is in flight.
CREATE TABLE actions (
    id          bigint PRIMARY KEY DEFAULT nextval('action_ids'),
    call_id     bigint NOT NULL REFERENCES calls (id),
    kind        text COLLATE "C" NOT NULL,
    campaign    text COLLATE "C" NOT NULL,
    number      text COLLATE "C" NOT NULL,    -- whom it contacts, or whom it concerns
    exophone    text COLLATE "C" NOT NULL,
    state       text COLLATE "C" NOT NULL,
    outcome     text COLLATE "C",
    reason      text COLLATE "C" NOT NULL,
    plan        text COLLATE "C" NOT NULL,    -- open | after-hours
    retry_index bigint NOT NULL DEFAULT 0,    -- unanswered callbacks before this one
    origin_id   bigint REFERENCES actions (id),  -- the action that this one repeats
    base_at     bigint NOT NULL,              -- what the delay and give_up_after run from
    due_at      bigint NOT NULL,
    expires_at  bigint,
    wake_at     bigint,
    placed_at   bigint,                       -- when its request went out, unless it surely reached nobody
    provider_sid text COLLATE "C",
    looks       bigint NOT NULL DEFAULT 0,    -- look-ups made of what became of it
    details     text COLLATE "C" NOT NULL DEFAULT '{}',  -- JSON object of what only this kind has
    created_at  bigint NOT NULL,
    closed_at   bigint,
    settled_outcome text COLLATE "C",         -- what an operator found out about one that ended as `unknown`
    settled_at  bigint,
    settled_note text COLLATE "C",
    answered_at bigint,                       -- when the customer answered, as exactly as the provider told it
    code        text COLLATE "C",             -- the provider's, with which an SMS ended
    chain_at    bigint,                       -- the earliest call that a callback answers, if it took over others
    busy_until  bigint,                       -- when its call is surely over
    ended_at    bigint,                       -- when its call was over, as far as the provider told
    CHECK ((state = 'done') = (outcome IS NOT NULL)),
    CHECK (state != 'done' OR wake_at IS NULL)
) WITH (fillfactor = 80);
CREATE INDEX actions_by_call ON actions (call_id);
CREATE INDEX actions_by_wake ON actions (wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX actions_open ON actions (state, id) WHERE state != 'done';
CREATE INDEX actions_by_number ON actions (number, kind, due_at);
CREATE INDEX actions_by_sid ON actions (provider_sid) WHERE provider_sid IS NOT NULL;
CREATE INDEX actions_by_campaign ON actions (campaign, kind, created_at);
CREATE INDEX actions_parked ON actions (id) WHERE kind = 'webhook' AND outcome IN ('failed', 'refused');
CREATE INDEX actions_unknown ON actions (id) WHERE outcome = 'unknown' AND settled_outcome IS NULL;
CREATE INDEX actions_misconfigured ON actions (closed_at, campaign, code) WHERE reason = 'sms-misconfigured';
CREATE INDEX callbacks_going_on ON actions (number, campaign, (details ->> 'agent'))
WHERE kind = 'callback' AND state IN ('attempting', 'placed');
CREATE INDEX callbacks_unknown ON actions (busy_until)
WHERE outcome = 'unknown' AND settled_outcome IS NULL AND kind = 'callback';
CREATE INDEX callbacks_waiting ON actions (reason, number, campaign)
WHERE kind = 'callback' AND state = 'held'
  AND reason IN (
    'caller-being-rung', 'agent-busy', 'calls-at-once', 'channels-busy', 'agent-no-answer', 'agent-failed');
CREATE INDEX actions_stalled ON actions (kind, due_at)
WHERE state = 'held' AND reason IN ('provider-unreachable', 'provider-auth', 'account-problem');

-- One request to a provider or to the application. Written before the request goes out; `result`
-- stays NULL until the answer is known.
CREATE TABLE attempts (
    id           bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    action_id    bigint NOT NULL REFERENCES actions (id),
    number       bigint NOT NULL,             -- from 1
    started_at   bigint NOT NULL,
    finished_at  bigint,
    result       text COLLATE "C",            -- accepted | refused | unknown
    code         text COLLATE "C",            -- the provider's status or error code
    reason       text COLLATE "C",
    provider_sid text COLLATE "C",
    message      text COLLATE "C",            -- the provider's words, for people
    UNIQUE (action_id, number)
);
CREATE INDEX attempts_by_start ON attempts (started_at);

-- Status reports as they came, with what each one changed.
CREATE TABLE reports (
    id           bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    action_id    bigint,
    provider_sid text COLLATE "C" NOT NULL,
    received_at  bigint NOT NULL,
    status       text COLLATE "C" NOT NULL,
    code         text COLLATE "C",
    source       text COLLATE "C" NOT NULL,   -- report | look-up
    effect       text COLLATE "C" NOT NULL,   -- applied | ignored, and why
    fields       text COLLATE "C" NOT NULL
);
CREATE INDEX reports_by_action ON reports (action_id, id);

-- One person and campaign, whatever spelling of the number arrived.
CREATE TABLE leads (
    id            bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    campaign      text COLLATE "C" NOT NULL,
    number        text COLLATE "C" NOT NULL,
    source        text COLLATE "C" NOT NULL,
    status        text COLLATE "C" NOT NULL DEFAULT 'new',
    first_seen_at bigint NOT NULL,
    last_seen_at  bigint NOT NULL,
    count         bigint NOT NULL,            -- missed calls, duplicates included
    first_call_id bigint NOT NULL REFERENCES calls (id),
    contacted_at  bigint,                     -- first reached, or said so by an operator
    callback_outcome text COLLATE "C",        -- of the latest callback that was placed, else of the latest
    converted_at  bigint,                     -- of the conversion that came in first
    updated_at    bigint NOT NULL DEFAULT 0,  -- when anything of it was last written
    UNIQUE (campaign, number)
) WITH (fillfactor = 80);
CREATE INDEX leads_by_number ON leads (number);
CREATE INDEX leads_by_update ON leads (updated_at, id);
CREATE INDEX leads_by_campaign ON leads (campaign, first_seen_at);

-- What a lead became, as the business says; the same reference again is the same conversion.
CREATE TABLE conversions (
    id         bigint PRIMARY KEY DEFAULT nextval('conversion_ids'),
    reference  text COLLATE "C" NOT NULL UNIQUE,
    campaign   text COLLATE "C" NOT NULL,
    number     text COLLATE "C" NOT NULL,
    call_id    bigint REFERENCES calls (id),
    lead_id    bigint REFERENCES leads (id),
    at         bigint NOT NULL,
    value      double precision,
    created_at bigint NOT NULL
);
CREATE INDEX conversions_by_campaign ON conversions (campaign, at);
CREATE INDEX conversions_by_number ON conversions (number);

-- Who must not be contacted, and what about. A suppression stands by its source: what one of them lifts or lets
-- run out, another may still want.
CREATE TABLE suppressions (
    number   text COLLATE "C" NOT NULL,             -- or the beginning of several, with an asterisk: +232*
    channel  text COLLATE "C" NOT NULL DEFAULT 'all',  -- all | sms | calls
    class    text COLLATE "C" NOT NULL DEFAULT '',  -- of SMS: promotional | sender | takes-no-sms; empty for all
    sender   text COLLATE "C" NOT NULL DEFAULT '',  -- of the class sender
    reason   text COLLATE "C" NOT NULL,
    source   text COLLATE "C" NOT NULL,             -- api | cli | console | provider | opt-out
    since_at bigint NOT NULL,
    until_at bigint,
    asked_at bigint,                          -- opt-outs: the latest call's own time
    call_id  bigint REFERENCES calls (id),    -- opt-outs: the call that began it; its confirmation may go
    PRIMARY KEY (number, channel, class, sender, source)
);
CREATE INDEX suppressed_prefixes ON suppressions (number) WHERE number != rtrim(number, '*');

-- Every call that joined a list, with itself as the evidence. `standing` says what it is worth by all
-- that is known to have been said, each by its own time; it changes when an earlier call is told of
-- later. What is `repeated` found a consent in force and is none of its own.
CREATE TABLE subscriptions (
    id            bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    list          text COLLATE "C" NOT NULL,
    number        text COLLATE "C" NOT NULL,
    purpose       text COLLATE "C" NOT NULL,
    campaign      text COLLATE "C" NOT NULL,
    call_id       bigint NOT NULL REFERENCES calls (id),
    consented_at  bigint NOT NULL,            -- the call's own time
    standing      text COLLATE "C" NOT NULL,  -- in-force | withdrawn | repeated
    withdrawn_at  bigint,
    withdrawn_by  text COLLATE "C",           -- missed-call | api | cli | console
    withdrawal_call_id bigint REFERENCES calls (id),
    CHECK ((standing = 'withdrawn') = (withdrawn_at IS NOT NULL))
);
CREATE UNIQUE INDEX subscriptions_in_force ON subscriptions (list, number) WHERE standing = 'in-force';
CREATE INDEX subscriptions_by_number ON subscriptions (number, list, consented_at);
CREATE INDEX subscriptions_by_list ON subscriptions (list, id) WHERE standing != 'repeated';

-- Every word that a number leaves a list, whether it found a consent or not: a call that joined before
-- it may be told of later.
CREATE TABLE withdrawals (
    id      bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    list    text COLLATE "C" NOT NULL,
    number  text COLLATE "C" NOT NULL,
    at      bigint NOT NULL,
    by      text COLLATE "C" NOT NULL,
    call_id bigint REFERENCES calls (id)
);
CREATE INDEX withdrawals_by_number ON withdrawals (number, list, at);

-- A number that somebody wants proved: it has to ring `exophone` before `expires_at`.
CREATE TABLE verifications (
    id          text COLLATE "C" PRIMARY KEY,  -- not to be guessed
    number      text COLLATE "C" NOT NULL,
    campaign    text COLLATE "C" NOT NULL,
    exophone    text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL,
    expires_at  bigint NOT NULL,
    status      text COLLATE "C" NOT NULL,    -- pending | verified | expired
    reason      text COLLATE "C" NOT NULL,
    closed_at   bigint,
    call_id     bigint REFERENCES calls (id),
    CHECK ((status = 'pending') = (closed_at IS NULL)),
    CHECK ((status = 'verified') = (call_id IS NOT NULL))
);
CREATE INDEX verifications_by_number ON verifications (number, campaign, created_at);
CREATE UNIQUE INDEX verifications_by_call ON verifications (call_id) WHERE call_id IS NOT NULL;
CREATE UNIQUE INDEX verifications_pending ON verifications (number, campaign) WHERE status = 'pending';

-- Every vote that came in, counted or not. `standing` says whether it counts, by the rules of its
-- poll and all votes of its number that are known; it changes when an earlier call is told of later.
CREATE TABLE votes (
    poll      text COLLATE "C" NOT NULL,
    number    text COLLATE "C" NOT NULL,
    standing  text COLLATE "C" NOT NULL,      -- counted | surplus | replaced | early | late | foreign
    called_at bigint NOT NULL,
    call_sid  text COLLATE "C" NOT NULL,
    option    text COLLATE "C" NOT NULL,
    PRIMARY KEY (poll, number, standing, called_at, call_sid)
);

-- How many votes there are for each option: kept as votes come in, never counted anew to be shown. Each of 64
-- places has a row of its own, and a tally is the sum of them. Connections that write at once have different
-- places as a rule, so that none waits for another one's commit.
CREATE TABLE tallies (
    poll     text COLLATE "C" NOT NULL,
    option   text COLLATE "C" NOT NULL,
    place    bigint NOT NULL DEFAULT pg_backend_pid() % 64,
    votes    bigint NOT NULL DEFAULT 0,       -- those that count; the others by their standing
    surplus  bigint NOT NULL DEFAULT 0,
    replaced bigint NOT NULL DEFAULT 0,
    early    bigint NOT NULL DEFAULT 0,
    late     bigint NOT NULL DEFAULT 0,
    foreign_votes bigint NOT NULL DEFAULT 0,  -- of countries that the poll leaves out
    PRIMARY KEY (poll, option, place)
) WITH (fillfactor = 20);

-- The rules by which the standings above were made; a poll whose rules have changed is counted again.
CREATE TABLE poll_rules (
    poll  text COLLATE "C" PRIMARY KEY,
    rules text COLLATE "C" NOT NULL           -- JSON
);

-- What people changed by hand, and through what. Nothing in here is ever changed.
CREATE TABLE audit (
    id      bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at      bigint NOT NULL,
    source  text COLLATE "C" NOT NULL,        -- api | cli | console
    peer    text COLLATE "C",                 -- the address it came from
    deed    text COLLATE "C" NOT NULL,        -- as in `number.suppressed`
    subject text COLLATE "C" NOT NULL,        -- the number, action, campaign … that it was done to
    details text COLLATE "C" NOT NULL DEFAULT '{}'  -- JSON object of what else was said
);
CREATE INDEX audit_by_subject ON audit (subject, id);

-- Numbers that were replaced by a pseudonym.
CREATE TABLE erasures (
    id    bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at    bigint NOT NULL,
    cause text COLLATE "C" NOT NULL           -- operator | retention
);

-- Stretches in which a campaign contacts nobody, by an operator's word. In force while `ended_at` is
-- NULL and `until_at` is not over.
CREATE TABLE pauses (
    id       bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    campaign text COLLATE "C" NOT NULL,
    since_at bigint NOT NULL,
    until_at bigint,
    why      text COLLATE "C" NOT NULL,
    source   text COLLATE "C" NOT NULL,
    peer     text COLLATE "C",
    ended_at bigint
);
CREATE INDEX pauses_in_force ON pauses (campaign) WHERE ended_at IS NULL;

-- The agent that a campaign rang last: the next one on duty after it is rung next.
CREATE TABLE agent_turns (
    campaign text COLLATE "C" PRIMARY KEY,
    agent    text COLLATE "C" NOT NULL
);

-- Agents who did not take their latest call; an answer ends the row.
CREATE TABLE agent_misses (
    agent       text COLLATE "C" PRIMARY KEY, -- E.164
    in_a_row    bigint NOT NULL,
    rests_until bigint NOT NULL,
    reason      text COLLATE "C" NOT NULL     -- of the latest miss
);

-- Each time that a backup took the place of the database. While `released_at` is NULL nothing that
-- is owed for a call from before `restored_at` is sent: it may have been sent since the backup.
CREATE TABLE restores (
    id          bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    restored_at bigint NOT NULL,
    released_at bigint,
    dropped     bigint NOT NULL DEFAULT 0     -- 1 where the operator dropped what was waiting
);

-- How far the provider's list of incoming calls has been read; one row.
CREATE TABLE catch_up (
    id            bigint PRIMARY KEY CHECK (id = 1),
    since_at      bigint NOT NULL,            -- calls before it were nobody's to serve
    covered_until bigint NOT NULL             -- whoever rang before it is known
);

-- Until when time has surely passed, whatever the clock shows; one row. Retention counts from it.
CREATE TABLE past (
    id          bigint PRIMARY KEY CHECK (id = 1),
    until_at    bigint NOT NULL,
    latest_call bigint NOT NULL               -- the latest time that a call had told of itself by then
);

-- What the next start has to tell once, as it is new in a database that was in use before.
CREATE TABLE notices (name text COLLATE "C" PRIMARY KEY);
