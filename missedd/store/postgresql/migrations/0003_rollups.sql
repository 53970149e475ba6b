-- Facts of rows, summed by stretches of time. `missedd.store.rollups` says what the sums mean.
CREATE VIEW facts (source, id, campaign, at, fact) AS
    SELECT 'call', id, campaign, called_at,
           'call|' || verdict || '|' || reason || '|' || CASE WHEN shape = 'recovered' THEN 'recovered' ELSE '' END
    FROM calls WHERE campaign IS NOT NULL
UNION ALL
    SELECT 'action', a.id, c.campaign, c.called_at,
           'action|' || a.kind || '|' || a.state || '|' || coalesce(a.settled_outcome, a.outcome, '') || '|'
           || CASE WHEN a.settled_outcome IS NOT NULL THEN 'settled-by-operator'
                   WHEN a.state = 'done' THEN a.reason
                   ELSE '' END
           || '|' || CASE WHEN a.kind = 'sms' THEN coalesce(a.code, '') ELSE '' END
           || '|' || CASE WHEN a.placed_at IS NULL THEN '' ELSE 'placed' END
    FROM calls c JOIN actions a ON a.call_id = c.id WHERE c.campaign IS NOT NULL
UNION ALL
    SELECT 'action', id, campaign, called_at, what || '|' ||
           CASE WHEN late < 64 THEN late
                WHEN late < 128 THEN late - late % 2
                WHEN late < 256 THEN late - late % 4
                WHEN late < 512 THEN late - late % 8
                WHEN late < 1024 THEN late - late % 16
                WHEN late < 2048 THEN late - late % 32
                WHEN late < 4096 THEN late - late % 64
                WHEN late < 8192 THEN late - late % 128
                WHEN late < 16384 THEN late - late % 256
                WHEN late < 32768 THEN late - late % 512
                WHEN late < 65536 THEN late - late % 1024
                WHEN late < 131072 THEN late - late % 2048
                WHEN late < 262144 THEN late - late % 4096
                WHEN late < 524288 THEN late - late % 8192
                WHEN late < 1048576 THEN late - late % 16384
                WHEN late < 2097152 THEN late - late % 32768
                WHEN late < 4194304 THEN late - late % 65536
                WHEN late < 8388608 THEN late - late % 131072
                ELSE 8388608 END
    FROM (
        SELECT a.id, c.campaign, c.called_at, 'called-back' AS what,
               max(a.placed_at - coalesce(a.chain_at, c.called_at), 0) / 100000 AS late
        FROM calls c JOIN actions a ON a.call_id = c.id
        WHERE c.campaign IS NOT NULL AND a.kind = 'callback' AND a.retry_index = 0
          AND a.placed_at IS NOT NULL
          AND NOT (a.outcome IS NOT DISTINCT FROM 'failed'
                   AND a.reason IN ('agent-busy', 'agent-no-answer', 'agent-failed'))
        UNION ALL
        SELECT a.id, c.campaign, c.called_at, 'answered', max(a.answered_at - c.called_at, 0) / 100000
        FROM calls c JOIN actions a ON a.call_id = c.id
        WHERE c.campaign IS NOT NULL AND a.kind = 'callback' AND a.outcome = 'answered'
          AND a.answered_at IS NOT NULL
    ) waits
UNION ALL
    SELECT 'lead', id, campaign, first_seen_at, CASE WHEN converted_at IS NULL THEN 'lead|' ELSE 'lead|converted' END
    FROM leads
UNION ALL
    SELECT 'conversion', id, campaign, at, 'conversion' FROM conversions;

-- How far the sums reach; one row.
CREATE TABLE summary (
    id              bigint PRIMARY KEY CHECK (id = 1),
    width_us        bigint NOT NULL,
    phase_us        bigint NOT NULL,
    until_at        bigint NOT NULL,
    last_call       bigint NOT NULL DEFAULT 0,
    last_action     bigint NOT NULL DEFAULT 0,
    last_lead       bigint NOT NULL DEFAULT 0,
    last_conversion bigint NOT NULL DEFAULT 0,
    callers         bigint NOT NULL DEFAULT 0    -- how many ids they have been given
) WITH (fillfactor = 20);

