-- What several nodes on one database need. Times are the database's, by db_now_us().

-- One row for each connection that writes. Every transaction of a writer raises its `seq` first: that gives the
-- transaction its id before it takes ids for rows, and tells afterwards whether it was committed.
CREATE SEQUENCE writer_ids;
CREATE TABLE writers (
    id      bigint PRIMARY KEY,
    seq     bigint NOT NULL DEFAULT 0,
    seen_at bigint NOT NULL
) WITH (fillfactor = 10);

-- The daemons, each start a node of its own: a name that is used again would look alive.
CREATE SEQUENCE node_ids;
CREATE TABLE nodes (
    id         bigint PRIMARY KEY DEFAULT nextval('node_ids'),
    name       text COLLATE "C" NOT NULL,
    address    text COLLATE "C" NOT NULL,     -- its private listener, host:port
    version    text COLLATE "C" NOT NULL,
    config     text COLLATE "C" NOT NULL,     -- a hash of what must be equal on all nodes
    started_at bigint NOT NULL,
    seen_at    bigint NOT NULL,
    skew_us    bigint NOT NULL DEFAULT 0,     -- how far its clock is ahead of the database's
    stopped_at bigint
) WITH (fillfactor = 20);

-- Who leads; one row. A new leader raises `epoch`, which is unique so that it waits for transactions that hold
-- the row with FOR KEY SHARE; a renewal changes no key and waits for nobody.
CREATE TABLE leadership (
    id         bigint PRIMARY KEY CHECK (id = 1),
    epoch      bigint NOT NULL UNIQUE,
    node       bigint NOT NULL,               -- 0 before the first leader
    renewed_at bigint NOT NULL,
    state_json text COLLATE "C" NOT NULL DEFAULT '{}'  -- the leader's troubles and lanes, for every node's console
) WITH (fillfactor = 10);
INSERT INTO leadership (id, epoch, node, renewed_at) VALUES (1, 0, 0, 0);
