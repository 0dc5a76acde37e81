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
	"path"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateLockTimeout is how long a migration waits for a lock.
const migrateLockTimeout = 5 * time.Second

// Migration is one that was applied.
type Migration struct {
	Version int64
	Name    string // of its file
	Took    time.Duration
}

// Schema is the state of the tables.
type Schema struct {
	// Version is the newest migration that was ever applied. It may be newer than this build.
	Version int64
	// Applied are the migrations that were applied just now, in their order.
	Applied []Migration
}

// Migrate applies the migrations that the database lacks as the login of url, which will own what is made. It returns what
// was applied, also with an error. If none is missing it only reads, which every login of a server may do. Several servers
// may start at once: an advisory lock lets one migrate and the others wait. The connection must be direct: the lock does not
// hold through a transaction-mode pooler.
func Migrate(ctx context.Context, url string) (Schema, error) {
	config, err := parseURL(url)
	if err != nil {
		return Schema{}, err
	}
	// Under FORCE an UPDATE that sees no row changes none, silently. This makes it an error.
	config.RuntimeParams["row_security"] = "off"
	// A login named like a schema would get its tables there.
	config.RuntimeParams["search_path"] = "public"
	// What waits for a table's lock makes everybody who comes later wait behind it.
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(migrateLockTimeout.Milliseconds())
	db := stdlib.OpenDB(*config)
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		return Schema{}, fmt.Errorf("migrate: %w", err)
	}
	schema, missing, err := readSchema(ctx, db, provider)
	if err != nil || !missing {
		return schema, err
	}
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS tenantry"); err != nil && !duplicate(err) {
		return schema, explainMigration(ctx, db, provider, translate(err))
	}
	results, err := provider.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		results = partial.Applied
	}
	for _, r := range results {
		schema.Applied = append(schema.Applied, Migration{Version: r.Source.Version, Name: path.Base(r.Source.Path), Took: r.Duration})
		schema.Version = max(schema.Version, r.Source.Version)
	}
	if err != nil {
		return schema, explainMigration(ctx, db, provider, err)
	}
	schema.Version = max(schema.Version, newest(provider).Version) // another server may have migrated meanwhile
	return schema, nil
}

// newest is the last migration of this build.
func newest(provider *goose.Provider) *goose.Source {
	sources := provider.ListSources()
	return sources[len(sources)-1]
}

// readSchema reads which migrations were applied; missing reports whether this build has others. A login that may not read
// them gets missing, too: the roles of a server may since one of the migrations.
func readSchema(ctx context.Context, db *sql.DB, provider *goose.Provider) (schema Schema, missing bool, err error) {
	var versions []int64
	for _, source := range provider.ListSources() {
		versions = append(versions, source.Version)
	}
	var applied int
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0), count(DISTINCT version_id) FILTER (WHERE version_id = ANY ($1))
		FROM tenantry.migrations WHERE is_applied`, versions).Scan(&schema.Version, &applied)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "42501") { // no table yet, no right to it
		return Schema{}, true, nil
	}
	if err != nil {
		return Schema{}, false, fmt.Errorf("migrate: %w", translate(err))
	}
	return schema, applied < len(versions), nil
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
	_ = fs.WalkDir(migrations, ".", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			text, _ := migrations.ReadFile(file)
			fmt.Fprintf(hash, "%s %d\n%s", file, len(text), text)
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

// explainMigration adds to a missing right what can be done about it.
func explainMigration(ctx context.Context, db *sql.DB, provider *goose.Provider, err error) error {
	if sqlState(err) == "55P03" {
		return fmt.Errorf("migrate: another transaction holds a table for more than %v. This migration was undone; start again, or end that "+
			"transaction first (pg_stat_activity shows it): %w", migrateLockTimeout, err)
	}
	var pg *pgconn.PgError
	var name, login string
	var owner, user bool
	if !errors.As(err, &pg) || pg.Code != "42501" ||
		db.QueryRowContext(ctx, `SELECT left(current_database(), 40), current_user,
			coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'tenantry'),
				has_database_privilege(current_database(), 'CREATE')),
			coalesce((SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = 'tenantry'), true)`).
			Scan(&name, &login, &owner, &user) != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	roles := quoteIdentifier(name+"_request") + ", " + quoteIdentifier(name+"_mirror")
	switch {
	case !user:
		return fmt.Errorf("the login %q may not use this database: let the owner run: GRANT %s TO %s", login, roles, quoteIdentifier(login))
	case !owner:
		return fmt.Errorf("the database lacks migrations of this build, the last of which is %s, and the login %q may not run them: "+
			"run `tenantry migrate` with DATABASE_MIGRATE_URL for the login that owns the tables, then start again (%w)",
			path.Base(newest(provider).Path), login, err)
	}
	return fmt.Errorf(`migrate: the login %q may not create roles. Let an administrator run this once, then start again:
  CREATE ROLE %s NOLOGIN;
  CREATE ROLE %s NOLOGIN;
  GRANT %s TO %s;
(%w)`, login, quoteIdentifier(name+"_request"), quoteIdentifier(name+"_mirror"), roles, quoteIdentifier(login), err)
}
