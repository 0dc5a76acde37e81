package store

import (
	"context"
	"crypto/rand"

	"github.com/jackc/pgx/v5"
)

// checkScope finds a transaction-mode pooler under ScopeConnection. There a session's setting turns up in another client's
// transaction, and with it one organization's rows in another's answer.
func checkScope(ctx context.Context, config Config) (Checked, error) {
	c := Checked{Name: "scope", Holds: "TENANTRY_SCOPE fits the way to the database", Severity: Danger}
	if config.Scope != ScopeConnection {
		return c, nil
	}
	shared, err := sharesSettings(ctx, config)
	if shared {
		c.Violations = []Violation{{
			Where: "DATABASE_URL", What: "leads through a transaction-mode pooler: its connections share their settings",
			Mend: "-- Set TENANTRY_SCOPE=transaction, and DATABASE_MIGRATE_URL to a direct connection.",
		}}
	}
	return c, err
}

func sharesSettings(ctx context.Context, config Config) (bool, error) {
	pgxConfig, err := parseURL(config.URL)
	if err != nil {
		return false, err
	}
	pgxConfig.DefaultQueryExecMode = pgx.QueryExecModeExec // prepared statements would fail there first
	var ends [2]*pgx.Conn
	for i := range ends {
		conn, err := pgx.ConnectConfig(ctx, pgxConfig)
		if err != nil {
			return false, translate(err)
		}
		defer conn.Close(ctx)
		ends[i] = conn
	}
	const setting = "tenantry.pooled"
	ours := rand.Text()
	for range 3 {
		var seen string
		_, err := ends[0].Exec(ctx, "SELECT set_config($1, $2, false)", setting, ours)
		if err == nil {
			err = ends[1].QueryRow(ctx, "SELECT coalesce(current_setting($1, true), '')", setting).Scan(&seen)
		}
		if err != nil {
			return false, translate(err)
		}
		if seen == ours {
			return true, nil
		}
	}
	return false, nil
}
