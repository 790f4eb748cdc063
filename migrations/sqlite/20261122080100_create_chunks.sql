-- Points: columnar chunks, and what decides how they are read.
--
-- A version is the number of a transaction that writes here. The row of store_state counts them,
-- raised in the transaction that uses it; never max(version), which falls when rows go. The same
-- row counts ids, so that no chunk ever gets the id of another one that some cache still knows.
CREATE TABLE store_state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    horizon INTEGER NOT NULL -- the greatest "died" whose row may have been removed
) STRICT;
INSERT INTO store_state (one, version, last_id, horizon) VALUES (1, 0, 0, 0);

-- Level 0: what commits wrote.
CREATE TABLE fresh_chunks (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    part INTEGER NOT NULL,
    died INTEGER,
    bucket_id INTEGER NOT NULL,
    min_time INTEGER NOT NULL,
    max_time INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    measurement BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX fresh_chunks_version ON fresh_chunks (version);
CREATE INDEX fresh_chunks_died ON fresh_chunks (died) WHERE died IS NOT NULL;

-- Levels 1 and up.
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    died INTEGER,
    level INTEGER NOT NULL,
    bucket_id INTEGER NOT NULL,
    window_start INTEGER NOT NULL,
    min_time INTEGER NOT NULL,
    max_time INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    bytes INTEGER NOT NULL, -- of head and pieces
    measurement BLOB NOT NULL,
    head BLOB NOT NULL
) STRICT;
CREATE INDEX chunks_version ON chunks (version);
CREATE INDEX chunks_died ON chunks (died) WHERE died IS NOT NULL;
CREATE INDEX chunks_bucket ON chunks (bucket_id);

CREATE TABLE chunk_pieces (
    chunk_id INTEGER NOT NULL,
    column_no INTEGER NOT NULL,
    piece_no INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (chunk_id, column_no, piece_no)
) STRICT;

-- Deletes, applied when reading until a merge makes them real.
CREATE TABLE tombstones (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    died INTEGER,
    bucket_id INTEGER NOT NULL,
    min_time INTEGER NOT NULL,
    max_time INTEGER NOT NULL,
    measurement BLOB, -- NULL: the predicate says which
    predicate BLOB NOT NULL
) STRICT;
CREATE INDEX tombstones_version ON tombstones (version);
CREATE INDEX tombstones_died ON tombstones (died) WHERE died IS NOT NULL;

CREATE TABLE shard_windows (
    bucket_id INTEGER NOT NULL,
    window_start INTEGER NOT NULL,
    window_end INTEGER NOT NULL,
    version INTEGER NOT NULL,
    died INTEGER
) STRICT;
CREATE UNIQUE INDEX shard_windows_living ON shard_windows (bucket_id, window_start) WHERE died IS NULL;
CREATE INDEX shard_windows_version ON shard_windows (version);
CREATE INDEX shard_windows_died ON shard_windows (died) WHERE died IS NOT NULL;

CREATE TABLE fields (
    bucket_id INTEGER NOT NULL,
    window_start INTEGER NOT NULL,
    key_hash BLOB NOT NULL, -- 16 bytes of a SHA-256 of measurement and name
    measurement BLOB NOT NULL,
    name BLOB NOT NULL,
    type INTEGER NOT NULL,
    version INTEGER NOT NULL,
    died INTEGER
) STRICT;
CREATE UNIQUE INDEX fields_living ON fields (bucket_id, window_start, key_hash) WHERE died IS NULL;
CREATE INDEX fields_version ON fields (version);
CREATE INDEX fields_died ON fields (died) WHERE died IS NOT NULL;
