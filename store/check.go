package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
)

// check judges the database as requests will meet it: not the login, but what a statement of a request really runs as.
// It returns every danger, each with what mends it.
func (s *Store) check(ctx context.Context) []error {
	for _, d := range []*door{s.requests, s.mirror} {
		if err := d.checkRole(ctx); err != nil {
			return []error{err} // what follows would be asked as somebody else
		}
	}
	unprotected, err := s.unprotectedTables(ctx)
	if err != nil {
		return []error{err}
	}
	doors, err := s.backDoors(ctx)
	if err != nil {
		return []error{err}
	}
	return append(unprotected, doors...)
}

// checkRole returns an error unless a statement through this door runs as its role, and that role is held by row level
// security.
func (d *door) checkRole(ctx context.Context) error {
	var role struct {
		Name, Login        string
		Super, Bypass, Own bool
	}
	err := d.one(ctx, "", func(_ context.Context, db *gorm.DB) error {
		return db.Raw(`SELECT current_user AS name, session_user AS login, rolsuper AS super, rolbypassrls AS bypass,
			EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid) AS own
			FROM pg_roles WHERE rolname = current_user`).Scan(&role).Error
	})
	quoted := pgx.Identifier{d.role}.Sanitize()
	switch {
	case err != nil:
		return fmt.Errorf("cannot act as role %s: %w\n  as the owner: GRANT %s TO the login of DATABASE_URL", quoted, err, quoted)
	case role.Name != d.role:
		return fmt.Errorf("statements run as %q, not as %q; is there a transaction-mode pooler? then set TENANTRY_SCOPE=transaction", role.Name, d.role)
	case role.Super || role.Bypass:
		return fmt.Errorf("role %s is not held by row level security\n  ALTER ROLE %s NOSUPERUSER NOBYPASSRLS", quoted, quoted)
	case role.Own:
		return fmt.Errorf("role %s owns tables, and an owner can switch row level security off\n  REASSIGN OWNED BY %s TO the owner of the database", quoted, quoted)
	}
	return nil
}

// unprotectedTables names each table with an organization_id, outside the mirror's schema, that is not fenced.
func (s *Store) unprotectedTables(ctx context.Context) ([]error, error) {
	var names []string
	err := s.requests.one(ctx, "", func(_ context.Context, db *gorm.DB) error {
		return db.Raw(`SELECT format('%I.%I', n.nspname, c.relname)
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
			WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('clerk', 'pg_catalog', 'information_schema')
			AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
				SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive AND p.polcmd = '*'
				AND p.polroles = '{0}' AND pg_get_expr(p.polqual, p.polrelid) = pg_get_expr(p.polwithcheck, p.polrelid)
				AND pg_get_expr(p.polqual, p.polrelid) LIKE '(organization_id = NULLIF(current_setting(''tenantry.organization''::text, true)%'))
			ORDER BY 1`).Scan(&names).Error
	})
	var dangers []error
	for _, name := range names {
		dangers = append(dangers, fmt.Errorf("table %s is not fenced by organization\n  in a migration: CALL tenantry.own_table('%s');", name, name))
	}
	return dangers, err
}

// refusePooler finds a transaction-mode pooler under ScopeConnection. There a session's setting turns up in another
// client's transaction, and with it one organization's rows in another's answer.
func refusePooler(ctx context.Context, config Config) error {
	if config.Scope != ScopeConnection {
		return nil
	}
	pgxConfig, err := parseURL(config.URL)
	if err != nil {
		return err
	}
	pgxConfig.DefaultQueryExecMode = pgx.QueryExecModeExec // prepared statements would fail there first
	var ends [2]*pgx.Conn
	for i := range ends {
		conn, err := pgx.ConnectConfig(ctx, pgxConfig)
		if err != nil {
			return translate(err)
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
			return translate(err)
		}
		if seen == ours {
			return errors.New("connections share their settings: there is a transaction-mode pooler between here and PostgreSQL\n" +
				"  set TENANTRY_SCOPE=transaction, and DATABASE_MIGRATE_URL to a direct connection")
		}
	}
	return nil
}
