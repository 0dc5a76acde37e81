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
		if _, err := store.Migrate(t.Context(), bad); err == nil || strings.Contains(err.Error(), secret) {
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

	_, err = store.Migrate(t.Context(), parsed.String())
	if err == nil || !strings.Contains(err.Error(), "may not create roles") {
		t.Fatalf("%v", err)
	}
	for line := range strings.Lines(err.Error()) {
		if statement := strings.TrimSpace(line); strings.HasSuffix(statement, ";") {
			run(statement)
		}
	}
	if _, err := store.Migrate(t.Context(), parsed.String()); err != nil {
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
