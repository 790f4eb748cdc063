-- 1.x users and sessions beside API tokens, owners and members of whatever, labels and secrets; and
-- the indexes that make a page of a list cost the same however long the list is.
ALTER TABLE users ADD COLUMN oauth_id TEXT NOT NULL DEFAULT '';

-- Who is what to what: a user has one role in each thing.
CREATE TABLE memberships (
    user_id INTEGER NOT NULL REFERENCES users (id),
    kind INTEGER NOT NULL, -- 0: the instance, 1: an organization, 2: a bucket
    thing_id INTEGER NOT NULL, -- 0 for the instance
    role INTEGER NOT NULL, -- 0: owner, 1: member
    PRIMARY KEY (user_id, kind, thing_id)
) STRICT;
CREATE INDEX memberships_thing ON memberships (kind, thing_id, role, user_id);
-- Nothing kept an owner's organization from going.
INSERT INTO memberships (user_id, kind, thing_id, role)
    SELECT user_id, kind, resource_id, 0 FROM owners
    WHERE kind = 0 OR resource_id IN (SELECT id FROM organizations);
DROP TABLE owners;

-- An API token has a digest and no name, a 1.x user has a name and perhaps a password.
ALTER TABLE authorizations ADD COLUMN v1_name TEXT;
ALTER TABLE authorizations ADD COLUMN v1_name_key BLOB;
ALTER TABLE authorizations ADD COLUMN v1_password TEXT; -- PHC text, or bcrypt's of an import
CREATE UNIQUE INDEX authorizations_v1_name ON authorizations (v1_name_key)
    WHERE v1_name_key IS NOT NULL;
CREATE INDEX authorizations_user ON authorizations (user_id, id);
CREATE INDEX authorizations_organization ON authorizations (org_id, id);

-- Those of a deleted user stay until they expire: no reference to users.
CREATE TABLE sessions (
    digest TEXT PRIMARY KEY, -- PHC text
    user_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE labels (
    id INTEGER PRIMARY KEY,
    org_id INTEGER NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    name_key BLOB NOT NULL, -- of the trimmed name in small letters
    properties TEXT NOT NULL, -- JSON
    UNIQUE (name_key, org_id)
) STRICT;
CREATE INDEX labels_organization ON labels (org_id, id);

CREATE TABLE bucket_labels (
    bucket_id INTEGER NOT NULL REFERENCES buckets (id),
    label_id INTEGER NOT NULL REFERENCES labels (id),
    PRIMARY KEY (bucket_id, label_id)
) STRICT;
CREATE INDEX bucket_labels_label ON bucket_labels (label_id);

CREATE TABLE secrets (
    org_id INTEGER NOT NULL REFERENCES organizations (id),
    key TEXT NOT NULL,
    key_digest BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (org_id, key_digest)
) STRICT;

CREATE INDEX buckets_in_order ON buckets (org_id, name);
CREATE INDEX buckets_name_key ON buckets (name_key, id);
