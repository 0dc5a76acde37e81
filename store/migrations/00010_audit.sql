-- +goose Up

-- append_only refuses to change or remove rows of the table it is a trigger of, whatever was granted, unless the table's
-- owner says in the same transaction that it is meant: SET LOCAL tenantry.append_only = 'off'.
-- +goose StatementBegin
CREATE FUNCTION tenantry.append_only() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF current_setting('tenantry.append_only', true) IS DISTINCT FROM 'off'
       OR NOT (SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = TG_RELID) THEN
        RAISE EXCEPTION '% of %: the table is append-only', TG_OP, TG_RELID::regclass USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- What was done in an organization, by whom. People are in it by Clerk's ids only. changes and items are bounded, so that
-- no mutation fills the table; the code keeps far below.
CREATE TABLE audit_entries (
    organization_id text COLLATE "C" NOT NULL CHECK (organization_id <> ''),
    at              timestamptz NOT NULL,
    id              uuid NOT NULL,
    action          text COLLATE "C" NOT NULL CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
    outcome         text COLLATE "C" NOT NULL CHECK (outcome IN ('applied', 'refused', 'unknown')),
    actor_id        text COLLATE "C",
    impersonator_id text COLLATE "C",
    target_type     text COLLATE "C" NOT NULL CHECK (target_type <> ''),
    target_id       text COLLATE "C" NOT NULL,
    changes         jsonb NOT NULL CHECK (jsonb_typeof(changes) = 'array' AND octet_length(changes::text) <= 65536),
    items           jsonb NOT NULL CHECK (jsonb_typeof(items) = 'array' AND octet_length(items::text) <= 65536),
    request_id      text COLLATE "C",
    -- The order of Organization.auditLog; pages are ranges of it, in both directions.
    PRIMARY KEY (organization_id, at, id)
);

-- The same order behind each filter.
CREATE INDEX audit_entries_by_action ON audit_entries (organization_id, action, at, id);
CREATE INDEX audit_entries_by_actor ON audit_entries (organization_id, actor_id, at, id);
CREATE INDEX audit_entries_by_target ON audit_entries (organization_id, target_id, at, id);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION tenantry.append_only();

CALL tenantry.own_table('audit_entries', 'SELECT, INSERT');
CALL tenantry.grant_mirror('audit_entries', 'INSERT');
