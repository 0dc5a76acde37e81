package store_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// asOwner runs statements as the owner of a database. {request} stands for the request role.
func asOwner(t testing.TB, ownerURL string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var role string
	if err := conn.QueryRow(t.Context(), "SELECT request_role FROM tenantry.instance").Scan(&role); err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), strings.ReplaceAll(statement, "{request}", pgx.Identifier{role}.Sanitize())); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Each danger keeps the store shut, and the error says what mends it.
func TestOpenRefusesDangers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		statements []string
		want       string
	}{
		"no row security":   {[]string{"ALTER TABLE documents DISABLE ROW LEVEL SECURITY"}, "CALL tenantry.own_table('public.documents')"},
		"not forced":        {[]string{"ALTER TABLE documents NO FORCE ROW LEVEL SECURITY"}, "table public.documents is not fenced"},
		"no policy":         {[]string{"DROP POLICY organization_only ON members"}, "table public.members is not fenced"},
		"permissive policy": {[]string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents USING (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))"}, "table public.documents is not fenced"},
		"loose policy":      {[]string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE USING (organization_id <> '') WITH CHECK (organization_id <> '')"}, "table public.documents is not fenced"},
		"policy with a way round": {[]string{"DROP POLICY organization_only ON documents", `CREATE POLICY organization_only ON documents AS RESTRICTIVE
			USING (organization_id = NULLIF(current_setting('tenantry.organization', true), '') OR title = 'x')
			WITH CHECK (organization_id = NULLIF(current_setting('tenantry.organization', true), '') OR title = 'x')`}, "table public.documents is not fenced"},
		"reads only":        {[]string{"DROP POLICY organization_only ON documents", "CREATE POLICY organization_only ON documents AS RESTRICTIVE FOR SELECT USING (organization_id = NULLIF(current_setting('tenantry.organization', true), ''))"}, "table public.documents is not fenced"},
		"a new table":       {[]string{"CREATE TABLE public.unfenced (organization_id text, id uuid)", "GRANT SELECT ON public.unfenced TO {request}"}, "CALL tenantry.own_table('public.unfenced')"},
		"a new schema":      {[]string{"CREATE SCHEMA extra", "CREATE TABLE extra.unfenced (organization_id text, id uuid)"}, "CALL tenantry.own_table('extra.unfenced')"},
		"an owning role":    {[]string{"GRANT CREATE ON SCHEMA public TO {request}", "CREATE TABLE public.mine (id int)", "ALTER TABLE public.mine OWNER TO {request}"}, "owns tables"},
		"a back door":       {[]string{"CREATE FUNCTION public.everybody() RETURNS SETOF documents LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM documents'"}, "function everybody() runs with its owner's rights"},
		"no viewer's door":  {[]string{"DROP FUNCTION tenantry.viewer_memberships()"}, "function tenantry.viewer_memberships() is not as the migrations made it"},
		"another's door":    {[]string{"ALTER FUNCTION tenantry.viewer_memberships() OWNER TO CURRENT_USER"}, "is not as the migrations made it"},
		"a loose path":      {[]string{"ALTER FUNCTION tenantry.viewer_memberships() SET search_path = public, pg_catalog"}, "is not as the migrations made it"},
		"a door for all":    {[]string{"GRANT EXECUTE ON FUNCTION tenantry.viewer_memberships() TO PUBLIC"}, "is not as the migrations made it"},
		"other roles noted": {[]string{"UPDATE tenantry.instance SET request_role = 'nobody_has_this'"}, "cannot act as role"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := dbtest.Config(t)
			asOwner(t, dbtest.OwnerURL(config), test.statements...)
			s, err := store.Open(t.Context(), config)
			if err == nil {
				s.Close()
				t.Fatal("it opens")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v\nwant %q", err, test.want)
			}
		})
	}
}

// A role that row level security does not hold. In a database of its own: roles belong to the cluster, and the clones of
// one template share theirs.
func TestOpenRefusesPowerfulRole(t *testing.T) {
	t.Parallel()
	for _, power := range []string{"SUPERUSER", "BYPASSRLS"} {
		empty := dbtest.Empty(t)
		if err := store.Migrate(t.Context(), empty); err != nil {
			t.Fatal(err)
		}
		asOwner(t, empty, "ALTER ROLE {request} "+power)
		if _, err := store.Open(t.Context(), store.Config{URL: empty}); err == nil || !strings.Contains(err.Error(), "NOSUPERUSER NOBYPASSRLS") {
			t.Errorf("with %s: %v", power, err)
		}
		asOwner(t, empty, "ALTER ROLE {request} NOSUPERUSER NOBYPASSRLS")
		s, err := store.Open(t.Context(), store.Config{URL: empty})
		if err != nil {
			t.Fatalf("mended as told: %v", err)
		}
		s.Close()
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
