-- Points: columnar chunks, and what decides how they are read.
--
-- A version is the id of the transaction that wrote a row, plus an offset that is raised when ids
-- start again after a dump and restore. Names are bytea, for they are any bytes, NUL included.
-- Bodies are compressed already: STORAGE EXTERNAL keeps PostgreSQL from trying once more.
CREATE TABLE store_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version_offset bigint NOT NULL,
    horizon bigint NOT NULL -- the greatest "died" whose row may have been removed
);
INSERT INTO store_state (version_offset, horizon) VALUES (0, 0);

-- Level 0: what commits wrote. Small and churning, so it is a table of its own: vacuum stays cheap.
CREATE TABLE fresh_chunks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version bigint NOT NULL,
    died bigint,
    bucket_id bigint NOT NULL,
    min_time bigint NOT NULL,
    max_time bigint NOT NULL,
    row_count bigint NOT NULL,
    part integer NOT NULL,
    measurement bytea NOT NULL,
    body bytea NOT NULL
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold = 500,
    vacuum_truncate = off,
    toast.vacuum_truncate = off
);
ALTER TABLE fresh_chunks
    ALTER COLUMN measurement SET STORAGE EXTERNAL,
    ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX fresh_chunks_version ON fresh_chunks (version);
CREATE INDEX fresh_chunks_died ON fresh_chunks (died) WHERE died IS NOT NULL;

-- Levels 1 and up.
CREATE TABLE chunks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version bigint NOT NULL,
    oldest bigint NOT NULL,
    newest bigint NOT NULL,
    died bigint,
    bucket_id bigint NOT NULL,
    window_start bigint NOT NULL,
    min_time bigint NOT NULL,
    max_time bigint NOT NULL,
    row_count bigint NOT NULL,
    bytes bigint NOT NULL, -- of head and pieces
    level smallint NOT NULL,
    measurement bytea NOT NULL,
    head bytea NOT NULL
);
ALTER TABLE chunks
    ALTER COLUMN measurement SET STORAGE EXTERNAL,
    ALTER COLUMN head SET STORAGE EXTERNAL;
CREATE INDEX chunks_version ON chunks (version);
CREATE INDEX chunks_died ON chunks (died) WHERE died IS NOT NULL;
CREATE INDEX chunks_bucket ON chunks (bucket_id);

CREATE TABLE chunk_pieces (
    chunk_id bigint NOT NULL,
    column_no integer NOT NULL,
    piece_no integer NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (chunk_id, column_no, piece_no)
);
ALTER TABLE chunk_pieces ALTER COLUMN data SET STORAGE EXTERNAL;

-- Deletes, applied when reading until a merge makes them real.
CREATE TABLE tombstones (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version bigint NOT NULL,
    died bigint,
    bucket_id bigint NOT NULL,
    min_time bigint NOT NULL,
    max_time bigint NOT NULL,
    measurement bytea, -- NULL: the predicate says which
    predicate bytea NOT NULL
);
ALTER TABLE tombstones
    ALTER COLUMN measurement SET STORAGE EXTERNAL,
    ALTER COLUMN predicate SET STORAGE EXTERNAL;
CREATE INDEX tombstones_version ON tombstones (version);
CREATE INDEX tombstones_died ON tombstones (died) WHERE died IS NOT NULL;

CREATE TABLE shard_windows (
    bucket_id bigint NOT NULL,
    window_start bigint NOT NULL,
    window_end bigint NOT NULL,
    version bigint NOT NULL,
    died bigint
);
CREATE UNIQUE INDEX shard_windows_living ON shard_windows (bucket_id, window_start) WHERE died IS NULL;
CREATE INDEX shard_windows_version ON shard_windows (version);
CREATE INDEX shard_windows_died ON shard_windows (died) WHERE died IS NOT NULL;

CREATE TABLE fields (
    bucket_id bigint NOT NULL,
    window_start bigint NOT NULL,
    version bigint NOT NULL,
    died bigint,
    type smallint NOT NULL,
    key_hash bytea NOT NULL, -- 16 bytes of a SHA-256 of measurement and name
    measurement bytea NOT NULL,
    name bytea NOT NULL
);
ALTER TABLE fields
    ALTER COLUMN measurement SET STORAGE EXTERNAL,
    ALTER COLUMN name SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX fields_living ON fields (bucket_id, window_start, key_hash) WHERE died IS NULL;
CREATE INDEX fields_version ON fields (version);
CREATE INDEX fields_died ON fields (died) WHERE died IS NOT NULL;
