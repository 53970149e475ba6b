-- Whose calls are in this database: the first daemon writes its account down, and another account's is refused.
CREATE TABLE database_account (
    id          bigint PRIMARY KEY CHECK (id = 1),
    account_sid text COLLATE "C" NOT NULL
);
