package store_test

// breach breaks what one check is about. {request} stands for the request role.
type breach struct {
	check      string
	statements []string
	where      string
	what       string
}

const (
	fencePolicy = `organization_id = NULLIF(current_setting('tenantry.organization', true), '')`
	exactly     = "USING (" + fencePolicy + ") WITH CHECK (" + fencePolicy + ")"
	// testNotes is a table as it should be. The tables, views and indexes of tests begin with test, so that none is an app's.
	testNotes = `CREATE TABLE test_notes (organization_id text COLLATE "C" NOT NULL, id uuid NOT NULL, body text NOT NULL, document_id uuid,
		PRIMARY KEY (organization_id, id)); CALL tenantry.own_table('test_notes')`
)

// breaches have at least one for each check but the few that are tried on their own below.
var breaches = map[string]breach{
	"no row security":  {"fence", []string{"ALTER TABLE documents DISABLE ROW LEVEL SECURITY"}, "public.documents", "row level security is not enabled"},
	"not forced":       {"fence", []string{"ALTER TABLE documents NO FORCE ROW LEVEL SECURITY"}, "public.documents", "not forced"},
	"no policy":        {"fence", []string{"DROP POLICY organization_only ON members"}, "public.members", "no restrictive policy"},
	"permissive alone": {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents " + exactly}, "public.documents", "no restrictive policy"},
	"loose policy":     {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE USING (organization_id <> '') WITH CHECK (organization_id <> '')"}, "public.documents", "no restrictive policy"},
	"a way round": {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE USING (" + fencePolicy +
		" OR title = 'x') WITH CHECK (" + fencePolicy + " OR title = 'x')"}, "public.documents", "no restrictive policy"},
	"another default": {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE " +
		"USING (organization_id = NULLIF(current_setting('tenantry.organization', true), 'x'))"}, "public.documents", "no restrictive policy"},
	"reads alone":    {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE FOR SELECT USING (" + fencePolicy + ")"}, "public.documents", "no restrictive policy"},
	"changes alone":  {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE FOR UPDATE " + exactly}, "public.documents", "no restrictive policy"},
	"reads open":     {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE USING (true) WITH CHECK (" + fencePolicy + ")"}, "public.documents", "no restrictive policy"},
	"writes open":    {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE USING (" + fencePolicy + ") WITH CHECK (true)"}, "public.documents", "no restrictive policy"},
	"one role alone": {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE TO {request} " + exactly}, "public.documents", "no restrictive policy"},
	"a new table":    {"fence", []string{`CREATE TABLE "testNotes" (organization_id text COLLATE "C" NOT NULL, id uuid)`}, `public."testNotes"`, "neither row level security nor a policy"},
	"a new schema":   {"fence", []string{`CREATE SCHEMA extra`, `CREATE TABLE extra.test_notes (organization_id text COLLATE "C" NOT NULL, id uuid)`}, "extra.test_notes", "neither row level security nor a policy"},
	"a partition": {"fence", []string{
		`CREATE TABLE test_notes (organization_id text COLLATE "C" NOT NULL, id uuid NOT NULL, PRIMARY KEY (organization_id, id)) PARTITION BY HASH (organization_id)`,
		"CREATE TABLE test_notes_0 PARTITION OF test_notes FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "CALL tenantry.own_table('test_notes')",
	}, "public.test_notes_0", "neither row level security nor a policy"},
	"a permissive true": {"policy-comparison", []string{"ALTER POLICY organization_rows ON documents USING (true) WITH CHECK (true)"}, "public.documents", "the policy organization_rows"},
	"true for writes":   {"policy-comparison", []string{"ALTER POLICY organization_rows ON members WITH CHECK (true)"}, "public.members", "the policy organization_rows"},
	"true for reads":    {"policy-comparison", []string{"ALTER POLICY organization_rows ON members USING (true)"}, "public.members", "the policy organization_rows"},
	"a special policy":  {"policy-comparison", []string{"ALTER POLICY provisional_only ON members USING (provisional)"}, "public.members", "the policy provisional_only"},
	"an own condition":  {"policy-comparison", []string{"CREATE POLICY narrow ON documents AS RESTRICTIVE USING (title <> 'x')"}, "public.documents", "the policy narrow"},
	"an own insert":     {"policy-comparison", []string{"CREATE POLICY \"Narrow\" ON documents FOR INSERT TO {request} WITH CHECK (title <> 'x' OR version = 1)"}, "public.documents", `the policy "Narrow"`},
	"an own select":     {"policy-comparison", []string{"CREATE POLICY narrow ON documents FOR SELECT TO {request}, {mirror} USING (title IS NULL IS FALSE)"}, "public.documents", "the policy narrow"},
	"comparison or":     {"policy-comparison", []string{"CREATE POLICY narrow ON documents USING (" + fencePolicy + " OR title = 'x')"}, "public.documents", "the policy narrow"},
	"comparison in or":  {"policy-comparison", []string{"CREATE POLICY narrow ON documents USING (" + fencePolicy + " AND version > 1 OR title = 'x')"}, "public.documents", "the policy narrow"},
	"comparison denied": {"policy-comparison", []string{"CREATE POLICY narrow ON documents AS RESTRICTIVE USING ((" + fencePolicy + " AND version > 1) IS NOT TRUE)"}, "public.documents", "the policy narrow"},
	"comparison cast":   {"policy-comparison", []string{"CREATE POLICY narrow ON documents USING ((" + fencePolicy + " AND version > 1)::text = 'false')"}, "public.documents", "the policy narrow"},
	"comparison inside": {"policy-comparison", []string{"CREATE POLICY narrow ON documents USING (EXISTS (SELECT FROM members WHERE " + fencePolicy + " AND role = 'org:admin'))"}, "public.documents", "the policy narrow"},
	"comparison last":   {"policy-comparison", []string{"CREATE POLICY narrow ON documents USING (title <> 'x' AND " + fencePolicy + ")"}, "public.documents", "the policy narrow"},
	"another fence": {"policy-comparison", []string{
		"ALTER POLICY organization_only ON documents USING (title <> 'x')", "CREATE POLICY fence ON documents AS RESTRICTIVE " + exactly,
	}, "public.documents", "the policy organization_only"},
	"nobody's way in":     {"reach", []string{"DROP POLICY organization_rows ON documents"}, "public.documents", "no permissive policy"},
	"a slow policy":       {"slow-policy", []string{"CREATE POLICY narrow ON documents AS RESTRICTIVE USING (" + fencePolicy + " AND lower(title) <> 'x')"}, "public.documents", "narrow, which calls for each row: lower(text)"},
	"a volatile policy":   {"slow-policy", []string{"CREATE POLICY narrow ON documents AS RESTRICTIVE USING (" + fencePolicy + " AND random() < 2)"}, "public.documents", "random(), which is volatile"},
	"a policy that looks": {"slow-policy", []string{"CREATE POLICY narrow ON documents USING (" + fencePolicy + " AND EXISTS (SELECT FROM members))"}, "public.documents", "a sub-select"},
	"organization or not": {"column-null", []string{"CREATE TABLE test_notes (organization_id text COLLATE \"C\")", "CALL tenantry.own_table('test_notes')"}, "public.test_notes", "without an organization"},
	"ids without case": {"column-type", []string{
		"CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
		"CREATE TABLE test_notes (organization_id text COLLATE blind NOT NULL, PRIMARY KEY (organization_id))", "CALL tenantry.own_table('test_notes')",
	}, "public.test_notes", "takes different ids for the same"},
	"ids without case, in policies": {"column-type", []string{
		"CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
		"CREATE TABLE test_notes (organization_id text COLLATE blind NOT NULL, PRIMARY KEY (organization_id))", "CALL tenantry.own_table('test_notes')",
		"CREATE POLICY \"Narrow\" ON test_notes AS RESTRICTIVE FOR DELETE TO {request}, {mirror} USING (organization_id <> 'x')",
		"CREATE POLICY narrow ON documents USING (" + fencePolicy + " AND EXISTS (SELECT FROM test_notes AS n WHERE n.organization_id = documents.organization_id))",
	}, "public.test_notes", "takes different ids for the same"},
	"ids of another type": {"column-type", []string{"CREATE TABLE test_notes (organization_id uuid NOT NULL)"}, "public.test_notes", "of the type uuid"},

	"a key of all":           {"unique", []string{testNotes, "ALTER TABLE test_notes DROP CONSTRAINT test_notes_pkey, ADD PRIMARY KEY (id)"}, "public.test_notes", "the constraint test_notes_pkey"},
	"unique among all":       {"unique", []string{"ALTER TABLE documents ADD CONSTRAINT test_titles UNIQUE (title)"}, "public.documents", "the constraint test_titles"},
	"a unique index":         {"unique", []string{"CREATE UNIQUE INDEX test_titles ON documents (lower(title) DESC, created_at) INCLUDE (organization_id) WHERE version > 1"}, "public.documents", "the index public.test_titles"},
	"an exclusion":           {"unique", []string{"CREATE EXTENSION btree_gist", "ALTER TABLE documents ADD CONSTRAINT once EXCLUDE USING gist (author_id WITH =, tstzrange(created_at, updated_at) WITH &&)"}, "public.documents", "the constraint once"},
	"a key that is referred": {"unique", []string{testNotes, "ALTER TABLE documents ADD CONSTRAINT by_id UNIQUE (id)", "ALTER TABLE test_notes ADD CONSTRAINT of_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE"}, "public.documents", "the constraint by_id"},
	"a foreign key":          {"foreign-key", []string{testNotes, "ALTER TABLE documents ADD CONSTRAINT by_id UNIQUE (id)", "ALTER TABLE test_notes ADD CONSTRAINT of_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE SET NULL DEFERRABLE"}, "public.test_notes", "the foreign key of_document"},
	"a crossed foreign key":  {"foreign-key", []string{testNotes, "ALTER TABLE test_notes ADD COLUMN other text, ADD UNIQUE (organization_id, other)", "ALTER TABLE test_notes ADD CONSTRAINT crossed FOREIGN KEY (other, organization_id) REFERENCES test_notes (organization_id, other)"}, "public.test_notes", "the foreign key crossed"},
	"an index of all":        {"index", []string{"CREATE INDEX by_author ON documents (author_id DESC NULLS LAST)"}, "public.documents", "the index public.by_author"},
	"an index that ends so":  {"index", []string{"CREATE UNIQUE INDEX by_author ON documents (author_id, organization_id, id)"}, "public.documents", "the index public.by_author"},
	"a hash index":           {"index", []string{"CREATE INDEX by_author ON documents USING hash (author_id)"}, "public.documents", "the index public.by_author"},
	"an index of words":      {"index", []string{"CREATE INDEX test_words ON documents USING gin (to_tsvector('simple', content))"}, "public.documents", "the index public.test_words"},
	"a key the wrong way":    {"index", []string{testNotes, "ALTER TABLE test_notes DROP CONSTRAINT test_notes_pkey, ADD PRIMARY KEY (id, organization_id)"}, "public.test_notes", "the constraint test_notes_pkey"},

	"a view":               {"view", []string{"CREATE VIEW test_titles AS SELECT title FROM documents", "GRANT SELECT ON test_titles TO {request}"}, "public.test_titles", "is a view"},
	"a view of a column":   {"view", []string{"CREATE VIEW test_titles WITH (security_invoker = off) AS SELECT title FROM documents", "GRANT SELECT (title) ON test_titles TO PUBLIC"}, "public.test_titles", "is a view"},
	"a stored view":        {"unfenceable", []string{"CREATE MATERIALIZED VIEW test_titles AS SELECT title FROM documents", "GRANT SELECT ON test_titles TO PUBLIC"}, "public.test_titles", "is a materialized view"},
	"a table elsewhere":    {"unfenceable", []string{"CREATE FOREIGN DATA WRAPPER nowhere", "CREATE SERVER there FOREIGN DATA WRAPPER nowhere", "CREATE FOREIGN TABLE test_notes (organization_id text) SERVER there", "GRANT INSERT ON test_notes TO {request}"}, "public.test_notes", "is a foreign table"},
	"truncate":             {"table-rights", []string{"GRANT TRUNCATE ON documents TO {request}"}, "public.documents", "gives requests TRUNCATE"},
	"a trigger for all":    {"table-rights", []string{"GRANT TRIGGER ON documents TO PUBLIC"}, "public.documents", "gives requests TRIGGER"},
	"references":           {"table-rights", []string{"GRANT REFERENCES (id) ON documents TO {request}"}, "public.documents", "gives requests REFERENCES"},
	"the copy's schema":    {"clerk-rights", []string{"GRANT USAGE ON SCHEMA clerk TO {request}"}, "schema clerk", "is open"},
	"a table of the copy":  {"clerk-rights", []string{"GRANT SELECT (id) ON clerk.users TO PUBLIC"}, "clerk.users", "is open"},
	"a number of the copy": {"clerk-rights", []string{"GRANT SELECT ON SEQUENCE clerk.sweeps_generation_seq TO {request}"}, "clerk.sweeps_generation_seq", "is open"},
	"making tables":        {"creation", []string{"GRANT CREATE ON SCHEMA public TO PUBLIC"}, "schema public", "lets requests make"},
	"tables to come":       {"default-rights", []string{"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC"}, "default privileges", "give SELECT TABLES"},
	"sequences to come":    {"default-rights", []string{"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {request}"}, "default privileges", "in public"},

	"an organization for all": {"setting", []string{"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET tenantry.organization = %L', current_database(), 'org_acme'); END $$"}, "database ", "sets tenantry.organization"},
	"a viewer for one":        {"setting", []string{"DO $$ BEGIN EXECUTE format('ALTER ROLE %I IN DATABASE %I SET tenantry.viewer = %L', (SELECT request_role FROM tenantry.instance), current_database(), 'user_ada'); END $$"}, "role ", "sets tenantry.viewer"},
	"a trigger": {"trigger", []string{
		"CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NULL; END'", "REVOKE ALL ON FUNCTION noted FROM PUBLIC",
		"CREATE TRIGGER noted AFTER INSERT ON documents FOR EACH ROW EXECUTE FUNCTION noted()",
	}, "public.documents", "has the trigger noted"},
	"an owned table":    {"ownership", []string{"CREATE TABLE test_mine (id int)", "GRANT CREATE ON SCHEMA public TO {request}", "ALTER TABLE test_mine OWNER TO {request}", "REVOKE CREATE ON SCHEMA public FROM {request}"}, "role ", "owns public.test_mine"},
	"an owned schema":   {"ownership", []string{"CREATE SCHEMA test_mine AUTHORIZATION {request}"}, "role ", "owns the schema test_mine"},
	"a back door":       {"back-door", []string{"CREATE FUNCTION everybody() RETURNS SETOF documents LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM documents'"}, "function public.everybody()", "runs with its owner's rights"},
	"a back procedure":  {"back-door", []string{"CREATE PROCEDURE clear_all(text) LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM documents'", "REVOKE ALL ON PROCEDURE clear_all FROM PUBLIC", "GRANT EXECUTE ON PROCEDURE clear_all TO {request}"}, "function public.clear_all(text)", "runs with its owner's rights"},
	"an extension's":    {"extension-function", []string{"CREATE FUNCTION everybody() RETURNS SETOF documents LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM documents'", "ALTER EXTENSION plpgsql ADD FUNCTION everybody()"}, "function public.everybody()", "of the extension plpgsql"},
	"no viewer's door":  {"viewer-door", []string{"DROP FUNCTION tenantry.viewer_memberships()"}, "function tenantry.viewer_memberships()", "is not as the migrations made it"},
	"another's door":    {"viewer-door", []string{"ALTER FUNCTION tenantry.viewer_memberships() OWNER TO CURRENT_USER"}, "function tenantry.viewer_memberships()", "is not as the migrations made it"},
	"a loose path":      {"viewer-door", []string{"ALTER FUNCTION tenantry.viewer_memberships() SET search_path = public, pg_catalog"}, "function tenantry.viewer_memberships()", "is not as the migrations made it"},
	"a door for all":    {"viewer-door", []string{"GRANT EXECUTE ON FUNCTION tenantry.viewer_memberships() TO PUBLIC"}, "function tenantry.viewer_memberships()", "is not as the migrations made it"},
	"a door that is no": {"viewer-door", []string{"ALTER FUNCTION tenantry.viewer_memberships() SECURITY INVOKER"}, "function tenantry.viewer_memberships()", "is not as the migrations made it"},
}
