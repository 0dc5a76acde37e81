package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/dbtest"
)

// A server whose requests use all of their connections is busy and ready; one whose database is away is not ready.
func TestReadinessTellsBusyFromAway(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	config.MaxConnections, config.LockTimeout = 2, time.Minute
	p := parts{store: dbtest.OpenWith(t, config)}
	const issuer = "https://clerk.app.example"
	var err error
	if p.verifier, err = auth.NewVerifier(auth.Config{Issuer: issuer, PEM: newInstance(t, issuer).pem()}); err != nil {
		t.Fatal(err)
	}
	ready := func() (status int, database string) {
		recorder := httptest.NewRecorder()
		readiness{parts: p, draining: func() bool { return false }}.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
		var answer map[string]string
		if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		return recorder.Code, answer["database"]
	}
	want := func(when string, status int, database string) {
		t.Helper()
		for range 500 {
			if gotStatus, gotDatabase := ready(); gotStatus == status && gotDatabase == database {
				return
			} else if gotStatus != 200 && status == 200 {
				t.Fatalf("%s: %d %s", when, gotStatus, gotDatabase)
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("%s: never %d %s", when, status, database)
	}
	want("at first", 200, "ok")

	owner, err := pgx.Connect(t.Context(), dbtest.OwnerURL(config))
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.Background())
	if _, err := owner.Exec(t.Context(), "BEGIN; LOCK TABLE documents"); err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	for range 5 {
		waiting.Go(func() {
			if _, err := p.store.Org("org_acme").CountDocuments(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	want("while requests wait", 200, "busy")
	if _, err := owner.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	waiting.Wait()
	want("afterwards", 200, "ok")

	elsewhere, err := pgx.ParseConfig(dbtest.OwnerURL(config))
	if err != nil {
		t.Fatal(err)
	}
	database := elsewhere.Database
	elsewhere.Database = "postgres" // a database is closed from another one
	administrator, err := pgx.ConnectConfig(t.Context(), elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	defer administrator.Close(context.Background())
	alter := func(allow string) {
		if _, err := administrator.Exec(t.Context(), "ALTER DATABASE "+pgx.Identifier{database}.Sanitize()+" ALLOW_CONNECTIONS "+allow); err != nil {
			t.Fatal(err)
		}
	}
	alter("false")
	if _, err := administrator.Exec(t.Context(), "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", database); err != nil {
		t.Fatal(err)
	}
	want("without the database", 503, "does not answer")
	alter("true")
	want("with the database again", 200, "ok")
}
