package mirror

import (
	"context"
	"time"

	"github.com/tenantry/tenantry/store"
)

const (
	// welcomeEvery is the time between two looks for welcomes to be run again.
	welcomeEvery = 5 * time.Second
	welcomesMost = 100
)

// welcomeAgain runs what the store put off of welcomes, until ctx ends.
func (m *Mirror) welcomeAgain(ctx context.Context) {
	for ctx.Err() == nil {
		if err := m.welcomeDue(ctx); err != nil && ctx.Err() == nil {
			m.config.Logger.Warn("mirror: welcomes that failed could not be run again; trying again", "error", err)
		}
		select {
		case <-time.After(welcomeEvery):
		case <-ctx.Done():
		}
	}
}

// welcomeDue runs the welcomes that are due, each in a transaction of its own. Who was deleted meanwhile gets none.
func (m *Mirror) welcomeDue(ctx context.Context) error {
	due, err := m.store.DueWelcomes(ctx, welcomesMost)
	for _, id := range due {
		err = m.store.Mirror(ctx, func(tx *store.MirrorTx) error {
			row, err := tx.LockOrganization(id)
			switch {
			case err != nil:
				return err
			case !present(row):
				return tx.EndWelcome(id)
			}
			return tx.WelcomeAgain(projectOrganization(row))
		})
		if err != nil {
			return err
		}
	}
	return err
}
