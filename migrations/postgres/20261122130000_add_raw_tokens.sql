-- API tokens in clear for servers that do not hash, copies in escrow, and what has to be scrubbed.
--
-- A raw token is found by the SHA-256 beside it: its text is in no index, and none of these columns
-- is sampled. A token is stored in one form, and 1.x users have none.
ALTER TABLE authorizations
    ADD COLUMN raw_token bytea,
    ADD COLUMN raw_key bytea,
    ADD COLUMN escrow bytea, -- a copy that only the holder of an offline key can open
    ADD CONSTRAINT authorizations_one_form CHECK (
        (raw_key IS NULL) = (raw_token IS NULL)
        AND (raw_key IS NULL
             OR (length(raw_key) = 32 AND token_digest IS NULL AND v1_name_key IS NULL)));
ALTER TABLE authorizations
    ALTER COLUMN raw_token SET STATISTICS 0,
    ALTER COLUMN raw_key SET STATISTICS 0,
    ALTER COLUMN escrow SET STATISTICS 0;
CREATE UNIQUE INDEX authorizations_raw_key ON authorizations (raw_key) WHERE raw_key IS NOT NULL;
-- In the order of ids, but of an expression that no other index has: without statistics the planner
-- takes nearly every row for one that is not null, and would look for the last few in all of them.
CREATE INDEX authorizations_raw ON authorizations ((id + 0)) WHERE raw_key IS NOT NULL;
CREATE INDEX authorizations_escrow ON authorizations ((id + 0)) WHERE escrow IS NOT NULL;

-- From which table a transaction has removed something secret. Noted by triggers, that is in the
-- very transaction that removes: a process that is killed before it has scrubbed loses nothing. A
-- row per transaction and not a count, so that nobody waits for anybody.
CREATE TABLE removals (
    version bigint NOT NULL,
    relation text COLLATE "C" NOT NULL,
    CONSTRAINT removals_key PRIMARY KEY (version, relation)
);
-- What is in use already may have removed something.
INSERT INTO removals (version, relation)
    SELECT 0, column1
    FROM (VALUES ('authorizations'), ('passwords'), ('secrets'), ('sessions')) AS relations
    WHERE EXISTS (SELECT FROM organizations);

CREATE FUNCTION note_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO removals (version, relation)
        SELECT pg_current_xact_id()::text::bigint + version_offset, TG_TABLE_NAME FROM store_state
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE TRIGGER authorizations_removed AFTER DELETE ON authorizations
    FOR EACH ROW EXECUTE FUNCTION note_removal();
CREATE TRIGGER authorizations_replaced
    AFTER UPDATE OF token_digest, raw_token, v1_password, escrow ON authorizations
    FOR EACH ROW
    WHEN ((OLD.token_digest IS NOT NULL AND OLD.token_digest IS DISTINCT FROM NEW.token_digest)
          OR (OLD.raw_token IS NOT NULL AND OLD.raw_token IS DISTINCT FROM NEW.raw_token)
          OR (OLD.v1_password IS NOT NULL AND OLD.v1_password IS DISTINCT FROM NEW.v1_password)
          OR (OLD.escrow IS NOT NULL AND OLD.escrow IS DISTINCT FROM NEW.escrow))
    EXECUTE FUNCTION note_removal();
CREATE TRIGGER passwords_removed AFTER DELETE ON passwords
    FOR EACH ROW EXECUTE FUNCTION note_removal();
CREATE TRIGGER passwords_replaced AFTER UPDATE OF hash ON passwords
    FOR EACH ROW WHEN (OLD.hash IS DISTINCT FROM NEW.hash) EXECUTE FUNCTION note_removal();
CREATE TRIGGER secrets_removed AFTER DELETE ON secrets
    FOR EACH ROW EXECUTE FUNCTION note_removal();
CREATE TRIGGER secrets_replaced AFTER UPDATE OF value ON secrets
    FOR EACH ROW WHEN (OLD.value IS DISTINCT FROM NEW.value) EXECUTE FUNCTION note_removal();
CREATE TRIGGER sessions_removed AFTER DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION note_removal();
