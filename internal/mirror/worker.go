package mirror

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tenantry/tenantry/store"
)

const (
	workers     = 2
	idle        = time.Second // how long a worker sleeps where nobody wakes it
	applyLater  = 30 * time.Second
	noteFailure = 5 * time.Second
	backoffBase = time.Second
	backoffMost = time.Hour
	keepEvents  = 30 * 24 * time.Hour
	keepRevoked = 24 * time.Hour // far longer than a token lives
	purgeEvery  = time.Hour
)

// Run applies what Receive could not, notes what tokens tell, keeps the facts in memory true, purges what is old, and with
// a Backend reads what is in doubt and compares the copy with Clerk every SweepEvery, until ctx ends; then it returns nil.
// What cannot be applied holds nothing else up.
func (m *Mirror) Run(ctx context.Context) error {
	var group sync.WaitGroup
	for range workers {
		group.Go(func() { m.work(ctx) })
	}
	group.Go(func() { m.purge(ctx) })
	group.Go(func() { m.watchChanges(ctx) })
	group.Go(func() { m.store.CallOthers(ctx) })
	group.Go(func() { m.noteAsks(ctx) })
	group.Go(func() { m.welcomeAgain(ctx) })
	if m.config.Backend != nil {
		group.Go(func() { m.readContradictions(ctx) })
		group.Go(func() { m.answerAsks(ctx) })
		if m.config.SweepEvery > 0 {
			group.Go(func() { m.sweepWhenDue(ctx) })
		}
	}
	group.Wait()
	return nil
}

func (m *Mirror) work(ctx context.Context) {
	for ctx.Err() == nil {
		found, err := m.applyNext(ctx)
		if err != nil && ctx.Err() == nil {
			m.config.Logger.Warn("mirror: the inbox cannot be read; trying again", "error", err)
		}
		if found && err == nil {
			continue
		}
		select {
		case <-m.wake:
		case <-time.After(idle):
		case <-ctx.Done():
		}
	}
}

// applyNext applies the event that has been due the longest. found is false where none is due.
func (m *Mirror) applyNext(ctx context.Context) (found bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, applyLater)
	defer cancel()
	var e store.Event
	err = m.store.Mirror(bounded, func(tx *store.MirrorTx) (err error) {
		e, found, err = tx.NextEvent(m.config.Now())
		if err != nil || !found {
			return err
		}
		decoded, err := m.decode(e.Body)
		if err != nil {
			return err
		}
		return m.applyClaimed(tx, e, decoded)
	})
	switch {
	case err != nil && found && ctx.Err() == nil:
		m.observe(e.Type, m.failed(ctx, e, err), e.At)
		return true, nil
	case err == nil && found:
		m.observe(e.Type, Applied, e.At)
	}
	return found, err
}

// failed notes why an event could not be applied: as a dead letter where trying again is of no use, and otherwise for
// later.
func (m *Mirror) failed(ctx context.Context, e store.Event, cause error) Result {
	ctx, cancel := context.WithTimeout(ctx, noteFailure)
	defer cancel()
	if isPermanent(cause) || errors.Is(cause, store.ErrUnstorable) {
		if err := m.store.BuryEvent(ctx, e.ID, cause.Error(), m.config.Now()); err == nil {
			m.logDead(e, cause)
			return Dead
		}
	} else {
		wait := backoff(e.Attempts)
		m.config.Logger.Warn("mirror: an event could not be applied; trying again", "svix_id", e.ID, "type", e.Type,
			"attempts", e.Attempts+1, "wait", wait, "error", cause)
		if err := m.store.PostponeEvent(ctx, e.ID, cause.Error(), m.config.Now().Add(wait)); err == nil {
			return Stored
		}
	}
	// Not even that could be noted, so it is still due.
	m.signal()
	return Stored
}

// backoff is the time to wait after so many failed attempts and another one.
func backoff(attempts int) time.Duration {
	const doublings = 12 // 2^12 s is more than an hour
	return min(backoffBase<<min(attempts, doublings), backoffMost)
}

// signal wakes a sleeping worker.
func (m *Mirror) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *Mirror) purge(ctx context.Context) {
	for ctx.Err() == nil {
		purged, err := m.store.PurgeEvents(ctx, m.config.Now().Add(-keepEvents))
		if err == nil {
			_, err = m.store.PurgeRevokedSessions(ctx, m.config.Now().Add(-keepRevoked))
		}
		if err == nil {
			err = m.store.PurgeChanges(ctx)
		}
		switch {
		case err != nil && ctx.Err() == nil:
			m.config.Logger.Warn("mirror: what is old could not be purged; trying again", "error", err)
		case purged > 0:
			m.config.Logger.Info("mirror: purged the inbox", "events", purged)
		}
		select {
		case <-time.After(purgeEvery):
		case <-ctx.Done():
		}
	}
}

func (m *Mirror) logDead(e store.Event, cause error) {
	m.config.Logger.Error("mirror: an event cannot be applied and is a dead letter now", "svix_id", e.ID, "type", e.Type,
		"error", cause)
}
