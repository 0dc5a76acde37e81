package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateLockTimeout is how long a migration waits for a lock.
const migrateLockTimeout = 5 * time.Second

// Migrate brings the database up to date as the login of url, which owns what is made. Several servers may start at
// once: an advisory lock lets one migrate and the others wait. It is a direct connection that is needed: the lock does
// not hold through a transaction-mode pooler.
func Migrate(ctx context.Context, url string) error {
	config, err := parseURL(url)
	if err != nil {
		return err
	}
	// Under FORCE an UPDATE that sees no row changes none, silently. This makes it an error.
	config.RuntimeParams["row_security"] = "off"
	// A login named like a schema would get its tables there.
	config.RuntimeParams["search_path"] = "public"
	// What waits for a table's lock makes everybody who comes later wait behind it.
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(migrateLockTimeout.Milliseconds())
	db := stdlib.OpenDB(*config)
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS tenantry"); err != nil && !duplicate(err) {
		return fmt.Errorf("migrate: %w", translate(err))
	}
	provider, err := newProvider(db)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return explainMigration(ctx, db, err)
	}
	return nil
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName("tenantry.migrations"), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true),
		// A product's own migrations are numbered by time, far above ours; ours arrive later with a merge.
		goose.WithAllowOutofOrder(true))
}

// MigrationsHash names the migrations of this build: another hash, other tables.
func MigrationsHash() string {
	hash := sha256.New()
	_ = fs.WalkDir(migrations, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			text, _ := migrations.ReadFile(path)
			fmt.Fprintf(hash, "%s %d\n%s", path, len(text), text)
		}
		return err
	})
	return hex.EncodeToString(hash.Sum(nil))[:12]
}

// duplicate says that somebody else made the same thing at the same moment, which IF NOT EXISTS does not cover.
func duplicate(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "23505" || pg.Code == "42P06")
}

// explainMigration adds to an error what can be done about it.
func explainMigration(ctx context.Context, db *sql.DB, err error) error {
	if sqlState(err) == "55P03" {
		return fmt.Errorf("migrate: another transaction holds a table for more than %v. This migration was undone; start again, or end that "+
			"transaction first (pg_stat_activity shows it): %w", migrateLockTimeout, err)
	}
	var pg *pgconn.PgError
	var name, login string
	if !errors.As(err, &pg) || pg.Code != "42501" ||
		db.QueryRowContext(ctx, "SELECT left(current_database(), 40), current_user").Scan(&name, &login) != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	request, mirror := pgx.Identifier{name + "_request"}.Sanitize(), pgx.Identifier{name + "_mirror"}.Sanitize()
	return fmt.Errorf(`migrate: the login %q may not create roles. Let an administrator run this once, then start again:
  CREATE ROLE %s NOLOGIN;
  CREATE ROLE %s NOLOGIN;
  GRANT %s, %s TO %s;
(%w)`, login, request, mirror, request, mirror, pgx.Identifier{login}.Sanitize(), err)
}
