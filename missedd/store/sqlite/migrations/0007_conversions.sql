ALTER TABLE leads ADD COLUMN contacted_at INTEGER;     -- first reached, or said so by an operator
ALTER TABLE leads ADD COLUMN callback_outcome TEXT;    -- of the latest callback that was placed, else of the latest
ALTER TABLE leads ADD COLUMN converted_at INTEGER;     -- of the conversion that came in first
ALTER TABLE leads ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;  -- when anything of it was last written
CREATE INDEX leads_by_number ON leads (number);
CREATE INDEX leads_by_update ON leads (updated_at, id);

-- What became of the leads that there are already.
UPDATE leads SET
    updated_at = last_seen_at,
    callback_outcome = (
        SELECT coalesce(a.settled_outcome, a.outcome) FROM actions a
        WHERE a.number = leads.number AND a.kind = 'callback' AND +a.campaign = leads.campaign AND a.state = 'done'
        ORDER BY a.placed_at DESC NULLS LAST, a.closed_at DESC, a.id DESC LIMIT 1),
    contacted_at = (
        SELECT min(coalesce(a.settled_at, a.closed_at)) FROM actions a
        WHERE a.number = leads.number AND a.kind = 'callback' AND +a.campaign = leads.campaign
          AND coalesce(a.settled_outcome, a.outcome) = 'answered');
UPDATE leads SET status = 'contacted' WHERE contacted_at IS NOT NULL;

-- What a lead became, as the business says; the same reference again is the same conversion.
CREATE TABLE conversions (
    id         INTEGER PRIMARY KEY,
    reference  TEXT    NOT NULL UNIQUE,
    campaign   TEXT    NOT NULL,
    number     TEXT    NOT NULL,
    call_id    INTEGER REFERENCES calls (id),
    lead_id    INTEGER REFERENCES leads (id),
    at         INTEGER NOT NULL,
    value      REAL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX conversions_by_campaign ON conversions (campaign, at);
CREATE INDEX conversions_by_number ON conversions (number);

-- The agent that a campaign rang last: the next one on duty after it is rung next.
CREATE TABLE agent_turns (
    campaign TEXT NOT NULL PRIMARY KEY,
    agent    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
