package store_test

import (
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// Several servers start at once on an empty database: one migrates, the others wait, all go on.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := dbtest.Empty(t)
	var servers sync.WaitGroup
	for range 4 {
		servers.Go(func() {
			if err := store.Migrate(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	servers.Wait()
	s, err := store.Open(t.Context(), store.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}
