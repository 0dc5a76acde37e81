-- +goose Up

-- Every policy of an owned table compares the organization, so that each of them alone keeps
-- organizations apart. Sharded PostgreSQL creates policies again on its shards without AS
-- RESTRICTIVE, and permissive policies are joined by OR: a permissive `true` then opens every row.
-- Plans do not change, as PostgreSQL plans a condition that several policies share only once.

-- own_table makes a table one of an organization's: nobody reaches a row of it without naming the
-- row's organization. The restrictive policy cannot be widened by any policy that is added later;
-- without the permissive one nobody would reach a row. Both compare with the setting directly: a
-- subquery would hide the value from the planner.
-- request_privileges is what requests may do with the rows they reach.
-- +goose StatementBegin
CREATE OR REPLACE PROCEDURE tenantry.own_table(owned regclass, request_privileges text DEFAULT 'SELECT, INSERT, UPDATE, DELETE')
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format($f$CREATE POLICY organization_only ON %s AS RESTRICTIVE
        USING (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))
        WITH CHECK (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))$f$, owned);
    EXECUTE format($f$CREATE POLICY organization_rows ON %s AS PERMISSIVE
        USING (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))
        WITH CHECK (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))$f$, owned);
    EXECUTE format('GRANT %s ON %s TO %I', request_privileges, owned, (SELECT request_role FROM tenantry.instance));
END
$$;
-- +goose StatementEnd

-- The policies that exist, on tables of the app as well. A `true` becomes the comparison; any other
-- condition, such as that of provisional_only, gets it in front. The rows that can be reached stay
-- the same, because organization_only already compares.
-- +goose StatementBegin
DO $$
DECLARE
    comparison CONSTANT text := $c$organization_id = NULLIF(current_setting('tenantry.organization', true), '')$c$;
    p record;
BEGIN
    FOR p IN
        SELECT format('%I ON %s', polname, polrelid::regclass) AS policy,
            pg_get_expr(polqual, polrelid) AS reached, pg_get_expr(polwithcheck, polrelid) AS written
        FROM pg_policy
        WHERE polname <> 'organization_only'
            AND polrelid IN (SELECT polrelid FROM pg_policy WHERE polname = 'organization_only' AND NOT polpermissive)
        ORDER BY 1
    LOOP
        EXECUTE 'ALTER POLICY ' || p.policy
            || coalesce(' USING (' || comparison || CASE p.reached WHEN 'true' THEN ')' ELSE ' AND ' || p.reached || ')' END, '')
            || coalesce(' WITH CHECK (' || comparison || CASE p.written WHEN 'true' THEN ')' ELSE ' AND ' || p.written || ')' END, '');
    END LOOP;
END
$$;
-- +goose StatementEnd
