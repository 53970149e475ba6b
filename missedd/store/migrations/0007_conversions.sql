ALTER TABLE leads ADD COLUMN contacted_at INTEGER;     -- first reached by a callback, or said by an operator
ALTER TABLE leads ADD COLUMN callback_outcome TEXT;    -- of the latest callback that ended
ALTER TABLE leads ADD COLUMN converted_at INTEGER;     -- of the first conversion
CREATE INDEX leads_by_number ON leads (number, last_seen_at);

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
