package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/cli"
	"github.com/tenantry/tenantry/internal/dbtest"
)

// What is odd is served with and told in a line; what is dangerous is not served with.
func TestServingWithWarningsAndNotWithDangers(t *testing.T) {
	t.Parallel()
	reached := dbtest.Config(t)
	conn, err := pgx.Connect(t.Context(), dbtest.OwnerURL(reached))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	open := func(sql string) (string, error) {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		config := cli.Config{DatabaseMigrateURL: dbtest.OwnerURL(reached), Scope: string(reached.Scope), Issuer: "https://clerk.example.com"}
		db, err := openDatabase(t.Context(), config, reached.URL, slog.New(slog.NewTextHandler(&log, nil)))
		if err == nil {
			db.Close()
		}
		return log.String(), err
	}
	if log, err := open("SELECT"); err != nil || strings.Contains(log, "check=index") {
		t.Errorf("%v, %s", err, log)
	}
	log, err := open("CREATE INDEX one ON public.documents (author_id); CREATE INDEX two ON public.documents (updated_at)")
	if err != nil || strings.Count(log, "check=index found=2") != 1 || strings.Count(log, "\n") != strings.Count(log, "level=WARN") {
		t.Errorf("%v, %s", err, log)
	}
	if _, err := open("GRANT TRUNCATE ON public.documents TO PUBLIC"); err == nil || !strings.Contains(err.Error(), "REVOKE TRUNCATE, REFERENCES, TRIGGER ON public.documents") {
		t.Errorf("%v", err)
	}
}

// Without DATABASE_MIGRATE_URL a login that owns nothing serves from a current schema, and is otherwise told the command.
func TestServingWithALoginThatOwnsNothing(t *testing.T) {
	t.Parallel()
	owner := dbtest.New(t)
	web := dbtest.ServingLogin(t, owner)
	open := func(url, migrateURL string) error {
		config := cli.Config{DatabaseMigrateURL: migrateURL, Issuer: "https://clerk.example.com"}
		db, err := openDatabase(t.Context(), config, url, slog.New(slog.DiscardHandler))
		if err == nil {
			if db.version == 0 {
				t.Error("no version of the schema")
			}
			db.Close()
		}
		return err
	}
	if err := open(web, ""); err == nil || !strings.Contains(err.Error(), "`tenantry migrate` with CLERK_PUBLISHABLE_KEY") {
		t.Errorf("of no Clerk instance yet: %v", err)
	}
	if err := open(web, owner); err != nil {
		t.Errorf("beside the owner: %v", err)
	}
	if err := open(web, ""); err != nil {
		t.Errorf("alone: %v", err)
	}
	conn, err := pgx.Connect(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "DELETE FROM tenantry.migrations WHERE version_id = 14"); err != nil {
		t.Fatal(err)
	}
	if err := open(web, ""); err == nil || !strings.Contains(err.Error(), "run `tenantry migrate` with DATABASE_MIGRATE_URL") {
		t.Errorf("with a migration missing: %v", err)
	}
	if err := open(web, owner); err != nil {
		t.Errorf("with a migration missing, beside the owner: %v", err)
	}
}
