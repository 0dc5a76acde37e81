package store

import (
	"context"

	"gorm.io/gorm"
)

// Raw runs fn as a request of an organization, past the handle: what row level security has to hold alone.
func (s *Store) Raw(ctx context.Context, organizationID string, fn func(db *gorm.DB) error) error {
	return s.requests.transaction(ctx, organizationID, func(_ context.Context, db *gorm.DB) error { return fn(db) })
}

// RawOne is Raw without a transaction of the caller's.
func (s *Store) RawOne(ctx context.Context, organizationID string, fn func(db *gorm.DB) error) error {
	return s.requests.one(ctx, organizationID, func(_ context.Context, db *gorm.DB) error { return fn(db) })
}

// RawMirror runs fn as the mirror's role, for no organization.
func (s *Store) RawMirror(ctx context.Context, fn func(db *gorm.DB) error) error {
	return s.mirror.transaction(ctx, "", func(_ context.Context, db *gorm.DB) error { return fn(db) })
}

// SeenRead is how many of the marks of comparisons the transaction has read so far.
func (tx *MirrorTx) SeenRead() (n int, err error) {
	return n, tx.row("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE schemaname = 'clerk' AND relname = 'seen'").Scan(&n)
}
