package store_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// Several servers start at once on an empty database: one migrates, the others wait, all go on.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := dbtest.Empty(t)
	var servers sync.WaitGroup
	var applied atomic.Int64
	for range 4 {
		servers.Go(func() {
			schema, err := store.Migrate(t.Context(), url)
			if err != nil || schema.Version == 0 {
				t.Error(schema, err)
			}
			applied.Add(int64(len(schema.Applied)))
		})
	}
	servers.Wait()
	files, err := os.ReadDir("migrations")
	if err != nil || applied.Load() != int64(len(files)) {
		t.Errorf("%d migrations were applied, %v", applied.Load(), err)
	}
	s, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// A migration does not wait for long behind a transaction that holds its table, and can be run again.
func TestMigrateBehindALock(t *testing.T) {
	t.Parallel()
	url := dbtest.Empty(t)
	if err := store.MigrateTo(t.Context(), url, 8); err != nil { // the next one changes members
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "BEGIN; SELECT FROM members"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Migrate(t.Context(), url); err == nil || !strings.Contains(err.Error(), "start again") {
		t.Errorf("got %v", err)
	}
	if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Errorf("again: %v", err)
	}
}
