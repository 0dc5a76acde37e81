package store

import (
	"context"
	"strings"

	"gorm.io/gorm"
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

// RawMirror runs fn as the mirror's role, for no organization.
func (s *Store) RawMirror(ctx context.Context, fn func(db *gorm.DB) error) error {
	return s.mirror.transaction(ctx, "", func(_ context.Context, db *gorm.DB) error { return fn(db) })
}

// ExplainUnseen is the plan of CountUnseen's first count.
func (tx *MirrorTx) ExplainUnseen(kind MirrorKind) (string, error) {
	plan, err := tx.strings("EXPLAIN SELECT count(*)"+unseen(kind)+reachable[kind], 2, 1, kind)
	return strings.Join(plan, "\n"), err
}
