package dbtest

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestConfigICUSortsAsICUDoes(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), ConfigICU(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var provider string
	var sorts, migrated bool
	err = conn.QueryRow(t.Context(), `SELECT datlocprovider::text, 'a' < 'B', to_regclass('clerk.inbox') IS NOT NULL
		FROM pg_database WHERE datname = current_database()`).Scan(&provider, &sorts, &migrated)
	if err != nil || provider != "i" || !sorts || !migrated {
		t.Errorf("provider %s, a before B %t, migrated %t, %v", provider, sorts, migrated, err)
	}
}
