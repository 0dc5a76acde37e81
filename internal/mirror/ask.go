package mirror

import (
	"context"
	"sync"
	"time"

	"github.com/tenantry/tenantry/store"
)

const (
	// askAgain is how long a pair is left alone after it was asked for.
	askAgain = 30 * time.Second
	// asksWaiting and asksKnown bound what requests can pile up.
	asksWaiting = 256
	asksKnown   = 10_000
)

// couple is an organization and a user.
type couple struct{ organizationID, userID string }

// asks are the claims that requests were in doubt about: first to be noted, then to be read.
type asks struct {
	waiting chan Claim
	noted   chan couple
	mu      sync.Mutex
	recent  map[couple]time.Time
}

func newAsks() *asks {
	return &asks{waiting: make(chan Claim, asksWaiting), noted: make(chan couple, asksWaiting), recent: map[couple]time.Time{}}
}

// AskSoon has bare rows made for a claim of which the copy knows nothing, and Clerk asked for the membership, both in the
// background. It returns at once; what was asked for a moment ago is not asked for again, and where too much waits it is
// left to a later request. Without a Backend only the rows are made, which the membership's events replace.
func (m *Mirror) AskSoon(claim Claim) { m.asks.add(claim, m.config.Now()) }

func (a *asks) add(claim Claim, now time.Time) {
	c := couple{claim.OrganizationID, claim.UserID}
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, known := a.recent[c]; known && now.Sub(at) < askAgain {
		return
	}
	if len(a.recent) >= asksKnown {
		for old, at := range a.recent {
			if now.Sub(at) >= askAgain {
				delete(a.recent, old)
			}
		}
		if len(a.recent) >= asksKnown {
			return
		}
	}
	select {
	case a.waiting <- claim:
		a.recent[c] = now
	default:
	}
}

// noteAsks makes the rows of claims. It does not wait for Clerk, which may be slow just then.
func (m *Mirror) noteAsks(ctx context.Context) {
	for {
		select {
		case claim := <-m.asks.waiting:
			if err := m.note(ctx, claim); err != nil && ctx.Err() == nil {
				m.config.Logger.Warn("mirror: what a token tells of a member could not be noted", "organization_id", claim.OrganizationID,
					"user_id", claim.UserID, "error", err)
			}
			if m.config.Backend == nil {
				continue
			}
			select {
			case m.asks.noted <- couple{claim.OrganizationID, claim.UserID}:
			default: // too much waits: a later request asks again
			}
		case <-ctx.Done():
			return
		}
	}
}

// answerAsks reads what requests were in doubt about.
func (m *Mirror) answerAsks(ctx context.Context) {
	for {
		select {
		case c := <-m.asks.noted:
			if err := m.ask(ctx, c); err != nil && ctx.Err() == nil {
				m.config.Logger.Warn("mirror: a membership could not be read from Clerk", "organization_id", c.organizationID,
					"user_id", c.userID, "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// ask reads a membership, its organization with it, and the user where nothing is known of them. Where there is none what a
// token told of is taken back; what else the copy has and Clerk has not is left to the next comparison, which looks twice.
func (m *Mirror) ask(ctx context.Context, c couple) error {
	found, _, err := m.config.Backend.memberships(ctx, c.organizationID, c.userID)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return m.applyOne(ctx, retraction{c})
	}
	if err := m.applyEach(ctx, found); err != nil {
		return err
	}
	var users map[string]store.MirrorSummary
	err = m.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
		users, err = tx.Summaries(store.MirrorUsers, []string{c.userID})
		return err
	})
	if row := users[c.userID]; err != nil || !stub(row.MirrorRow) || dead(row.MirrorRow) {
		return err
	}
	found, _, err = m.config.Backend.one(ctx, usersKind, store.MirrorRef{ID: c.userID})
	if err != nil {
		return err
	}
	return m.applyEach(ctx, found)
}

// applyEach merges what was read, one transaction after the other.
func (m *Mirror) applyEach(ctx context.Context, found []reading) error {
	for _, r := range found {
		if err := m.applyOne(ctx, r.change); err != nil {
			return err
		}
	}
	return nil
}
