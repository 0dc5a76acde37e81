package dbtest

import "testing"

// makePermissive drops every policy of a table with an organization_id and creates it again with
// the same expressions, but AS PERMISSIVE.
const makePermissive = `DO $f$
DECLARE
	p record;
	made integer := 0;
BEGIN
	FOR p IN
		SELECT polname, polrelid::regclass AS owned,
			pg_get_expr(polqual, polrelid) AS reached, pg_get_expr(polwithcheck, polrelid) AS written,
			CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
				WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
			CASE WHEN polroles = '{0}' THEN 'PUBLIC' ELSE
				(SELECT string_agg(quote_ident(rolname), ', ') FROM pg_roles WHERE oid = ANY (polroles)) END AS roles
		FROM pg_policy JOIN pg_attribute ON attrelid = polrelid AND attname = 'organization_id'
	LOOP
		EXECUTE format('DROP POLICY %I ON %s', p.polname, p.owned);
		EXECUTE format('CREATE POLICY %I ON %s AS PERMISSIVE FOR %s TO %s', p.polname, p.owned, p.command, p.roles)
			|| coalesce(' USING (' || p.reached || ')', '') || coalesce(' WITH CHECK (' || p.written || ')', '');
		made := made + 1;
	END LOOP;
	IF made < 10 OR EXISTS (SELECT FROM pg_policy WHERE NOT polpermissive) THEN
		RAISE 'only % policies were created again', made;
	END IF;
END
$f$`

// MakePoliciesPermissive creates every policy of the owned tables again as a permissive one, as
// sharded PostgreSQL does on its shards.
func MakePoliciesPermissive(t testing.TB, ownerURL string) {
	t.Helper()
	if err := execute(t.Context(), ownerURL, makePermissive); err != nil {
		t.Fatal(err)
	}
}

// OpenPermissivePolicies gives the owned tables the policies they had before each of them compared
// the organization: a permissive true beside the restrictive comparison.
func OpenPermissivePolicies(t testing.TB, ownerURL string) {
	t.Helper()
	if err := execute(t.Context(), ownerURL, `DO $f$
DECLARE
	owned regclass;
BEGIN
	ALTER POLICY provisional_only ON public.members USING (provisional);
	FOR owned IN SELECT polrelid FROM pg_policy WHERE polname = 'organization_rows' LOOP
		EXECUTE format('ALTER POLICY organization_rows ON %s USING (true) WITH CHECK (true)', owned);
	END LOOP;
END
$f$`); err != nil {
		t.Fatal(err)
	}
}