-- Time in stretches, each with what was summed at once: some hundred calls. Each ends where the next
-- begins, the last at `until_at`. 32 of them make a bucket of the second level, 1,024 one of the third.
CREATE TABLE stretches (number bigint PRIMARY KEY, since_at bigint NOT NULL UNIQUE);
CREATE TABLE levels (level bigint PRIMARY KEY, stretches bigint NOT NULL);
INSERT INTO levels VALUES (0, 1), (1, 32), (2, 1024);

CREATE TABLE figures (
    campaign text COLLATE "C" NOT NULL,
    level    bigint NOT NULL,
    bucket   bigint NOT NULL,
    fact     text COLLATE "C" NOT NULL,
    n        bigint NOT NULL,
    PRIMARY KEY (campaign, level, bucket, fact)
) WITH (fillfactor = 80);

-- Missed calls by hour: what every figure by time of day is made of.
CREATE TABLE call_hours (
    campaign text COLLATE "C" NOT NULL,
    level    bigint NOT NULL,
    bucket   bigint NOT NULL,
    hour     bigint NOT NULL,
    n        bigint NOT NULL,
    PRIMARY KEY (campaign, level, bucket, hour)
) WITH (fillfactor = 80);

-- What has changed of facts since they were summed, until it is put into the sums: 1 for a fact that became
-- true, -1 for one that was.
CREATE TABLE late_facts (
    campaign text COLLATE "C" NOT NULL,
    stretch  bigint NOT NULL,
    hour     bigint NOT NULL,
    fact     text COLLATE "C" NOT NULL,
    n        bigint NOT NULL
);

-- Who rang, as sets of small ids, so that the callers of any period are a union of few sets. Above the
-- first level a set is made once all of its stretches are there.
CREATE TABLE callers (number text COLLATE "C" PRIMARY KEY, caller_id bigint NOT NULL);
CREATE TABLE caller_sets (
    id       bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    campaign text COLLATE "C" NOT NULL,
    level    bigint NOT NULL,
    bucket   bigint NOT NULL,
    callers  bytea NOT NULL,                  -- a portable Roaring bitmap
    UNIQUE (campaign, level, bucket)
);
-- Those of summed calls that were decided anew, until they are put into their set.
CREATE TABLE late_callers (
    campaign text COLLATE "C" NOT NULL,
    stretch  bigint NOT NULL,
    number   text COLLATE "C" NOT NULL,
    PRIMARY KEY (campaign, stretch, number)
);

-- Whoever changes a row asks whether it is summed. Meanwhile nobody may sum it: a sum that was made of the old
-- row and committed after this question would stay wrong. So those who change rows share a lock, and who sums
-- has it alone. The row of `summary` is read by a statement of its own after the lock, which sees what was
-- committed before it.
CREATE FUNCTION summed() RETURNS summary LANGUAGE plpgsql AS $$
DECLARE
    reached summary;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('rollups', 0));
    SELECT * INTO reached FROM summary;
    RETURN reached;
END $$;

CREATE FUNCTION note_facts(the_source text, the_id bigint, sign bigint, reached summary) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO late_facts (campaign, stretch, hour, fact, n)
    SELECT f.campaign, (SELECT number FROM stretches WHERE since_at <= f.at ORDER BY since_at DESC LIMIT 1),
           (f.at - reached.phase_us) / reached.width_us, f.fact, sign
    FROM facts f WHERE f.source = the_source AND f.id = the_id AND f.at < reached.until_at;
END $$;

