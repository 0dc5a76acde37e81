package store

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// door is the way to the database as one database role. It is the piece that gives every statement its organization,
// in either scope.
type door struct {
	role    string
	scope   Scope
	timeout time.Duration
	// lockTimeout is how long a statement waits for a lock.
	lockTimeout time.Duration
	// maxRead is how many bytes one request may read before its further statements are refused.
	maxRead int64
	// unlimited reports that requests are not limited here: what is written has happened in Clerk already.
	unlimited bool
	pool      *pgxpool.Pool
	sql       *sql.DB
	gorm      *gorm.DB
}

func openDoor(ctx context.Context, config Config, role string, size int32) (*door, error) {
	pgxConfig, err := parsePool(config.URL, size)
	if err != nil {
		return nil, err
	}
	d := &door{
		role: role, scope: config.Scope, timeout: config.StatementTimeout, lockTimeout: config.LockTimeout, maxRead: config.MaxRead,
	}
	pgxConfig.ConnConfig.Tracer = statementTracer{}
	metered(pgxConfig.ConnConfig)
	pgxConfig.PrepareConn = d.prepare
	if d.scope == ScopeConnection {
		pgxConfig.AfterConnect = d.takeRole
	} else {
		// Prepared statements outlive a transaction, and a transaction-mode pooler gives the next one another server.
		pgxConfig.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	if d.pool, err = pgxpool.NewWithConfig(ctx, pgxConfig); err != nil {
		return nil, translate(err)
	}
	// Never size this handle: with idle connections of its own it would pass them on without the pool's hook, and with
	// them the last request's organization. The same hook as ResetSession makes that harmless, too.
	d.sql = stdlib.OpenDBFromPool(d.pool, stdlib.OptionResetSession(d.handOver))
	d.gorm, err = gorm.Open(postgres.New(postgres.Config{Conn: d.sql}), &gorm.Config{
		SkipDefaultTransaction: true,
		TranslateError:         true,
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard,
	})
	if err != nil {
		d.close()
		return nil, translate(err)
	}
	return d, nil
}

func (d *door) close() {
	if d.sql != nil {
		_ = d.sql.Close()
	}
	d.pool.Close()
}

// prepare makes a connection ready for the work of ctx. It turns down one that turns out to be
// broken; the pool then tries another.
func (d *door) prepare(ctx context.Context, conn *pgx.Conn) (ok bool, err error) {
	if ctx.Value(retryKey{}) != nil {
		err = conn.Ping(ctx)
	}
	if err == nil {
		err = d.handOver(ctx, conn)
	}
	if err != nil && conn.IsClosed() && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// handOver gives a connection to the request and the organization of ctx.
func (d *door) handOver(ctx context.Context, conn *pgx.Conn) error {
	if err := meter(ctx, conn); err != nil {
		return err
	}
	if d.scope == ScopeTransaction {
		return nil
	}
	return takeOrganization(ctx, conn)
}

// one runs fn with a session whose every statement sees organizationID's rows only; statements of fn may run on
// different connections, one after the other.
func (d *door) one(ctx context.Context, organizationID string, fn func(ctx context.Context, db *gorm.DB) error) error {
	if d.scope == ScopeTransaction {
		return d.transaction(ctx, organizationID, fn)
	}
	return translate(d.limited(ctx, func(ctx context.Context) error {
		ctx = withOrganization(ctx, organizationID)
		return fn(ctx, d.gorm.WithContext(ctx))
	}))
}

// read is one for a fn that only reads: where the connection breaks, fn is run once more, so it must be repeatable.
func (d *door) read(ctx context.Context, organizationID string, fn func(ctx context.Context, db *gorm.DB) error) error {
	return retried(ctx, func(ctx context.Context) error { return d.one(ctx, organizationID, fn) })
}

// transaction runs fn in one transaction that sees organizationID's rows only. It commits if fn returns nil.
func (d *door) transaction(ctx context.Context, organizationID string, fn func(ctx context.Context, tx *gorm.DB) error) error {
	return translate(d.limited(ctx, func(ctx context.Context) error {
		ctx = withOrganization(ctx, organizationID)
		return d.gorm.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			if d.scope == ScopeTransaction {
				if err := tx.Exec(d.local(organizationID)).Error; err != nil {
					return err
				}
			}
			return fn(ctx, tx)
		})
	}))
}

type retryKey struct{}

// retried runs a read that is no part of a larger transaction, and once more where its connection
// broke. The second time it uses only connections that have just answered, as after a restart of
// PostgreSQL every pooled connection is broken.
func retried(ctx context.Context, read func(ctx context.Context) error) error {
	err := read(ctx)
	if !broke(err) || ctx.Err() != nil {
		return err
	}
	return read(context.WithValue(ctx, retryKey{}, true))
}

// local is one message of the simple protocol that makes the rest of the transaction the role's and the organization's.
func (d *door) local(organizationID string) string {
	return "SET LOCAL ROLE " + pgx.Identifier{d.role}.Sanitize() +
		"; SET LOCAL tenantry.organization = " + quote(organizationID) +
		"; SET LOCAL statement_timeout = " + fmt.Sprint(d.timeout.Milliseconds()) +
		"; SET LOCAL lock_timeout = " + fmt.Sprint(d.lockTimeout.Milliseconds())
}

func (d *door) takeRole(ctx context.Context, conn *pgx.Conn) error {
	// When the connection is made: a pipelined SET ROLE would come after the statement was prepared as the login.
	_, err := conn.Exec(ctx, "SET ROLE "+pgx.Identifier{d.role}.Sanitize()+"; SET statement_timeout = "+fmt.Sprint(d.timeout.Milliseconds())+
		"; SET lock_timeout = "+fmt.Sprint(d.lockTimeout.Milliseconds()))
	return err
}

type organizationKey struct{}

func withOrganization(ctx context.Context, organizationID string) context.Context {
	return context.WithValue(ctx, organizationKey{}, organizationID)
}

// takeOrganization gives a connection to the organization of ctx; a context without one sees no row of any. The
// statement is sent only when the connection changes hands between organizations.
func takeOrganization(ctx context.Context, conn *pgx.Conn) error {
	const holder = "tenantry.organization"
	wanted, _ := ctx.Value(organizationKey{}).(string)
	data := conn.PgConn().CustomData()
	if held, known := data[holder]; known && held == wanted {
		return nil
	}
	delete(data, holder)
	if _, err := conn.Exec(ctx, "SELECT set_config('tenantry.organization', $1, false)", wanted); err != nil {
		return err
	}
	data[holder] = wanted
	return nil
}

// organizationID is what Clerk's ids look like. Anything else never reaches SQL.
var organizationID = regexp.MustCompile(`^[A-Za-z0-9_]{1,128}$`)

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
