package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tenantry/tenantry/models"
)

// Org is one organization's view of the database: the only way to rows that belong to an organization. Every method of
// one without an id returns ErrNoOrganization and runs no SQL. Whatever is not found in the organization is
// ErrNotFound, also if another organization has it.
type Org struct {
	store *Store
	id    string
	// within is set where the handle is bound to a transaction under way.
	within *within
}

// Org returns the handle of one organization. It always returns a handle, and asks nothing of the database.
func (s *Store) Org(organizationID string) Org { return Org{store: s, id: organizationID} }

// scoped is a session of one organization, with the context that its statements need.
type scoped struct {
	ctx context.Context
	db  *gorm.DB
	org string
}

// read runs fn with a session of the organization. fn may be run twice, see door.read.
func (o Org) read(ctx context.Context, fn func(tx scoped) error) error {
	return o.through(ctx, o.way().read, fn)
}

// way is how statements get to the database with their organization.
type way interface {
	one(ctx context.Context, organizationID string, fn func(context.Context, *gorm.DB) error) error
	read(ctx context.Context, organizationID string, fn func(context.Context, *gorm.DB) error) error
	transaction(ctx context.Context, organizationID string, fn func(context.Context, *gorm.DB) error) error
}

func (o Org) way() way {
	if o.within != nil {
		return o.within
	}
	return o.store.requests
}

type run func(ctx context.Context, organizationID string, fn func(context.Context, *gorm.DB) error) error

func (o Org) through(ctx context.Context, run run, fn func(tx scoped) error) error {
	if !organizationID.MatchString(o.id) {
		return models.ErrNoOrganization
	}
	return run(ctx, o.id, func(ctx context.Context, db *gorm.DB) error {
		return fn(scoped{ctx: ctx, db: db, org: o.id})
	})
}

// owned is the one way to an owned table. The filter stands on the generic chain: gorm.G starts a new session and drops
// whatever conditions and clauses the session it was given had, so clauses are passed in, too.
func owned[T any](tx scoped, clauses ...clause.Expression) gorm.ChainInterface[T] {
	return gorm.G[T](tx.db, clauses...).Where(firstBelt, tx.org)
}

// remove deletes one row of an owned table and returns what it was, or ErrNotFound.
func remove[T any](tx scoped, condition string, value any) (T, error) {
	var row T
	deleted := tx.db.WithContext(tx.ctx).Clauses(clause.Returning{}).
		Where(firstBelt, tx.org).Where(condition, value).Delete(&row)
	if deleted.Error == nil && deleted.RowsAffected == 0 {
		return row, models.ErrNotFound
	}
	return row, deleted.Error
}
