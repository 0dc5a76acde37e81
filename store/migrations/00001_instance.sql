-- +goose Up

-- Bookkeeping: what this database is, and the procedures with which migrations make tables safe.
CREATE SCHEMA IF NOT EXISTS tenantry;
CREATE SCHEMA clerk;

-- One row. The roles are recorded because a clone or a restored copy keeps using them under another database name.
CREATE TABLE tenantry.instance (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    request_role text NOT NULL,
    mirror_role  text NOT NULL,
    clerk_issuer text
);

-- Roles belong to the whole cluster, so they carry the database's name. 40 characters of it, as PostgreSQL cuts names at 63 bytes.
-- +goose StatementBegin
DO $$
DECLARE
    prefix text := left(current_database(), 40);
    role_name text;
BEGIN
    INSERT INTO tenantry.instance (request_role, mirror_role) VALUES (prefix || '_request', prefix || '_mirror');
    FOREACH role_name IN ARRAY ARRAY[prefix || '_request', prefix || '_mirror'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', role_name);
        END IF;
        IF NOT pg_has_role(current_user, role_name, 'MEMBER')
           OR NOT EXISTS (SELECT FROM pg_auth_members WHERE roleid = role_name::regrole AND member = current_user::regrole)
              AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA tenantry, public TO %I', role_name);
        EXECUTE format('GRANT SELECT ON tenantry.instance TO %I', role_name);
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA clerk TO %I', prefix || '_mirror');
END
$$;
-- +goose StatementEnd

-- own_table makes a table one of an organization's: nobody reaches a row of it without naming the row's organization.
-- The restrictive policy cannot be widened by any policy that is added later; the permissive one lets it decide alone.
-- It compares with the setting directly: a subquery would hide the value from the planner.
-- request_privileges is what requests may do with the rows they reach.
-- +goose StatementBegin
CREATE PROCEDURE tenantry.own_table(owned regclass, request_privileges text DEFAULT 'SELECT, INSERT, UPDATE, DELETE')
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format($f$CREATE POLICY organization_only ON %s AS RESTRICTIVE
        USING (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))
        WITH CHECK (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))$f$, owned);
    EXECUTE format('CREATE POLICY organization_rows ON %s USING (true) WITH CHECK (true)', owned);
    EXECUTE format('GRANT %s ON %s TO %I', request_privileges, owned, (SELECT request_role FROM tenantry.instance));
END
$$;
-- +goose StatementEnd

-- grant_mirror lets the copy of Clerk write a table.
-- +goose StatementBegin
CREATE PROCEDURE tenantry.grant_mirror(copied regclass, privileges text DEFAULT 'SELECT, INSERT, UPDATE, DELETE')
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT %s ON %s TO %I', privileges, copied, (SELECT mirror_role FROM tenantry.instance));
END
$$;
-- +goose StatementEnd
