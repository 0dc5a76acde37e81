package store_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// newestMigration is the version that a migrated database has.
func newestMigration(t *testing.T, url string) int64 {
	t.Helper()
	schema, err := store.Migrate(t.Context(), url)
	if err != nil || len(schema.Applied) > 0 || schema.Version == 0 {
		t.Fatalf("%+v, %v", schema, err)
	}
	return schema.Version
}

// A login that owns nothing serves from a current schema, with no other login beside it.
func TestServingLogin(t *testing.T) {
	t.Parallel()
	owner := dbtest.New(t)
	web := dbtest.ServingLogin(t, owner)
	if version := newestMigration(t, web); version != newestMigration(t, owner) {
		t.Errorf("it finds version %d", version)
	}
	const issuer = "https://clerk.one.example"
	if _, err := store.Claim(t.Context(), web, issuer); err == nil || !strings.Contains(err.Error(), "tenantry migrate") || !strings.Contains(err.Error(), "CLERK_PUBLISHABLE_KEY") {
		t.Errorf("of nobody's database: %v", err)
	}
	if first, err := store.Claim(t.Context(), owner, issuer); !first || err != nil {
		t.Fatal(err)
	}
	if first, err := store.Claim(t.Context(), web, issuer); first || err != nil {
		t.Errorf("%v, %v", first, err)
	}
	if _, err := store.Claim(t.Context(), web, "https://clerk.two.example"); err == nil || !strings.Contains(err.Error(), "holds the organizations of "+issuer) {
		t.Errorf("another instance: %v", err)
	}

	s := dbtest.OpenWith(t, store.Config{URL: web})
	other := dbtest.OpenWith(t, store.Config{URL: web, MigrateURL: owner})
	led, err := s.Lead(t.Context(), "a", func(ctx context.Context) error {
		led, err := other.Lead(ctx, "a", func(context.Context) error { return nil })
		if led {
			t.Error("two lead, one by each login")
		}
		return err
	})
	if !led || err != nil {
		t.Errorf("lead: %v, %v", led, err)
	}
	watching, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	heard := false
	err = s.WatchChanges(watching, onChanged(func() { heard = true; stop() }))
	if !heard {
		t.Errorf("watch: %v", err)
	}

	conn, err := pgx.Connect(t.Context(), web)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, statement := range []string{
		"UPDATE tenantry.instance SET clerk_issuer = 'https://clerk.two.example'", "DELETE FROM tenantry.migrations",
		"INSERT INTO tenantry.migrations (version_id, is_applied) VALUES (99, true)", "CREATE TABLE tenantry.more ()", "DROP TABLE documents",
	} {
		if _, err := conn.Exec(t.Context(), statement); err == nil {
			t.Errorf("it may: %s", statement)
		}
	}
	asOwner(t, owner, "ALTER TABLE documents NO FORCE ROW LEVEL SECURITY")
	if s, err := store.Open(t.Context(), store.Config{URL: web}); err == nil {
		s.Close()
		t.Error("it opens what is not safe to serve from")
	}
}

type onChanged func()

func (f onChanged) Changed([]store.Change, time.Time) { f() }

// Where a migration is missing, a login that may not run it is told the command, and nothing is changed.
func TestServingLoginOnAnOlderSchema(t *testing.T) {
	t.Parallel()
	const readableSince = 14
	empty := dbtest.Empty(t)
	if err := store.MigrateTo(t.Context(), empty, readableSince-1); err != nil {
		t.Fatal(err)
	}
	web := dbtest.ServingLogin(t, empty)
	refused := func(url string) {
		t.Helper()
		schema, err := store.Migrate(t.Context(), url)
		if err == nil || len(schema.Applied) > 0 {
			t.Fatalf("%+v, %v", schema, err)
		}
		for _, want := range []string{"`tenantry migrate`", "DATABASE_MIGRATE_URL", "_web", ".sql"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("no %s in: %v", want, err)
			}
		}
	}
	refused(web)
	schema, err := store.Migrate(t.Context(), empty)
	if err != nil || len(schema.Applied) == 0 || schema.Applied[0].Version != readableSince || schema.Applied[0].Name != "00014_readable.sql" {
		t.Fatalf("the owner: %+v, %v", schema, err)
	}
	if last := schema.Applied[len(schema.Applied)-1]; last.Version != schema.Version || last.Took <= 0 {
		t.Errorf("%+v", schema)
	}
	if version := newestMigration(t, web); version != schema.Version {
		t.Errorf("version %d", version)
	}
	asOwner(t, empty, "DELETE FROM tenantry.migrations WHERE version_id = 5")
	refused(web)
}

// Servers of an older build go on while, and after, a newer one has migrated.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	owner := dbtest.New(t)
	asOwner(t, owner, "INSERT INTO tenantry.migrations (version_id, is_applied) VALUES (20991231235959, true)")
	for _, url := range []string{owner, dbtest.ServingLogin(t, owner)} {
		if version := newestMigration(t, url); version != 20991231235959 {
			t.Errorf("version %d", version)
		}
		dbtest.OpenWith(t, store.Config{URL: url})
	}
}

// Logins to which nothing was granted, before and after the first migration.
func TestLoginWithoutRights(t *testing.T) {
	t.Parallel()
	empty, migrated := dbtest.Empty(t), dbtest.New(t)
	for owner, want := range map[string]string{empty: "`tenantry migrate`", migrated: "let the owner run: GRANT "} {
		parsed, err := url.Parse(owner)
		if err != nil {
			t.Fatal(err)
		}
		login := strings.TrimPrefix(parsed.Path, "/") + "_nobody"
		conn, err := pgx.Connect(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), "CREATE ROLE "+login+" LOGIN"); err != nil {
			t.Fatal(err)
		}
		parsed.User = url.User(login)
		if schema, err := store.Migrate(t.Context(), parsed.String()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v, %v; want %q", schema, err, want)
		}
	}
}
