package mirror

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// writeThrough bounds the transaction after Clerk's answer.
const writeThrough = 5 * time.Second

// carryOut makes one change: in Clerk first, then in the copy, in one transaction with its record.
func (m *Manager) carryOut(ctx context.Context, deed Deed, s step) ([]change, error) {
	ctx, cancel := m.bounded(ctx, deed.Actor, deed.OrganizationID)
	defer cancel()
	if wait := m.breaker.refuses(); wait > 0 {
		return nil, unavailable(wait)
	}
	if err := m.remember(ctx, &deed); err != nil {
		return nil, err
	}
	changes, err := m.settle(ctx, s)
	return changes, m.conclude(ctx, deed, changes, err)
}

// remember notes what the copy has of the fields that a deed changes. Where the database does not answer, nothing is sent:
// it could be neither brought to the copy nor recorded.
func (m *Manager) remember(ctx context.Context, deed *Deed) error {
	var before map[string]string
	err := m.mirror.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
		before, err = deed.before(tx)
		return err
	})
	if deed.Before == nil {
		deed.Before = before
		return err
	}
	maps.Copy(deed.Before, before)
	return err
}

// conclude applies what Clerk did to the copy and has it recorded, or only records that Clerk did not. It returns err, or
// models.ErrUnavailable where Clerk did it and the database does not answer: the webhook that follows makes up for it.
func (m *Manager) conclude(ctx context.Context, deed Deed, changes []change, err error) error {
	if m.record(ctx, deed) == nil && len(changes) == 0 {
		return err
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeThrough)
	defer cancel()
	failure := m.mirror.store.Mirror(bounded, func(tx *store.MirrorTx) error {
		for _, c := range changes {
			if err := c.apply(tx); err != nil {
				return err
			}
		}
		if record := m.record(ctx, deed); record != nil {
			return record(tx, outcomeOf(err))
		}
		return nil
	})
	if failure == nil {
		return err
	}
	m.mirror.config.Logger.Error("mirror: the outcome of a change could not be written", "action", deed.Action,
		"organization_id", deed.OrganizationID, "outcome", outcomeOf(err), "error", failure)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", models.ErrUnavailable, failure)
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return OutcomeApplied
	case errors.Is(err, models.ErrUnknownOutcome):
		return OutcomeUnknown
	}
	return OutcomeRefused
}

// endOf is the last moment of the second that an answer names: of what happened in it, a deletion is the latest.
func endOf(at int64) int64 { return at/1000*1000 + 999 }
