-- Organizations, users, buckets, API tokens and DBRP mappings: what the 2.x API manages.
--
-- Ids are unsigned 64-bit numbers whose sign bit is flipped, so that their order is kept.
-- Names may be longer than an index entry (some 2,700 bytes), and are compared as bytes: what has
-- to be unique is a SHA-256 of the name, made by the server, the same in both databases.
-- Authorizations refer to their organization and user by id only: they stay, dead, when those go.
CREATE TABLE organizations (
    id bigint CONSTRAINT organizations_id PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    name_key bytea NOT NULL CONSTRAINT organizations_name UNIQUE, -- of the trimmed name
    description text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    dbrp_changes bigint NOT NULL DEFAULT 0 -- who changes its mappings changes this, one at a time
);

CREATE TABLE users (
    id bigint CONSTRAINT users_id PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    name_key bytea NOT NULL CONSTRAINT users_name UNIQUE,
    active boolean NOT NULL
);

CREATE TABLE passwords (
    user_id bigint PRIMARY KEY CONSTRAINT passwords_user REFERENCES users (id),
    hash text COLLATE "C" NOT NULL -- PHC text
);

CREATE TABLE owners (
    user_id bigint NOT NULL CONSTRAINT owners_user REFERENCES users (id),
    kind smallint NOT NULL, -- 0: the instance, 1: an organization
    resource_id bigint NOT NULL, -- 0 for the instance
    PRIMARY KEY (user_id, kind, resource_id)
);

CREATE TABLE buckets (
    id bigint CONSTRAINT buckets_id PRIMARY KEY,
    org_id bigint NOT NULL CONSTRAINT buckets_organization REFERENCES organizations (id),
    name text COLLATE "C" NOT NULL,
    name_key bytea NOT NULL,
    kind smallint NOT NULL, -- 0: a client made it, 1: the server
    description text NOT NULL,
    policy text COLLATE "C" NOT NULL,
    retention bigint, -- nanoseconds; NULL: for ever
    shard_duration bigint NOT NULL, -- nanoseconds
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    epoch bigint NOT NULL DEFAULT 0, -- version of the last delete that ended field types
    CONSTRAINT buckets_name UNIQUE (org_id, name_key)
);
CREATE INDEX buckets_epoch ON buckets (epoch);

-- Buckets that are gone but have left points behind: their ids are not given again until then.
CREATE TABLE deleted_buckets (
    id bigint PRIMARY KEY,
    version bigint NOT NULL, -- the transaction that deleted it
    retired boolean NOT NULL DEFAULT false -- nothing of it lives any more
);

CREATE TABLE authorizations (
    id bigint CONSTRAINT authorizations_id PRIMARY KEY,
    org_id bigint NOT NULL,
    user_id bigint NOT NULL,
    active boolean NOT NULL,
    description text NOT NULL,
    permissions text NOT NULL, -- JSON
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    token_digest text COLLATE "C" CONSTRAINT authorizations_token_digest UNIQUE -- PHC text
);

CREATE TABLE dbrps (
    id bigint CONSTRAINT dbrps_id PRIMARY KEY,
    org_id bigint NOT NULL CONSTRAINT dbrps_organization REFERENCES organizations (id),
    bucket_id bigint NOT NULL CONSTRAINT dbrps_bucket REFERENCES buckets (id),
    database text COLLATE "C" NOT NULL,
    database_key bytea NOT NULL,
    policy text COLLATE "C" NOT NULL,
    policy_key bytea NOT NULL,
    is_default boolean NOT NULL,
    CONSTRAINT dbrps_names UNIQUE (org_id, database_key, policy_key)
);
CREATE UNIQUE INDEX dbrps_one_default ON dbrps (org_id, database_key) WHERE is_default;
CREATE INDEX dbrps_bucket_id ON dbrps (bucket_id);
