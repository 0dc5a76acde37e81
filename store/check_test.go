package store_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// asOwner runs statements as the owner of a database. {request} and {mirror} stand for the roles.
func asOwner(t testing.TB, ownerURL string, statements ...string) {
	t.Helper()
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["search_path"] = "public" // as in migrations
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var request, mirror string
	if err := conn.QueryRow(t.Context(), "SELECT request_role, mirror_role FROM tenantry.instance").Scan(&request, &mirror); err != nil {
		t.Fatal(err)
	}
	roles := strings.NewReplacer("{request}", pgx.Identifier{request}.Sanitize(), "{mirror}", pgx.Identifier{mirror}.Sanitize())
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), roles.Replace(statement)); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// breach breaks what one check is about. {request} stands for the request role.
type breach struct {
	check      string
	statements []string
	where      string
	what       string
}

const (
	fencePolicy = `organization_id = NULLIF(current_setting('tenantry.organization', true), '')`
	// notes is a table as it should be.
	notes = `CREATE TABLE notes (organization_id text COLLATE "C" NOT NULL, id uuid NOT NULL, body text NOT NULL, document_id uuid,
		PRIMARY KEY (organization_id, id)); CALL tenantry.own_table('notes')`
)

// breaches have at least one for each check but the few that are tried on their own below.
var breaches = map[string]breach{
	"no row security":  {"fence", []string{"ALTER TABLE documents DISABLE ROW LEVEL SECURITY"}, "public.documents", "row level security is not enabled"},
	"not forced":       {"fence", []string{"ALTER TABLE documents NO FORCE ROW LEVEL SECURITY"}, "public.documents", "not forced"},
	"no policy":        {"fence", []string{"DROP POLICY organization_only ON members"}, "public.members", "no restrictive policy"},
	"permissive alone": {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents USING (" + fencePolicy + ")"}, "public.documents", "no restrictive policy"},
	"loose policy":     {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE USING (organization_id <> '') WITH CHECK (organization_id <> '')"}, "public.documents", "no restrictive policy"},
	"a way round": {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE USING (" + fencePolicy +
		" OR title = 'x') WITH CHECK (" + fencePolicy + " OR title = 'x')"}, "public.documents", "no restrictive policy"},
	"another default": {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE " +
		"USING (organization_id = NULLIF(current_setting('tenantry.organization', true), 'x'))"}, "public.documents", "no restrictive policy"},
	"reads alone":    {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE FOR SELECT USING (" + fencePolicy + ")"}, "public.documents", "no restrictive policy"},
	"writes open":    {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE USING (" + fencePolicy + ") WITH CHECK (true)"}, "public.documents", "no restrictive policy"},
	"one role alone": {"fence", []string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE TO {request} USING (" + fencePolicy + ")"}, "public.documents", "no restrictive policy"},
	"a new table":    {"fence", []string{`CREATE TABLE "Notes" (organization_id text COLLATE "C" NOT NULL, id uuid)`}, `public."Notes"`, "neither row level security nor a policy"},
	"a new schema":   {"fence", []string{`CREATE SCHEMA extra`, `CREATE TABLE extra.notes (organization_id text COLLATE "C" NOT NULL, id uuid)`}, "extra.notes", "neither row level security nor a policy"},
	"a partition": {"fence", []string{
		`CREATE TABLE notes (organization_id text COLLATE "C" NOT NULL, id uuid NOT NULL, PRIMARY KEY (organization_id, id)) PARTITION BY HASH (organization_id)`,
		"CREATE TABLE notes_0 PARTITION OF notes FOR VALUES WITH (MODULUS 1, REMAINDER 0)", "CALL tenantry.own_table('notes')",
	}, "public.notes_0", "neither row level security nor a policy"},
	"nobody's way in":     {"reach", []string{"DROP POLICY organization_rows ON documents"}, "public.documents", "no permissive policy"},
	"a slow policy":       {"slow-policy", []string{"CREATE POLICY narrow ON documents AS RESTRICTIVE USING (lower(title) <> 'x')"}, "public.documents", "narrow, which calls for each row: lower(text)"},
	"a volatile policy":   {"slow-policy", []string{"CREATE POLICY narrow ON documents AS RESTRICTIVE USING (random() < 2)"}, "public.documents", "random(), which is volatile"},
	"a policy that looks": {"slow-policy", []string{"CREATE POLICY narrow ON documents USING (EXISTS (SELECT FROM members))"}, "public.documents", "a sub-select"},
	"organization or not": {"column-null", []string{"CREATE TABLE notes (organization_id text COLLATE \"C\")", "CALL tenantry.own_table('notes')"}, "public.notes", "without an organization"},
	"ids without case": {"column-type", []string{
		"CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
		"CREATE TABLE notes (organization_id text COLLATE blind NOT NULL, PRIMARY KEY (organization_id))", "CALL tenantry.own_table('notes')",
	}, "public.notes", "takes different ids for the same"},
	"ids of another type": {"column-type", []string{"CREATE TABLE notes (organization_id uuid NOT NULL)"}, "public.notes", "of the type uuid"},

	"a key of all":           {"unique", []string{notes, "ALTER TABLE notes DROP CONSTRAINT notes_pkey, ADD PRIMARY KEY (id)"}, "public.notes", "the constraint notes_pkey"},
	"unique among all":       {"unique", []string{"ALTER TABLE documents ADD CONSTRAINT titles UNIQUE (title)"}, "public.documents", "the constraint titles"},
	"a unique index":         {"unique", []string{"CREATE UNIQUE INDEX titles ON documents (lower(title) DESC, created_at) INCLUDE (organization_id) WHERE version > 1"}, "public.documents", "the index public.titles"},
	"an exclusion":           {"unique", []string{"CREATE EXTENSION btree_gist", "ALTER TABLE documents ADD CONSTRAINT once EXCLUDE USING gist (author_id WITH =, tstzrange(created_at, updated_at) WITH &&)"}, "public.documents", "the constraint once"},
	"a key that is referred": {"unique", []string{notes, "ALTER TABLE documents ADD CONSTRAINT by_id UNIQUE (id)", "ALTER TABLE notes ADD CONSTRAINT of_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE"}, "public.documents", "the constraint by_id"},
	"a foreign key":          {"foreign-key", []string{notes, "ALTER TABLE documents ADD CONSTRAINT by_id UNIQUE (id)", "ALTER TABLE notes ADD CONSTRAINT of_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE SET NULL DEFERRABLE"}, "public.notes", "the foreign key of_document"},
	"a crossed foreign key":  {"foreign-key", []string{notes, "ALTER TABLE notes ADD COLUMN other text, ADD UNIQUE (organization_id, other)", "ALTER TABLE notes ADD CONSTRAINT crossed FOREIGN KEY (other, organization_id) REFERENCES notes (organization_id, other)"}, "public.notes", "the foreign key crossed"},
	"an index of all":        {"index", []string{"CREATE INDEX by_author ON documents (author_id DESC NULLS LAST)"}, "public.documents", "the index public.by_author"},
	"an index that ends so":  {"index", []string{"CREATE UNIQUE INDEX by_author ON documents (author_id, organization_id, id)"}, "public.documents", "the index public.by_author"},
	"a hash index":           {"index", []string{"CREATE INDEX by_author ON documents USING hash (author_id)"}, "public.documents", "the index public.by_author"},
	"an index of words":      {"index", []string{"CREATE INDEX words ON documents USING gin (to_tsvector('simple', content))"}, "public.documents", "the index public.words"},
	"a key the wrong way":    {"index", []string{notes, "ALTER TABLE notes DROP CONSTRAINT notes_pkey, ADD PRIMARY KEY (id, organization_id)"}, "public.notes", "the constraint notes_pkey"},

	"a view":               {"view", []string{"CREATE VIEW titles AS SELECT title FROM documents", "GRANT SELECT ON titles TO {request}"}, "public.titles", "is a view"},
	"a view of a column":   {"view", []string{"CREATE VIEW titles WITH (security_invoker = off) AS SELECT title FROM documents", "GRANT SELECT (title) ON titles TO PUBLIC"}, "public.titles", "is a view"},
	"a stored view":        {"unfenceable", []string{"CREATE MATERIALIZED VIEW titles AS SELECT title FROM documents", "GRANT SELECT ON titles TO PUBLIC"}, "public.titles", "is a materialized view"},
	"a table elsewhere":    {"unfenceable", []string{"CREATE FOREIGN DATA WRAPPER nowhere", "CREATE SERVER there FOREIGN DATA WRAPPER nowhere", "CREATE FOREIGN TABLE notes (organization_id text) SERVER there", "GRANT INSERT ON notes TO {request}"}, "public.notes", "is a foreign table"},
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
	"an owned table":    {"ownership", []string{"CREATE TABLE mine (id int)", "GRANT CREATE ON SCHEMA public TO {request}", "ALTER TABLE mine OWNER TO {request}", "REVOKE CREATE ON SCHEMA public FROM {request}"}, "role ", "owns public.mine"},
	"an owned schema":   {"ownership", []string{"CREATE SCHEMA mine AUTHORIZATION {request}"}, "role ", "owns the schema mine"},
	"a back door":       {"back-door", []string{"CREATE FUNCTION everybody() RETURNS SETOF documents LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM documents'"}, "function public.everybody()", "runs with its owner's rights"},
	"a back procedure":  {"back-door", []string{"CREATE PROCEDURE clear_all(text) LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM documents'", "REVOKE ALL ON PROCEDURE clear_all FROM PUBLIC", "GRANT EXECUTE ON PROCEDURE clear_all TO {request}"}, "function public.clear_all(text)", "runs with its owner's rights"},
	"an extension's":    {"extension-function", []string{"CREATE FUNCTION everybody() RETURNS SETOF documents LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM documents'", "ALTER EXTENSION plpgsql ADD FUNCTION everybody()"}, "function public.everybody()", "of the extension plpgsql"},
	"no viewer's door":  {"viewer-door", []string{"DROP FUNCTION tenantry.viewer_memberships()"}, "function tenantry.viewer_memberships()", "is not as the migrations made it"},
	"another's door":    {"viewer-door", []string{"ALTER FUNCTION tenantry.viewer_memberships() OWNER TO CURRENT_USER"}, "function tenantry.viewer_memberships()", "is not as the migrations made it"},
	"a loose path":      {"viewer-door", []string{"ALTER FUNCTION tenantry.viewer_memberships() SET search_path = public, pg_catalog"}, "function tenantry.viewer_memberships()", "is not as the migrations made it"},
	"a door for all":    {"viewer-door", []string{"GRANT EXECUTE ON FUNCTION tenantry.viewer_memberships() TO PUBLIC"}, "function tenantry.viewer_memberships()", "is not as the migrations made it"},
	"a door that is no": {"viewer-door", []string{"ALTER FUNCTION tenantry.viewer_memberships() SECURITY INVOKER"}, "function tenantry.viewer_memberships()", "is not as the migrations made it"},
}

// Each is named, keeps the store shut if it is dangerous, and is mended by the SQL that it comes with.
func TestBreachesAreNamedAndMended(t *testing.T) {
	t.Parallel()
	for name, test := range breaches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := dbtest.Config(t)
			owner := dbtest.OwnerURL(config)
			asOwner(t, owner, test.statements...)
			found := namedIn(t, config, test)
			s, err := store.Open(t.Context(), config)
			if err == nil {
				s.Close()
			}
			if found.Severity == store.Danger && (err == nil || !strings.Contains(err.Error(), found.Violations[0].Mend[:20])) {
				t.Errorf("it is dangerous, but opening says %v", err)
			}
			mendAll(t, config)
		})
	}
}

// Each check has been seen to fail: here, or in a test of its own.
func TestEveryCheckIsBroken(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"scope": true, "version": true, "effective-role": true, "role-powers": true, "membership": true}
	for _, test := range breaches {
		seen[test.check] = true
	}
	for _, checked := range examine(t, dbtest.Config(t)) {
		if checked.Name != "version" && checked.Result() != "ok" {
			t.Errorf("after the migrations alone: %+v", checked)
		}
		if !seen[checked.Name] {
			t.Errorf("nothing breaks the check %s", checked.Name)
		}
		delete(seen, checked.Name)
	}
	for name := range seen {
		t.Errorf("there is no check %s", name)
	}
}

