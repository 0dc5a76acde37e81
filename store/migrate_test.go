package store_test

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"

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
