package mirror

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/store"
)

const (
	// lookEvery is how often, at most, a server asks whether a comparison is due.
	lookEvery = time.Minute
	// readEvery is how often rows are looked for that wait for a read, and settle how long after the object's last update
	// it is read, so that Clerk has come to rest.
	readEvery = 2 * time.Second
	settle    = 2 * time.Second
	readLimit = 20
	// readPause is for a Backend API that does not answer.
	readPause = 30 * time.Second
)

// sweepWhenDue compares the copy with Clerk every SweepEvery, as one of several servers: the time of the last comparison
// is in the database.
func (m *Mirror) sweepWhenDue(ctx context.Context) {
	started := m.config.Now()
	for ctx.Err() == nil {
		due, err := m.due(ctx, started)
		if err == nil && due {
			err = m.sweepOnce(ctx)
		}
		if err != nil && ctx.Err() == nil {
			m.config.Logger.Warn("mirror: the copy could not be compared with Clerk; trying again", "error", err)
		}
		wait := min(m.config.SweepEvery, lookEvery)
		if m.config.InstanceID() == "" {
			wait = min(wait, idle) // the keys may come at any moment
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// due says whether the last comparison is long enough ago, or was cut off.
func (m *Mirror) due(ctx context.Context, started time.Time) (due bool, err error) {
	if m.config.InstanceID() == "" {
		return false, nil // the keys have not been fetched yet, or no token has been verified
	}
	err = m.store.Mirror(ctx, func(tx *store.MirrorTx) error {
		last, found, err := tx.LastSweep()
		switch {
		case err != nil:
			return err
		case found:
			due = last.FinishedAt == nil || m.config.Now().Sub(last.StartedAt) >= m.config.SweepEvery
		default:
			due = m.config.SweepAtStart || m.config.Now().Sub(started) >= m.config.SweepEvery
		}
		return nil
	})
	return due, err
}

func (m *Mirror) sweepOnce(ctx context.Context) error {
	report, err := m.Sweep(ctx, SweepOptions{})
	if errors.Is(err, ErrSweepElsewhere) {
		return nil
	}
	for _, k := range mirrored {
		if r := report.Kinds[string(k.name)]; r != nil && (r.Changed > 0 || r.Extra > 0 || r.Unreadable > 0) {
			m.config.Logger.Info("mirror: compared with Clerk", "kind", k.name, "listed", r.Listed, "changed", r.Changed,
				"missing", r.Missing, "differing", r.Differing, "extra", r.Extra, "ended", r.Tombstoned, "refused", r.Refused,
				"unreadable", r.Unreadable)
		}
	}
	if err == nil {
		m.config.Logger.Debug("mirror: comparison done", "drift", report.Drift(), "took", report.Took)
	}
	return err
}

// readContradictions reads rows of which two versions were seen that cannot be put in order.
func (m *Mirror) readContradictions(ctx context.Context) {
	gone := map[string]time.Time{}
	for ctx.Err() == nil {
		wait := readEvery
		if err := m.readWaiting(ctx, gone); err != nil && ctx.Err() == nil {
			m.config.Logger.Warn("mirror: objects could not be read from Clerk; trying again", "error", err)
			wait = readPause
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// readWaiting reads those that have been at rest. gone has when, by our clock, an object was not there at the first read;
// without a second one ConfirmAfter later it is not taken for deleted.
func (m *Mirror) readWaiting(ctx context.Context, gone map[string]time.Time) error {
	for _, k := range mirrored {
		var refs []store.MirrorRef
		err := m.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
			refs, err = tx.NeedRead(k.name, m.config.Now().Add(-settle).UnixMilli(), readLimit)
			return err
		})
		if err != nil {
			return err
		}
		for _, ref := range refs {
			if first, missed := gone[ref.ID]; missed && m.config.Now().Sub(first) < m.config.ConfirmAfter {
				continue
			}
			if err := m.readOne(ctx, k, ref, gone); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Mirror) readOne(ctx context.Context, k kind, ref store.MirrorRef, gone map[string]time.Time) error {
	found, at, err := m.config.Backend.one(ctx, k, ref)
	if isPermanent(err) {
		return nil // an id that cannot be asked for; the next comparison says so
	}
	if err != nil {
		return err
	}
	if err := m.applyEach(ctx, found); err != nil {
		return err
	}
	_, missed := gone[ref.ID]
	switch {
	case at == 0:
		delete(gone, ref.ID)
	case !missed:
		gone[ref.ID] = m.config.Now()
	default:
		if _, err := m.checkInstance(ctx); err != nil { // another instance knows none of our objects
			return err
		}
		delete(gone, ref.ID)
		return m.applyOne(ctx, vanished(k, ref, at))
	}
	return nil
}