func examine(t testing.TB, config store.Config) store.Examination {
	t.Helper()
	examination, err := store.Examine(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return examination
}

// namedIn returns the check that names the breach.
func namedIn(t *testing.T, config store.Config, test breach) store.Checked {
	t.Helper()
	for _, checked := range examine(t, config) {
		for _, violation := range checked.Violations {
			if checked.Name == test.check && strings.HasPrefix(violation.Where, test.where) && strings.Contains(violation.What, test.what) {
				return checked
			}
		}
	}
	t.Fatalf("%s does not name %s %q: %+v", test.check, test.where, test.what, examine(t, config))
	return store.Checked{}
}

// mendAll runs what every violation comes with, in their order, and expects none to be left.
func mendAll(t *testing.T, config store.Config) {
	t.Helper()
	for _, checked := range examine(t, config) {
		for _, violation := range checked.Violations {
			if checked.Name != "version" {
				asOwner(t, dbtest.OwnerURL(config), violation.Mend)
			}
		}
	}
	for _, checked := range examine(t, config) {
		if checked.Name != "version" && checked.Result() != "ok" {
			t.Errorf("left after mending: %+v", checked)
		}
	}
	s, err := store.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// Powers and memberships of a role. In a database of its own: roles belong to the cluster, and the clones of one template
// share theirs.
func TestRolesThatMayTooMuch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]breach{
		"superuser":  {"role-powers", []string{"ALTER ROLE {request} SUPERUSER"}, "role ", "is superuser"},
		"bypass":     {"role-powers", []string{"ALTER ROLE {request} BYPASSRLS"}, "role ", "has BYPASSRLS"},
		"mirror":     {"role-powers", []string{"ALTER ROLE {mirror} BYPASSRLS"}, "role ", "has BYPASSRLS"},
		"createrole": {"role-powers", []string{"ALTER ROLE {request} CREATEROLE"}, "role ", "has CREATEROLE"},
		"a member":   {"membership", []string{"GRANT {mirror} TO {request}"}, "role ", "is a member of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			empty := dbtest.Empty(t)
			if err := store.Migrate(t.Context(), empty); err != nil {
				t.Fatal(err)
			}
			config := store.Config{URL: empty}
			asOwner(t, empty, test.statements...)
			namedIn(t, config, test)
			if s, err := store.Open(t.Context(), config); err == nil {
				s.Close()
				t.Error("it opens")
			}
			mendAll(t, config)
		})
	}
}

