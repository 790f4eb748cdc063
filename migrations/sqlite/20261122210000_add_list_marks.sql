-- Where a page far behind in a list begins, without counting all that is before it.
--
-- Keys are texts whose order is that of the rows: ids are sixteen hexadecimal digits, as clients
-- see them. The lists: 1 organizations, 2 organizations of a user, 3 users, 4 buckets, 5 buckets of
-- one name, 6 buckets of an organization by name. A scope is what has a list of its own.
CREATE TABLE lists (
    list INTEGER PRIMARY KEY,
    counted INTEGER NOT NULL -- how many rows there were when it was last counted; -1: it never was
) STRICT;
INSERT INTO lists (list, counted)
    SELECT column1, -1 FROM (VALUES (1), (2), (3), (4), (5), (6));

CREATE TABLE list_marks (
    list INTEGER NOT NULL,
    scope TEXT NOT NULL,
    item TEXT NOT NULL,
    ahead INTEGER NOT NULL, -- how many rows of the scope were before this item when it was counted
    PRIMARY KEY (list, scope, item)
) STRICT;
CREATE INDEX list_marks_ahead ON list_marks (list, scope, ahead, item);

-- What has come and gone since a list was counted. Written by triggers, in the transaction that
-- adds or removes. The sign bit of an id is flipped back with the operators that there are.
CREATE TABLE list_changes (
    id INTEGER PRIMARY KEY, -- a later change has a larger one
    list INTEGER NOT NULL,
    scope TEXT NOT NULL,
    item TEXT NOT NULL,
    change INTEGER NOT NULL -- 1: a row came, -1: one went
) STRICT;
CREATE INDEX list_changes_key ON list_changes (list, scope, item, change);

CREATE TRIGGER organizations_came AFTER INSERT ON organizations
BEGIN
    INSERT INTO list_changes (list, scope, item, change) VALUES
        (1, '', printf('%016x', (NEW.id | (1 << 63)) - (NEW.id & (1 << 63))), 1);
END;
CREATE TRIGGER organizations_went AFTER DELETE ON organizations
BEGIN
    INSERT INTO list_changes (list, scope, item, change) VALUES
        (1, '', printf('%016x', (OLD.id | (1 << 63)) - (OLD.id & (1 << 63))), -1);
END;
CREATE TRIGGER users_came AFTER INSERT ON users
BEGIN
    INSERT INTO list_changes (list, scope, item, change) VALUES
        (3, '', printf('%016x', (NEW.id | (1 << 63)) - (NEW.id & (1 << 63))), 1);
END;
CREATE TRIGGER users_went AFTER DELETE ON users
BEGIN
    INSERT INTO list_changes (list, scope, item, change) VALUES
        (3, '', printf('%016x', (OLD.id | (1 << 63)) - (OLD.id & (1 << 63))), -1);
END;
CREATE TRIGGER memberships_came AFTER INSERT ON memberships
WHEN NEW.kind = 1
BEGIN
    INSERT INTO list_changes (list, scope, item, change) VALUES
        (2, printf('%016x', (NEW.user_id | (1 << 63)) - (NEW.user_id & (1 << 63))),
         printf('%016x', (NEW.thing_id | (1 << 63)) - (NEW.thing_id & (1 << 63))), 1);
END;
CREATE TRIGGER memberships_went AFTER DELETE ON memberships
WHEN OLD.kind = 1
BEGIN
    INSERT INTO list_changes (list, scope, item, change) VALUES
        (2, printf('%016x', (OLD.user_id | (1 << 63)) - (OLD.user_id & (1 << 63))),
         printf('%016x', (OLD.thing_id | (1 << 63)) - (OLD.thing_id & (1 << 63))), -1);
END;
CREATE TRIGGER buckets_came AFTER INSERT ON buckets
BEGIN
    INSERT INTO list_changes (list, scope, item, change) VALUES
        (4, '', printf('%016x', (NEW.id | (1 << 63)) - (NEW.id & (1 << 63))), 1),
        (5, lower(hex(NEW.name_key)),
         printf('%016x', (NEW.id | (1 << 63)) - (NEW.id & (1 << 63))), 1),
        (6, printf('%016x', (NEW.org_id | (1 << 63)) - (NEW.org_id & (1 << 63))), NEW.name, 1);
END;
CREATE TRIGGER buckets_went AFTER DELETE ON buckets
BEGIN
    INSERT INTO list_changes (list, scope, item, change) VALUES
        (4, '', printf('%016x', (OLD.id | (1 << 63)) - (OLD.id & (1 << 63))), -1),
        (5, lower(hex(OLD.name_key)),
         printf('%016x', (OLD.id | (1 << 63)) - (OLD.id & (1 << 63))), -1),
        (6, printf('%016x', (OLD.org_id | (1 << 63)) - (OLD.org_id & (1 << 63))), OLD.name, -1);
END;
CREATE TRIGGER buckets_renamed AFTER UPDATE OF org_id, name ON buckets
WHEN OLD.org_id <> NEW.org_id OR OLD.name <> NEW.name
BEGIN
    INSERT INTO list_changes (list, scope, item, change) VALUES
        (6, printf('%016x', (OLD.org_id | (1 << 63)) - (OLD.org_id & (1 << 63))), OLD.name, -1),
        (6, printf('%016x', (NEW.org_id | (1 << 63)) - (NEW.org_id & (1 << 63))), NEW.name, 1);
END;
CREATE TRIGGER buckets_rekeyed AFTER UPDATE OF name_key ON buckets
WHEN OLD.name_key <> NEW.name_key
BEGIN
    INSERT INTO list_changes (list, scope, item, change) VALUES
        (5, lower(hex(OLD.name_key)),
         printf('%016x', (OLD.id | (1 << 63)) - (OLD.id & (1 << 63))), -1),
        (5, lower(hex(NEW.name_key)),
         printf('%016x', (NEW.id | (1 << 63)) - (NEW.id & (1 << 63))), 1);
END;
