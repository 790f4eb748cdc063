-- Where a page far behind in a list begins, without counting all that is before it.
--
-- Keys are texts whose order is that of the rows: ids are sixteen hexadecimal digits, as clients
-- see them. The lists: 1 organizations, 2 organizations of a user, 3 users, 4 buckets, 5 buckets of
-- one name, 6 buckets of an organization by name. A scope is what has a list of its own.
-- In the order in which others lock them: a server may be at work.
LOCK TABLE organizations, users, memberships, buckets IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE lists (
    list smallint CONSTRAINT lists_key PRIMARY KEY,
    counted bigint NOT NULL -- how many rows there were when it was last counted; -1: it never was
);
INSERT INTO lists (list, counted)
    SELECT column1, -1 FROM (VALUES (1), (2), (3), (4), (5), (6)) AS numbers;

CREATE TABLE list_marks (
    list smallint NOT NULL,
    scope text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    ahead bigint NOT NULL, -- how many rows of the scope were before this item when it was counted
    CONSTRAINT list_marks_key PRIMARY KEY (list, scope, item)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE INDEX list_marks_ahead ON list_marks (list, scope, ahead, item);

-- What has come and gone since a list was counted. Written by triggers, in the transaction that
-- adds or removes; a row a change, so that nobody waits for anybody.
CREATE TABLE list_changes (
    list smallint NOT NULL,
    scope text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    change integer NOT NULL -- 1: a row came, -1: one went
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE INDEX list_changes_key ON list_changes (list, scope, item, change);

CREATE FUNCTION hex_id(id bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT encode(int8send(id # (-9223372036854775808)), 'hex') $$;

CREATE FUNCTION note_list_of_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO list_changes (list, scope, item, change) VALUES
            (TG_ARGV[0]::smallint, '', hex_id(OLD.id), -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO list_changes (list, scope, item, change) VALUES
            (TG_ARGV[0]::smallint, '', hex_id(NEW.id), 1);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER organizations_listed AFTER INSERT OR DELETE ON organizations
    FOR EACH ROW EXECUTE FUNCTION note_list_of_ids(1);
CREATE TRIGGER users_listed AFTER INSERT OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION note_list_of_ids(3);
CREATE TRIGGER buckets_listed AFTER INSERT OR DELETE ON buckets
    FOR EACH ROW EXECUTE FUNCTION note_list_of_ids(4);

CREATE FUNCTION note_list_of_memberships() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO list_changes (list, scope, item, change) VALUES
            (2, hex_id(OLD.user_id), hex_id(OLD.thing_id), -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO list_changes (list, scope, item, change) VALUES
            (2, hex_id(NEW.user_id), hex_id(NEW.thing_id), 1);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER memberships_came AFTER INSERT ON memberships
    FOR EACH ROW WHEN (NEW.kind = 1) EXECUTE FUNCTION note_list_of_memberships();
CREATE TRIGGER memberships_went AFTER DELETE ON memberships
    FOR EACH ROW WHEN (OLD.kind = 1) EXECUTE FUNCTION note_list_of_memberships();

CREATE FUNCTION note_list_of_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO list_changes (list, scope, item, change) VALUES
            (5, encode(OLD.name_key, 'hex'), hex_id(OLD.id), -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO list_changes (list, scope, item, change) VALUES
            (5, encode(NEW.name_key, 'hex'), hex_id(NEW.id), 1);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER buckets_name_listed AFTER INSERT OR DELETE ON buckets
    FOR EACH ROW EXECUTE FUNCTION note_list_of_names();
CREATE TRIGGER buckets_rekeyed AFTER UPDATE OF name_key ON buckets
    FOR EACH ROW WHEN (OLD.name_key <> NEW.name_key) EXECUTE FUNCTION note_list_of_names();

CREATE FUNCTION note_list_of_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO list_changes (list, scope, item, change) VALUES
            (6, hex_id(OLD.org_id), left(OLD.name, 512), -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO list_changes (list, scope, item, change) VALUES
            (6, hex_id(NEW.org_id), left(NEW.name, 512), 1);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER buckets_in_organization_listed AFTER INSERT OR DELETE ON buckets
    FOR EACH ROW EXECUTE FUNCTION note_list_of_organization();
CREATE TRIGGER buckets_renamed AFTER UPDATE OF org_id, name ON buckets
    FOR EACH ROW WHEN (OLD.org_id <> NEW.org_id OR OLD.name <> NEW.name)
    EXECUTE FUNCTION note_list_of_organization();