// A role that is not the login's, and one that is nobody's.
func TestDoorsThatAreShut(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	asOwner(t, dbtest.OwnerURL(config), "UPDATE tenantry.instance SET request_role = 'nobody_has_this'")
	namedIn(t, config, breach{"effective-role", nil, `role "nobody_has_this"`, "does not exist"})
	if s, err := store.Open(t.Context(), config); err == nil || !strings.Contains(err.Error(), `CREATE ROLE "nobody_has_this"`) {
		t.Errorf("%v %v", s, err)
	}

	empty := dbtest.Empty(t)
	if err := store.Migrate(t.Context(), empty); err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(empty)
	if err != nil {
		t.Fatal(err)
	}
	login := strings.TrimPrefix(parsed.Path, "/") + "_login"
	asOwner(t, empty, "CREATE ROLE "+login+" LOGIN", "GRANT {mirror} TO "+login)
	parsed.User = url.User(login)
	config = store.Config{URL: parsed.String(), MigrateURL: empty, Scope: store.ScopeTransaction}
	namedIn(t, config, breach{"effective-role", nil, "role ", "cannot be acted as"})
	mendAll(t, config)
}

// What PostgreSQL's releases fixed, by server_version_num.
func TestVersions(t *testing.T) {
	t.Parallel()
	for number, want := range map[int][]string{
		180000: nil, 190001: nil, 170006: nil, 160010: nil, 150014: nil, 140019: nil, 130022: nil, 150018: nil,
		170005: {"CVE-2025-8713", "Install PostgreSQL 17.6 or a later 17"},
		150013: {"PostgreSQL 15.13", "CVE-2025-8713", "Install PostgreSQL 15.14 or a later 15"},
		160004: {"CVE-2024-10976", "CVE-2025-8713", "16.10"},
		130016: {"CVE-2024-10976", "CVE-2025-8713", "13.22"},
		120022: {"CVE-2025-8713", "move to a major version"},
		110022: {"CVE-2024-10976", "CVE-2025-8713", "move to a major version"},
	} {
		found := fmt.Sprint(store.VersionViolations(number))
		if want == nil && found != "[]" {
			t.Errorf("%d: %s", number, found)
		}
		for _, part := range want {
			if !strings.Contains(found, part) {
				t.Errorf("%d: %s, want %q", number, found, part)
			}
		}
	}
	if found := fmt.Sprint(store.VersionViolations(170000)); !strings.Contains(found, "17.6") || !strings.Contains(found, "CVE-2024-10976") {
		t.Error(found)
	}
	if found := fmt.Sprint(store.VersionViolations(120022)); strings.Contains(found, "10976") {
		t.Error(found)
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := store.Open(t.Context(), store.Config{URL: dbtest.Empty(t)}); err == nil || !strings.Contains(err.Error(), "run the migrations first") {
		t.Errorf("an empty database: %v", err)
	}
	const secret = "hunter2-canary"
	for _, bad := range []string{"postgres://user:" + secret + "@[::1/db", "hello " + secret, "postgres://user:" + secret + "@127.0.0.1:1/db?connect_timeout=1"} {
		_, err := store.Open(t.Context(), store.Config{URL: bad})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("the password in an error: %v", err)
		}
		if err := store.Migrate(t.Context(), bad); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("the password in an error: %v", err)
		}
	}
	if _, err := store.Open(t.Context(), store.Config{URL: "postgres://user@127.0.0.1:1/db?connect_timeout=1&pool_max_conns=7"}); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("nobody listens: %v", err)
	}
}

