package dbtest

import (
	"testing"

	"github.com/tenantry/tenantry/store"
)

// ConfigICU is Config with a database that sorts as ICU does in English ('a' before 'B'), for direct connections.
func ConfigICU(t testing.TB) store.Config {
	t.Helper()
	address := create(t, ours.need(t), " TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
	if _, err := store.Migrate(t.Context(), address); err != nil {
		t.Fatalf("migrate a database: %v", err)
	}
	return store.Config{URL: address, Scope: store.ScopeConnection}
}
