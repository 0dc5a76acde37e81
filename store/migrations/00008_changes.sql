-- +goose Up

-- What changed of the facts that requests are judged by, for the servers that keep them in memory. Triggers write it, so
-- that whoever inserts or updates cannot forget it; nothing of these rows is ever deleted. A crash of PostgreSQL empties it, and breaks every server's connection, too, with which
-- the servers forget what they kept; so it need not be logged.
-- Transaction ids are given when a row is written and seen when it is committed, so a reader remembers the snapshot of its
-- last look, and reads what was not visible in it.
CREATE UNLOGGED TABLE clerk.changes (
    xid             xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id              bigint GENERATED ALWAYS AS IDENTITY,
    organization_id text COLLATE "C" NOT NULL DEFAULT '',
    user_id         text COLLATE "C" NOT NULL DEFAULT '',
    session_id      text COLLATE "C" NOT NULL DEFAULT '',
    role            boolean NOT NULL DEFAULT false,
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (xid, id)
);

-- +goose StatementBegin
CREATE FUNCTION tenantry.note_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'organizations' THEN INSERT INTO clerk.changes (organization_id) VALUES (NEW.id);
        WHEN 'users' THEN INSERT INTO clerk.changes (user_id) VALUES (NEW.id);
        WHEN 'memberships' THEN INSERT INTO clerk.changes (organization_id, user_id) VALUES (NEW.organization_id, NEW.user_id);
        WHEN 'roles' THEN INSERT INTO clerk.changes (role) VALUES (true);
        WHEN 'revoked_sessions' THEN INSERT INTO clerk.changes (session_id, user_id) VALUES (NEW.id, NEW.user_id);
    END CASE;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER note_change AFTER UPDATE ON clerk.organizations FOR EACH ROW
    WHEN (OLD.dead IS DISTINCT FROM NEW.dead) EXECUTE FUNCTION tenantry.note_change();
CREATE TRIGGER note_change_new AFTER INSERT ON clerk.organizations FOR EACH ROW
    WHEN (NEW.dead) EXECUTE FUNCTION tenantry.note_change();
CREATE TRIGGER note_change AFTER UPDATE ON clerk.users FOR EACH ROW
    WHEN (OLD.dead IS DISTINCT FROM NEW.dead) EXECUTE FUNCTION tenantry.note_change();
CREATE TRIGGER note_change_new AFTER INSERT ON clerk.users FOR EACH ROW
    WHEN (NEW.dead) EXECUTE FUNCTION tenantry.note_change();
CREATE TRIGGER note_change AFTER UPDATE ON clerk.memberships FOR EACH ROW
    WHEN (NEW.user_id <> '' AND (OLD.organization_id, OLD.user_id, OLD.role, OLD.created_at, OLD.tomb_at, OLD.updated_at, OLD.auth_at)
        IS DISTINCT FROM (NEW.organization_id, NEW.user_id, NEW.role, NEW.created_at, NEW.tomb_at, NEW.updated_at, NEW.auth_at))
    EXECUTE FUNCTION tenantry.note_change();
CREATE TRIGGER note_change_new AFTER INSERT ON clerk.memberships FOR EACH ROW
    WHEN (NEW.user_id <> '') EXECUTE FUNCTION tenantry.note_change();
CREATE TRIGGER note_change AFTER UPDATE ON clerk.roles FOR EACH ROW
    WHEN ((OLD.key, OLD.permissions, OLD.created_at, OLD.tomb_at, OLD.updated_at, OLD.auth_at)
        IS DISTINCT FROM (NEW.key, NEW.permissions, NEW.created_at, NEW.tomb_at, NEW.updated_at, NEW.auth_at))
    EXECUTE FUNCTION tenantry.note_change();
CREATE TRIGGER note_change_new AFTER INSERT ON clerk.roles FOR EACH ROW
    WHEN (NEW.key <> '') EXECUTE FUNCTION tenantry.note_change();
CREATE TRIGGER note_change AFTER INSERT ON clerk.revoked_sessions FOR EACH ROW EXECUTE FUNCTION tenantry.note_change();

CALL tenantry.grant_mirror('clerk.changes', 'SELECT, INSERT, DELETE');

-- The last good set of Clerk's keys, so that a server that starts while Clerk is away can verify tokens.
CREATE TABLE clerk.key_sets (
    issuer     text COLLATE "C" PRIMARY KEY,
    body       bytea NOT NULL,
    fetched_at timestamptz NOT NULL
);
CALL tenantry.grant_mirror('clerk.key_sets', 'SELECT, INSERT, UPDATE');
