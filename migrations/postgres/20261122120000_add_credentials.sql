-- 1.x users and sessions beside API tokens, owners and members of whatever, labels and secrets; and
-- the indexes that make a page of a list cost the same however long the list is.
--
-- Columns that hold digests, hashes or secrets are not sampled: ANALYZE would keep copies of their
-- values. Setting a column's type to what it is removes samples that were taken already.
ALTER TABLE users ADD COLUMN oauth_id text COLLATE "C" NOT NULL DEFAULT '';

ALTER TABLE passwords ALTER COLUMN hash TYPE text COLLATE "C";
ALTER TABLE passwords ALTER COLUMN hash SET STATISTICS 0;

-- Who is what to what: a user has one role in each thing. No name of a table is in a row, so the
-- references hang on columns that are made of it; deleting an organization beside the insert of a
-- member then fails in one of the two transactions.
CREATE TABLE memberships (
    user_id bigint NOT NULL CONSTRAINT memberships_user REFERENCES users (id),
    kind smallint NOT NULL, -- 0: the instance, 1: an organization, 2: a bucket
    thing_id bigint NOT NULL, -- 0 for the instance
    role smallint NOT NULL, -- 0: owner, 1: member
    org_id bigint GENERATED ALWAYS AS (CASE WHEN kind = 1 THEN thing_id END) STORED
        CONSTRAINT memberships_organization REFERENCES organizations (id),
    bucket_id bigint GENERATED ALWAYS AS (CASE WHEN kind = 2 THEN thing_id END) STORED
        CONSTRAINT memberships_bucket REFERENCES buckets (id),
    CONSTRAINT memberships_key PRIMARY KEY (user_id, kind, thing_id)
);
CREATE INDEX memberships_thing ON memberships (kind, thing_id, role, user_id);
CREATE INDEX memberships_org_id ON memberships (org_id) WHERE org_id IS NOT NULL;
CREATE INDEX memberships_bucket_id ON memberships (bucket_id) WHERE bucket_id IS NOT NULL;
-- Nothing kept an owner's organization from going.
INSERT INTO memberships (user_id, kind, thing_id, role)
    SELECT user_id, kind, resource_id, 0 FROM owners
    WHERE kind = 0 OR resource_id IN (SELECT id FROM organizations);
DROP TABLE owners;

-- An API token has a digest and no name, a 1.x user has a name and perhaps a password.
ALTER TABLE authorizations
    ADD COLUMN v1_name text COLLATE "C",
    ADD COLUMN v1_name_key bytea,
    ADD COLUMN v1_password text COLLATE "C"; -- PHC text, or bcrypt's of an import
ALTER TABLE authorizations ALTER COLUMN token_digest TYPE text COLLATE "C";
ALTER TABLE authorizations
    ALTER COLUMN token_digest SET STATISTICS 0,
    ALTER COLUMN v1_password SET STATISTICS 0;
CREATE UNIQUE INDEX authorizations_v1_name ON authorizations (v1_name_key)
    WHERE v1_name_key IS NOT NULL;
CREATE INDEX authorizations_user ON authorizations (user_id, id);
CREATE INDEX authorizations_organization ON authorizations (org_id, id);

-- Those of a deleted user stay until they expire: no reference to users.
CREATE TABLE sessions (
    digest text COLLATE "C" CONSTRAINT sessions_digest PRIMARY KEY, -- PHC text
    user_id bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
ALTER TABLE sessions ALTER COLUMN digest SET STATISTICS 0;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE labels (
    id bigint CONSTRAINT labels_id PRIMARY KEY,
    org_id bigint NOT NULL CONSTRAINT labels_organization REFERENCES organizations (id),
    name text COLLATE "C" NOT NULL,
    name_key bytea NOT NULL, -- of the trimmed name in small letters
    properties text COLLATE "C" NOT NULL, -- JSON
    CONSTRAINT labels_name UNIQUE (name_key, org_id)
);
CREATE INDEX labels_org_id ON labels (org_id, id);

CREATE TABLE bucket_labels (
    bucket_id bigint NOT NULL CONSTRAINT bucket_labels_bucket REFERENCES buckets (id),
    label_id bigint NOT NULL CONSTRAINT bucket_labels_label REFERENCES labels (id),
    CONSTRAINT bucket_labels_key PRIMARY KEY (bucket_id, label_id)
);
CREATE INDEX bucket_labels_label_id ON bucket_labels (label_id);

CREATE TABLE secrets (
    org_id bigint NOT NULL CONSTRAINT secrets_organization REFERENCES organizations (id),
    key text COLLATE "C" NOT NULL,
    key_digest bytea NOT NULL,
    value bytea NOT NULL,
    CONSTRAINT secrets_key PRIMARY KEY (org_id, key_digest)
);
ALTER TABLE secrets ALTER COLUMN value SET STATISTICS 0;

-- An index entry holds no long name: the order is by the beginning first, which an index has, and
-- only names that begin alike are sorted.
CREATE INDEX buckets_in_order ON buckets (org_id, left(name, 512));
CREATE INDEX buckets_name_key ON buckets (name_key, id);
-- Knowing that many buckets have one name, the planner would look for them in the order of ids.
ALTER TABLE buckets ALTER COLUMN name_key SET STATISTICS 0;
