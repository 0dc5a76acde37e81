package store

import (
	"context"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
)

// mirrorTx is one transaction of the mirror's database role.
type mirrorTx struct {
	ctx context.Context
	db  *gorm.DB
}

// asMirror runs fn in one transaction as the mirror's role, which sees no organization's rows until it names one. A
// transaction that lost to another one is run again from the start, so fn must be repeatable.
func (s *Store) asMirror(ctx context.Context, fn func(tx *mirrorTx) error) error {
	const tries = 8
	for try := 1; ; try++ {
		err := s.mirror.transaction(ctx, "", func(ctx context.Context, db *gorm.DB) error {
			return fn(&mirrorTx{ctx: ctx, db: db})
		})
		if !again(err) || try == tries {
			return err
		}
		select {
		case <-time.After(rand.N(time.Duration(try) * 5 * time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
