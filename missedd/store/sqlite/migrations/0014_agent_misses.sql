-- When the earliest call was made that a callback answers, where it took the place of one for an earlier call.
ALTER TABLE actions ADD COLUMN chain_at INTEGER;

-- A callback that only rang an agent, who did not come, called nobody back: it is no wait of a caller's.
-- Who rang several times before they were called back has waited since the first of these calls.
-- No earlier release knew such a thing, so what is summed stays right.
DROP VIEW facts;
CREATE VIEW facts (source, id, campaign, at, fact) AS
    SELECT 'call', id, campaign, called_at,
           'call|' || verdict || '|' || reason || '|' || iif(shape = 'recovered', 'recovered', '')
    FROM calls WHERE campaign IS NOT NULL
UNION ALL
    SELECT 'action', a.id, c.campaign, c.called_at,
           'action|' || a.kind || '|' || a.state || '|' || coalesce(a.settled_outcome, a.outcome, '') || '|'
           || CASE WHEN a.settled_outcome IS NOT NULL THEN 'settled-by-operator'
                   WHEN a.state = 'done' THEN a.reason
                   ELSE '' END
           || '|' || iif(a.kind = 'sms', coalesce(a.code, ''), '')
           || '|' || iif(a.placed_at IS NULL, '', 'placed')
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
          AND NOT (a.outcome IS 'failed' AND a.reason IN ('agent-busy', 'agent-no-answer', 'agent-failed'))
        UNION ALL
        SELECT a.id, c.campaign, c.called_at, 'answered', max(a.answered_at - c.called_at, 0) / 100000
        FROM calls c JOIN actions a ON a.call_id = c.id
        WHERE c.campaign IS NOT NULL AND a.kind = 'callback' AND a.outcome = 'answered'
          AND a.answered_at IS NOT NULL
    )
UNION ALL
    SELECT 'lead', id, campaign, first_seen_at, iif(converted_at IS NULL, 'lead|', 'lead|converted') FROM leads
UNION ALL
    SELECT 'conversion', id, campaign, at, 'conversion' FROM conversions;
