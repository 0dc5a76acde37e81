// Package dbtest gives each test a PostgreSQL database of its own, on a private server that lives as long as the test
// binary. It knows which migrations there are, and nothing of what they make.
package dbtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// cleanupLimit bounds what is done after a test, whose own context has ended by then.
const cleanupLimit = 30 * time.Second

var (
	inMain   atomic.Bool
	ours     cluster
	creating sync.Mutex
)

// Main runs the tests of a package that uses this one: it is all that its TestMain does, or the end of it. The server is
// started when the first test asks for a database, and stopped here.
func Main(m *testing.M) {
	inMain.Store(true)
	m.Run() // the testing package exits with its result
	ours.stop()
}

// New gives the URL of a fresh database with all migrations applied, as the login that owns it. It is dropped when the
// test ends, whoever is still connected.
func New(t testing.TB) string {
	t.Helper()
	server := ours.need(t)
	template, err := ours.template(t.Context(), server)
	if err != nil {
		t.Fatalf("migrate a database: %v", err)
	}
	return create(t, server, " TEMPLATE "+pgx.Identifier{template}.Sanitize())
}

// Empty gives the URL of a fresh database without any tables, as the login that owns it. It is dropped when the test
// ends, with the roles that migrations have named after it.
func Empty(t testing.TB) string {
	t.Helper()
	return create(t, ours.need(t), "")
}

func create(t testing.TB, server, from string) string {
	t.Helper()
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	name := "tenantry_test_" + hex.EncodeToString(random)
	// Side by side they take longer: each writes a whole database to the disk.
	creating.Lock()
	err := execute(t.Context(), server, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+from)
	creating.Unlock()
	if err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupLimit)
		defer cancel()
		if err := drop(ctx, server, name); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return database(server, name)
}

// drop removes a database and the roles named after it, which belong to the whole server and would stay.
func drop(ctx context.Context, server, name string) error {
	if err := execute(ctx, server, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", name+"_")
	if err != nil {
		return err
	}
	roles, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, role := range roles {
		if _, err := conn.Exec(ctx, "DROP ROLE IF EXISTS "+pgx.Identifier{role}.Sanitize()); err != nil {
			return err
		}
	}
	return nil
}

func execute(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
