package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// The owner's login alone migrates, says what it applied, and notes the Clerk instance if it is told.
func TestMigrate(t *testing.T) {
	t.Parallel()
	url := dbtest.Empty(t)
	env := environment{"DATABASE_MIGRATE_URL": url}
	files, err := filepath.Glob("../../store/migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	first := run(t, env, "migrate")
	lines := strings.Split(strings.TrimSuffix(first.stdout, "\n"), "\n")
	if first.code != 0 || first.stderr != "" || len(lines) != len(files)+1 {
		t.Fatalf("exit %d, stderr %q, %d migrations, stdout:\n%s", first.code, first.stderr, len(files), first.stdout)
	}
	for i, file := range files {
		if want := regexp.MustCompile(`^applied ` + filepath.Base(file) + ` in \d+ ms$`); !want.MatchString(lines[i]) {
			t.Errorf("%q", lines[i])
		}
	}
	last := lines[len(files)]
	if !strings.HasPrefix(last, "the schema is at version ") {
		t.Errorf("%q", last)
	}
	if again := run(t, env, "migrate"); again.code != 0 || again.stdout != "nothing to do: "+last+"\n" {
		t.Errorf("exit %d, stdout %q, stderr %q", again.code, again.stdout, again.stderr)
	}

	var done migrated
	key := env.with("CLERK_PUBLISHABLE_KEY", publishable("live", "clerk.example.com"))
	if o := run(t, key, "migrate", "--json"); o.code != 0 || json.Unmarshal([]byte(o.stdout), &done) != nil ||
		done.Version != int64(len(files)) || len(done.Applied) != 0 || done.Issuer != "https://clerk.example.com" || !strings.Contains(o.stdout, `"applied": []`) {
		t.Errorf("exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
	if o := run(t, env, "migrate", "--clerk-issuer", "https://clerk.other.example"); o.code != 1 || o.stdout != "" || !strings.Contains(o.stderr, "holds the organizations of https://clerk.example.com") {
		t.Errorf("another instance: exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}

	web := dbtest.ServingLogin(t, url)
	change(t, url, "DELETE FROM tenantry.migrations WHERE version_id = 5")
	if o := run(t, environment{"DATABASE_URL": web}, "migrate"); o.code != 1 || o.stdout != "" || !strings.Contains(o.stderr, "DATABASE_MIGRATE_URL for the login that owns the tables") {
		t.Errorf("a login that may not: exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
	change(t, url, "INSERT INTO tenantry.migrations (version_id, is_applied) VALUES (5, true)")
	if o := run(t, key.with("DATABASE_URL", web).without("DATABASE_MIGRATE_URL"), "migrate"); o.code != 0 ||
		o.stdout != "nothing to do: "+last+"\nthe database belongs to the Clerk instance https://clerk.example.com\n" {
		t.Errorf("a login that need not: exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
}

// What was applied before a migration failed is said, and then why it failed.
func TestMigrateFailsHalfWay(t *testing.T) {
	t.Parallel()
	for _, format := range [][]string{nil, {"--json"}} {
		url := dbtest.Empty(t)
		change(t, url, "CREATE TABLE documents ()")
		o := run(t, environment{"DATABASE_URL": url}, append([]string{"migrate"}, format...)...)
		if o.code != 1 || strings.Count(o.stdout, ".sql") != 2 || !strings.Contains(o.stdout, "00002_clerk.sql") || strings.Contains(o.stdout, "the schema is") ||
			!strings.Contains(o.stderr, "documents") {
			t.Errorf("exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
		}
		if format != nil && !strings.Contains(o.stdout, `"version": 2,`) {
			t.Errorf("stdout %q", o.stdout)
		}
	}
}

func TestMigrateOfWhat(t *testing.T) {
	t.Parallel()
	const somewhere = "postgres://owner:pa55word@127.0.0.1:1/shop"
	for name, test := range map[string]struct {
		env  environment
		code int
		want []string
	}{
		"nothing given":   {nil, 1, []string{"no server runs here", "set DATABASE_URL", "A private PostgreSQL is migrated whenever its server starts"}},
		"no URL":          {environment{"DATABASE_MIGRATE_URL": "host=db"}, 2, []string{"DATABASE_MIGRATE_URL must begin with postgres://"}},
		"through poolers": {environment{"DATABASE_URL": somewhere, "TENANTRY_SCOPE": "transaction"}, 2, []string{"DATABASE_MIGRATE_URL is missing since TENANTRY_SCOPE is transaction"}},
		"a bad key":       {environment{"DATABASE_URL": somewhere, "CLERK_PUBLISHABLE_KEY": "pk_live_"}, 2, []string{"CLERK_PUBLISHABLE_KEY is damaged"}},
		"nobody there":    {environment{"DATABASE_URL": somewhere}, 1, []string{"migrate: "}},
	} {
		o := run(t, test.env, "migrate", "--dir", t.TempDir())
		if o.code != test.code || o.stdout != "" || strings.Contains(o.stderr, "pa55word") {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", name, o.code, o.stdout, o.stderr)
		}
		for _, want := range test.want {
			if !strings.Contains(o.stderr, want) {
				t.Errorf("%s: no %q in %q", name, want, o.stderr)
			}
		}
		if name == "no URL" && strings.Contains(o.stderr, "DATABASE_URL must") {
			t.Errorf("%s: it names a variable that was not set: %q", name, o.stderr)
		}
	}
}

// Without variables it is the private PostgreSQL of the server that runs in the folder.
func TestMigrateThePrivateDatabase(t *testing.T) {
	t.Parallel()
	url := dbtest.New(t)
	if !isSocket(url) {
		t.Logf("%s names no private PostgreSQL: nothing to look at", dbtest.Variable)
		return
	}
	dir := t.TempDir()
	if err := os.Mkdir(stateDir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Announce(stateDir(dir), Running{URL: "http://127.0.0.1:8080", Database: url}); err != nil {
		t.Fatal(err)
	}
	if o := run(t, nil, "migrate", "--dir", dir); o.code != 0 || !strings.HasPrefix(o.stdout, "nothing to do: ") {
		t.Errorf("exit %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
}

// change runs a statement as the owner.
func change(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}