// A transaction-mode pooler under connection scope would mix organizations.
func TestOpenDetectsPooler(t *testing.T) {
	t.Parallel()
	direct := dbtest.New(t)
	pooled := dbtest.PgBouncer(t, direct, "transaction")
	s, err := store.Open(t.Context(), store.Config{URL: pooled, MigrateURL: direct, Scope: store.ScopeConnection})
	if err == nil {
		s.Close()
		t.Fatal("it opens")
	}
	if !strings.Contains(err.Error(), "TENANTRY_SCOPE=transaction") {
		t.Error(err)
	}
	// Everything else is looked at nevertheless, but for what would set the role of the pooler's other clients.
	asOwner(t, direct, "DROP POLICY organization_only ON documents")
	for _, checked := range examine(t, store.Config{URL: pooled, MigrateURL: direct, Scope: store.ScopeConnection}) {
		bad := checked.Name == "scope" || checked.Name == "effective-role" || checked.Name == "fence"
		if checked.Name != "version" && (checked.Result() != "ok") != bad {
			t.Errorf("%+v", checked)
		}
	}
	asOwner(t, direct, "CREATE POLICY organization_only ON documents AS RESTRICTIVE USING ("+fencePolicy+") WITH CHECK ("+fencePolicy+")")
	s, err = store.Open(t.Context(), store.Config{URL: pooled, MigrateURL: direct, Scope: store.ScopeTransaction})
	if err != nil {
		t.Fatalf("as told: %v", err)
	}
	s.Close()
}

