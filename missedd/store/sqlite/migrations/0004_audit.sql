-- What people changed by hand, and through what. Nothing in here is ever changed.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    source  TEXT    NOT NULL,                 -- api | cli | console
    peer    TEXT,                             -- the address it came from
    deed    TEXT    NOT NULL,                 -- as in `number.suppressed`
    subject TEXT    NOT NULL,                 -- the number, action, campaign … that it was done to
    details TEXT    NOT NULL DEFAULT '{}'     -- JSON object of what else was said
) STRICT;
CREATE INDEX audit_by_subject ON audit (subject);
