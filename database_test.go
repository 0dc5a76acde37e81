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
		db, _, err := openDatabase(t.Context(), config, reached.URL, slog.New(slog.NewTextHandler(&log, nil)))
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
