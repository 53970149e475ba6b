-- When a call that had been decided turned out to have been taken, and by what: conversation | voicemail.
ALTER TABLE calls ADD COLUMN reached_at INTEGER;
ALTER TABLE calls ADD COLUMN reached_by TEXT;
CREATE INDEX calls_reached ON calls (reached_at) WHERE reached_at IS NOT NULL;