func TestClaim(t *testing.T) {
	t.Parallel()
	url := dbtest.New(t)
	for i, want := range []bool{true, false} {
		if first, err := store.Claim(t.Context(), url, "https://clerk.one.example"); first != want || err != nil {
			t.Errorf("claim %d: %v %v", i, first, err)
		}
	}
	if _, err := store.Claim(t.Context(), url, "https://clerk.two.example"); err == nil || !strings.Contains(err.Error(), "holds the organizations of https://clerk.one.example") {
		t.Errorf("another instance: %v", err)
	}
}

// A login that may not create roles is told what an administrator runs, and that is enough.
func TestMigrateWithoutTheRightToMakeRoles(t *testing.T) {
	t.Parallel()
	admin := dbtest.Empty(t)
	parsed, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(parsed.Path, "/")
	login := name + "_plain"
	conn, err := pgx.Connect(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	run := func(statement string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	run("CREATE ROLE " + login + " LOGIN")
	run("ALTER DATABASE " + name + " OWNER TO " + login)
	parsed.User = url.User(login)

	err = store.Migrate(t.Context(), parsed.String())
	if err == nil || !strings.Contains(err.Error(), "may not create roles") {
		t.Fatalf("%v", err)
	}
	for line := range strings.Lines(err.Error()) {
		if statement := strings.TrimSpace(line); strings.HasSuffix(statement, ";") {
			run(statement)
		}
	}
	if err := store.Migrate(t.Context(), parsed.String()); err != nil {
		t.Fatalf("after what it said: %v", err)
	}
	s, err := store.Open(t.Context(), store.Config{URL: parsed.String()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	document := dbtest.Document(t, s.Org(acme), models.Document{})
	if _, err := s.Org(globex).Document(t.Context(), document.ID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("another organization's document: %v", err)
	}
}
