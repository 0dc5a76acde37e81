package mirror

import (
	"context"
	"sync"
	"time"

	"github.com/tenantry/tenantry/store"
)

const (
	// trustFor is how long after the last look at what changed facts in memory are believed: a look that fails or takes
	// longer has everybody ask the database again. It is the most that memory can be behind.
	trustFor = 750 * time.Millisecond
	// watchAgain is the pause after a broken connection.
	watchAgain = 500 * time.Millisecond
	// viewSize is how many facts are kept; beyond that it begins anew.
	viewSize = 20_000
)

// factsKey is what a request asks about. The session and the token's role are parts of it, so that a hit is one look-up.
type factsKey struct {
	couple
	sessionID, role string
}

// concerns says whether a change may alter the facts under the key.
func (k factsKey) concerns(c store.Change) bool {
	switch {
	case c.Role:
		return true
	case c.SessionID != "":
		return k.sessionID == c.SessionID
	case c.UserID == "":
		return k.organizationID == c.OrganizationID
	case c.OrganizationID == "":
		return k.userID == c.UserID
	}
	return k.couple == couple{c.OrganizationID, c.UserID}
}

// view keeps the facts of who asked lately in memory. It is emptied whenever it cannot be sure to hear of every change,
// and loses what a change concerns before the transaction that made it returns, on this server, and within trustFor on
// every other.
type view struct {
	mu sync.RWMutex
	// known facts by user, because most changes concern one.
	known map[string]map[factsKey]Facts
	size  int
	// until is when they are no longer believed; era is raised whenever all that was known is distrusted.
	until time.Time
	era   int
	// fills are the reads under way. One that began before a change that concerns it must not be kept.
	fills map[*fill]struct{}
}

type fill struct {
	key     factsKey
	spoiled bool
}

func newView() *view {
	return &view{known: map[string]map[factsKey]Facts{}, fills: map[*fill]struct{}{}}
}

// facts returns what is known under the key, else what read says.
func (v *view) facts(ctx context.Context, key factsKey, read func(context.Context, factsKey) (Facts, error)) (Facts, error) {
	now := time.Now()
	v.mu.RLock()
	facts, found := v.known[key.userID][key]
	trusted, era := now.Before(v.until), v.era
	v.mu.RUnlock()
	if found && trusted {
		return facts, nil
	}
	if !trusted {
		return read(ctx, key)
	}
	f := &fill{key: key}
	v.mu.Lock()
	// Between the two locks the connection may have broken, and changes of that time are never told.
	f.spoiled = v.era != era
	v.fills[f] = struct{}{}
	v.mu.Unlock()
	facts, err := read(ctx, key)
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.fills, f)
	if err == nil && !f.spoiled {
		v.keep(key, facts)
	}
	return facts, err
}

func (v *view) keep(key factsKey, facts Facts) {
	if v.size >= viewSize {
		v.empty()
	}
	if v.known[key.userID] == nil {
		v.known[key.userID] = map[factsKey]Facts{}
	}
	if _, there := v.known[key.userID][key]; !there {
		v.size++
	}
	v.known[key.userID][key] = facts
}

func (v *view) empty() {
	clear(v.known)
	v.size = 0
}

// forget drops what changes concern.
func (v *view) forget(changes []store.Change) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range changes {
		v.forgetOne(c)
	}
}

func (v *view) forgetOne(c store.Change) {
	for f := range v.fills {
		f.spoiled = f.spoiled || f.key.concerns(c)
	}
	switch {
	case c.Role:
		v.empty()
	case c.UserID != "":
		v.forgetOf(c.UserID, c)
	default: // an organization's end is rare, and so are sessions of which nobody said whose they were
		for userID := range v.known {
			v.forgetOf(userID, c)
		}
	}
}

func (v *view) forgetOf(userID string, c store.Change) {
	for key := range v.known[userID] {
		if key.concerns(c) {
			delete(v.known[userID], key)
			v.size--
		}
	}
	if len(v.known[userID]) == 0 {
		delete(v.known, userID)
	}
}

// Changed is store.ChangeWatcher's: everything that was committed before asOf has been told.
func (v *view) Changed(changes []store.Change, asOf time.Time) {
	v.forget(changes)
	v.mu.Lock()
	v.until = asOf.Add(trustFor)
	v.mu.Unlock()
}

// distrust forgets everything, and what is being read, until the next Changed.
func (v *view) distrust() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.empty()
	v.until = time.Time{}
	v.era++
	for f := range v.fills {
		f.spoiled = true
	}
}

// trusted says whether requests are judged from memory.
func (v *view) trusted() bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return time.Now().Before(v.until)
}

// FactsInMemory says whether this server judges requests by facts in memory, rather than asking the database each time.
func (m *Mirror) FactsInMemory() bool { return m.view.trusted() }

// watchChanges keeps the view true until ctx ends. While the connection is broken, requests ask the database.
func (m *Mirror) watchChanges(ctx context.Context) {
	defer m.view.distrust()
	for ctx.Err() == nil {
		err := m.store.WatchChanges(ctx, m.view)
		m.view.distrust()
		if ctx.Err() == nil {
			m.config.Logger.Warn("mirror: changes of other servers cannot be heard; facts are read for each request meanwhile", "error", err)
		}
		select {
		case <-time.After(watchAgain):
		case <-ctx.Done():
		}
	}
}
