-- API tokens in clear for servers that do not hash, copies in escrow, and what has to be scrubbed.
--
-- A raw token is found by the SHA-256 beside it: its text is in no index. A token is stored in one
-- form, and 1.x users have none.
ALTER TABLE authorizations ADD COLUMN raw_token BLOB;
ALTER TABLE authorizations ADD COLUMN raw_key BLOB CHECK (
    (raw_key IS NULL) = (raw_token IS NULL)
    AND (raw_key IS NULL
         OR (length(raw_key) = 32 AND token_digest IS NULL AND v1_name_key IS NULL))
);
-- A copy of the token that only the holder of an offline key can open.
ALTER TABLE authorizations ADD COLUMN escrow BLOB;
CREATE UNIQUE INDEX authorizations_raw_key ON authorizations (raw_key) WHERE raw_key IS NOT NULL;
CREATE INDEX authorizations_raw ON authorizations (id) WHERE raw_key IS NOT NULL;
CREATE INDEX authorizations_escrow ON authorizations (id) WHERE escrow IS NOT NULL;

-- How often something secret was removed from a table, how many of these removals are in none of
-- its pages any more, and how many not in the log either. Counted by triggers, that is in the very
-- transaction that removes: a process that is killed before it has scrubbed loses nothing.
CREATE TABLE removals (
    relation TEXT PRIMARY KEY,
    removed INTEGER NOT NULL,
    rewritten INTEGER NOT NULL DEFAULT 0,
    scrubbed INTEGER NOT NULL DEFAULT 0
) STRICT;
-- What is in use already may have removed something.
INSERT INTO removals (relation, removed)
    SELECT column1, EXISTS (SELECT 1 FROM organizations)
    FROM (VALUES ('authorizations'), ('passwords'), ('secrets'), ('sessions'));

CREATE TRIGGER authorizations_removed AFTER DELETE ON authorizations BEGIN
    UPDATE removals SET removed = removed + 1 WHERE relation = 'authorizations';
END;
CREATE TRIGGER authorizations_replaced
AFTER UPDATE OF token_digest, raw_token, v1_password, escrow ON authorizations
WHEN (OLD.token_digest IS NOT NULL AND OLD.token_digest IS NOT NEW.token_digest)
    OR (OLD.raw_token IS NOT NULL AND OLD.raw_token IS NOT NEW.raw_token)
    OR (OLD.v1_password IS NOT NULL AND OLD.v1_password IS NOT NEW.v1_password)
    OR (OLD.escrow IS NOT NULL AND OLD.escrow IS NOT NEW.escrow)
BEGIN
    UPDATE removals SET removed = removed + 1 WHERE relation = 'authorizations';
END;
CREATE TRIGGER passwords_removed AFTER DELETE ON passwords BEGIN
    UPDATE removals SET removed = removed + 1 WHERE relation = 'passwords';
END;
CREATE TRIGGER passwords_replaced AFTER UPDATE OF hash ON passwords
WHEN OLD.hash IS NOT NEW.hash
BEGIN
    UPDATE removals SET removed = removed + 1 WHERE relation = 'passwords';
END;
CREATE TRIGGER secrets_removed AFTER DELETE ON secrets BEGIN
    UPDATE removals SET removed = removed + 1 WHERE relation = 'secrets';
END;
CREATE TRIGGER secrets_replaced AFTER UPDATE OF value ON secrets
WHEN OLD.value IS NOT NEW.value
BEGIN
    UPDATE removals SET removed = removed + 1 WHERE relation = 'secrets';
END;
CREATE TRIGGER sessions_removed AFTER DELETE ON sessions BEGIN
    UPDATE removals SET removed = removed + 1 WHERE relation = 'sessions';
END;
