-- Votes of countries that a poll leaves out.
ALTER TABLE tallies ADD COLUMN foreign_votes INTEGER NOT NULL DEFAULT 0;

-- What the next start has to tell once, as it is new in a database that was in use before.
CREATE TABLE notices (name TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
INSERT INTO notices SELECT 'callers-left-out' WHERE EXISTS (SELECT 1 FROM calls);