-- Each of these runs before the change, for the facts that were, and after it, for those that are.
CREATE FUNCTION note_action() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached summary := summed();
BEGIN
    IF OLD.id <= reached.last_action
       AND (SELECT called_at FROM calls WHERE id = OLD.call_id) < reached.until_at THEN
        PERFORM note_facts('action', OLD.id, CASE TG_WHEN WHEN 'BEFORE' THEN -1 ELSE 1 END, reached);
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION note_lead() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached summary := summed();
BEGIN
    IF OLD.id <= reached.last_lead THEN
        PERFORM note_facts('lead', OLD.id, CASE TG_WHEN WHEN 'BEFORE' THEN -1 ELSE 1 END, reached);
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION note_call() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached summary := summed();
BEGIN
    IF OLD.id <= reached.last_call THEN
        PERFORM note_facts('call', OLD.id, CASE TG_WHEN WHEN 'BEFORE' THEN -1 ELSE 1 END, reached);
        IF TG_WHEN = 'AFTER' AND NEW.campaign IS NOT NULL AND NEW.caller IS NOT NULL
           AND NEW.called_at < reached.until_at
           AND NEW.verdict IN ('accepted', 'duplicate', 'suppressed', 'no-caller-id') THEN
            INSERT INTO late_callers (campaign, stretch, number)
            SELECT NEW.campaign, number, NEW.caller FROM stretches
            WHERE since_at <= NEW.called_at ORDER BY since_at DESC LIMIT 1
            ON CONFLICT (campaign, stretch, number) DO NOTHING;
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER actions_leave
BEFORE UPDATE OF state, outcome, settled_outcome, reason, code, placed_at, answered_at ON actions FOR EACH ROW
WHEN ((OLD.state, OLD.outcome, OLD.settled_outcome, OLD.reason, OLD.code, OLD.placed_at, OLD.answered_at)
      IS DISTINCT FROM
      (NEW.state, NEW.outcome, NEW.settled_outcome, NEW.reason, NEW.code, NEW.placed_at, NEW.answered_at))
EXECUTE FUNCTION note_action();
CREATE TRIGGER actions_enter
AFTER UPDATE OF state, outcome, settled_outcome, reason, code, placed_at, answered_at ON actions FOR EACH ROW
WHEN ((OLD.state, OLD.outcome, OLD.settled_outcome, OLD.reason, OLD.code, OLD.placed_at, OLD.answered_at)
      IS DISTINCT FROM
      (NEW.state, NEW.outcome, NEW.settled_outcome, NEW.reason, NEW.code, NEW.placed_at, NEW.answered_at))
EXECUTE FUNCTION note_action();

CREATE TRIGGER leads_leave
BEFORE UPDATE OF campaign, first_seen_at, converted_at ON leads FOR EACH ROW
WHEN ((OLD.campaign, OLD.first_seen_at, OLD.converted_at IS NULL)
      IS DISTINCT FROM (NEW.campaign, NEW.first_seen_at, NEW.converted_at IS NULL))
EXECUTE FUNCTION note_lead();
CREATE TRIGGER leads_enter
AFTER UPDATE OF campaign, first_seen_at, converted_at ON leads FOR EACH ROW
WHEN ((OLD.campaign, OLD.first_seen_at, OLD.converted_at IS NULL)
      IS DISTINCT FROM (NEW.campaign, NEW.first_seen_at, NEW.converted_at IS NULL))
EXECUTE FUNCTION note_lead();

-- An erasure changes the caller alone, and no sum.
CREATE TRIGGER calls_leave
BEFORE UPDATE OF campaign, caller, called_at, verdict, reason, shape ON calls FOR EACH ROW
WHEN (coalesce(NEW.caller, '') NOT LIKE 'erased:%'
      OR (OLD.campaign, OLD.called_at, OLD.verdict, OLD.reason, OLD.shape)
         IS DISTINCT FROM (NEW.campaign, NEW.called_at, NEW.verdict, NEW.reason, NEW.shape))
EXECUTE FUNCTION note_call();
CREATE TRIGGER calls_enter
AFTER UPDATE OF campaign, caller, called_at, verdict, reason, shape ON calls FOR EACH ROW
WHEN (coalesce(NEW.caller, '') NOT LIKE 'erased:%'
      OR (OLD.campaign, OLD.called_at, OLD.verdict, OLD.reason, OLD.shape)
         IS DISTINCT FROM (NEW.campaign, NEW.called_at, NEW.verdict, NEW.reason, NEW.shape))
EXECUTE FUNCTION note_call();
