package store

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/tenantry/tenantry/models"
)

// VersionViolations is what the check of the version says of a server_version_num.
var (
	VersionViolations = versionViolations
	Away              = away
)

// Raw runs fn as a request of an organization, past the handle: what row level security has to hold alone.
func (s *Store) Raw(ctx context.Context, organizationID string, fn func(db *gorm.DB) error) error {
	return s.requests.transaction(ctx, organizationID, func(_ context.Context, db *gorm.DB) error { return fn(db) })
}

// Spy calls heard with every query through the handle, with its values in their places.
func (s *Store) Spy(heard func(query string)) error {
	return s.requests.gorm.Callback().Query().After("gorm:query").Register("spy", func(db *gorm.DB) {
		heard(db.Dialector.Explain(db.Statement.SQL.String(), db.Statement.Vars...))
	})
}

// RawOne is Raw without a transaction of the caller's.
func (s *Store) RawOne(ctx context.Context, organizationID string, fn func(db *gorm.DB) error) error {
	return s.requests.one(ctx, organizationID, func(_ context.Context, db *gorm.DB) error { return fn(db) })
}

// RawWithin runs fn in a transaction of a request, with the context of what is done inside it.
func (s *Store) RawWithin(ctx context.Context, organizationID string, fn func(ctx context.Context) error) error {
	return s.requests.transaction(ctx, organizationID, func(ctx context.Context, _ *gorm.DB) error { return fn(ctx) })
}

// OpenedConnections is how many connections were ever opened for requests.
func (s *Store) OpenedConnections() int64 { return s.requests.pool.Stat().NewConnsCount() }

// RawRead is RawOne for what only reads.
func (s *Store) RawRead(ctx context.Context, organizationID string, fn func(db *gorm.DB) error) error {
	return s.requests.read(ctx, organizationID, func(_ context.Context, db *gorm.DB) error { return fn(db) })
}

// RawMirror runs fn as the mirror's role, for no organization.
func (s *Store) RawMirror(ctx context.Context, fn func(db *gorm.DB) error) error {
	return s.mirror.transaction(ctx, "", func(_ context.Context, db *gorm.DB) error { return fn(db) })
}

// ExplainUnseen is the plan of CountUnseen's first count.
func (tx *MirrorTx) ExplainUnseen(kind MirrorKind) (string, error) {
	plan, err := tx.strings("EXPLAIN SELECT count(*)"+unseen(kind)+reachable[kind], 2, 1, kind)
	return strings.Join(plan, "\n"), err
}

// ExplainAuditLog returns PostgreSQL's plan for a page of an organization's audit log.
func (s *Store) ExplainAuditLog(ctx context.Context, organizationID string, filter models.AuditFilter, want models.Page) (plan string, err error) {
	err = s.Org(organizationID).read(ctx, func(tx scoped) error {
		var seen statements
		asked := tx
		asked.db = tx.db.Session(&gorm.Session{Logger: &seen})
		if _, err := page(asked, audited(asked, filter), auditOrder, want); err != nil {
			return err
		}
		var lines []string
		err := tx.db.Raw("EXPLAIN " + seen.last).Scan(&lines).Error
		plan = strings.Join(lines, "\n")
		return err
	})
	return plan, err
}

// statements is a logger of gorm's that keeps the last statement.
type statements struct {
	logger.Interface
	last string
}

func (s *statements) Trace(_ context.Context, _ time.Time, statement func() (string, int64), _ error) {
	s.last, _ = statement()
}

// WhoAmI is the role and the organization that the handle's statements run as.
func (o Org) WhoAmI(ctx context.Context) (who string, err error) {
	err = o.read(ctx, func(tx scoped) error { return tx.db.Raw(whoAmI).Scan(&who).Error })
	return who, err
}

// WhoAmI is the role and the organization that the transaction's next statement runs as.
func (tx *MirrorTx) WhoAmI() (who string, err error) {
	return who, tx.tx.db.Raw(whoAmI).Scan(&who).Error
}

const whoAmI = "SELECT current_user || ' ' || current_setting('tenantry.organization') || ' ' || current_setting('statement_timeout')"

// Exec runs a statement as the handle does, past its filter: what row level security has to hold alone.
func (o Org) Exec(ctx context.Context, statement string, values ...any) error {
	return o.read(ctx, func(tx scoped) error { return tx.db.WithContext(tx.ctx).Exec(statement, values...).Error })
}

// MigrateTo brings the database to a version of ours.
func MigrateTo(ctx context.Context, url string, version int64) error {
	config, err := parseURL(url)
	if err != nil {
		return err
	}
	config.RuntimeParams["row_security"], config.RuntimeParams["search_path"] = "off", "public"
	db := stdlib.OpenDB(*config)
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA IF NOT EXISTS tenantry"); err != nil {
		return err
	}
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	_, err = provider.UpTo(ctx, version)
	return err
}
