-- Organizations, users, buckets, API tokens and DBRP mappings: what the 2.x API manages.
--
-- Ids are unsigned 64-bit numbers whose sign bit is flipped, so that their order is kept.
-- Names may be longer than an index entry of PostgreSQL, and are compared as bytes: what has to
-- be unique is a SHA-256 of the name, made by the server, the same in both databases.
-- Authorizations refer to their organization and user by id only: they stay, dead, when those go.
CREATE TABLE organizations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    name_key BLOB NOT NULL UNIQUE, -- of the trimmed name
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    name_key BLOB NOT NULL UNIQUE,
    active INTEGER NOT NULL
) STRICT;

CREATE TABLE passwords (
    user_id INTEGER PRIMARY KEY REFERENCES users (id),
    hash TEXT NOT NULL -- PHC text
) STRICT;

CREATE TABLE owners (
    user_id INTEGER NOT NULL REFERENCES users (id),
    kind INTEGER NOT NULL, -- 0: the instance, 1: an organization
    resource_id INTEGER NOT NULL, -- 0 for the instance
    PRIMARY KEY (user_id, kind, resource_id)
) STRICT;

CREATE TABLE buckets (
    id INTEGER PRIMARY KEY,
    org_id INTEGER NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    name_key BLOB NOT NULL,
    kind INTEGER NOT NULL, -- 0: a client made it, 1: the server
    description TEXT NOT NULL,
    policy TEXT NOT NULL,
    retention INTEGER, -- nanoseconds; NULL: for ever
    shard_duration INTEGER NOT NULL, -- nanoseconds
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0, -- version of the last delete that ended field types
    UNIQUE (org_id, name_key)
) STRICT;
CREATE INDEX buckets_epoch ON buckets (epoch);

-- Buckets that are gone but have left points behind: their ids are not given again until then.
CREATE TABLE deleted_buckets (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL, -- a transaction not older than the deletion
    retired INTEGER NOT NULL DEFAULT 0 -- 1: nothing of it lives any more
) STRICT;

CREATE TABLE authorizations (
    id INTEGER PRIMARY KEY,
    org_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    active INTEGER NOT NULL,
    description TEXT NOT NULL,
    permissions TEXT NOT NULL, -- JSON
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    token_digest TEXT UNIQUE -- PHC text
) STRICT;

CREATE TABLE dbrps (
    id INTEGER PRIMARY KEY,
    org_id INTEGER NOT NULL REFERENCES organizations (id),
    bucket_id INTEGER NOT NULL REFERENCES buckets (id),
    database TEXT NOT NULL,
    database_key BLOB NOT NULL,
    policy TEXT NOT NULL,
    policy_key BLOB NOT NULL,
    is_default INTEGER NOT NULL,
    UNIQUE (org_id, database_key, policy_key)
) STRICT;
CREATE UNIQUE INDEX dbrps_one_default ON dbrps (org_id, database_key) WHERE is_default = 1;
CREATE INDEX dbrps_bucket ON dbrps (bucket_id);
