package dbtest

import (
	"os"
	"testing"

	"github.com/tenantry/tenantry/store"
)

// ScopeVariable chooses how the tests reach PostgreSQL, so that the whole suite can be run each way: "connection" (the
// default), "transaction", or "pgbouncer", which is transaction scope through a real PgBouncer in transaction mode, with a
// login that has BYPASSRLS.
const ScopeVariable = "TENANTRY_TEST_SCOPE"

// Config returns how to open a fresh migrated database in the chosen scope.
func Config(t testing.TB) store.Config {
	t.Helper()
	url := New(t)
	switch scope := os.Getenv(ScopeVariable); scope {
	case "", string(store.ScopeConnection):
		return store.Config{URL: url, Scope: store.ScopeConnection}
	case string(store.ScopeTransaction):
		return store.Config{URL: url, Scope: store.ScopeTransaction}
	case "pgbouncer":
		return store.Config{URL: PgBouncer(t, bypassLogin(t, url), "transaction"), MigrateURL: url, Scope: store.ScopeTransaction}
	default:
		t.Fatalf("%s=%s: must be connection, transaction or pgbouncer", ScopeVariable, scope)
		return store.Config{}
	}
}

// Open returns a store over a fresh migrated database in the chosen scope.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return OpenWith(t, Config(t))
}

// OpenWith is Open with a configuration of the test's own, which began as Config.
func OpenWith(t testing.TB, config store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
