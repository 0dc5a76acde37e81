// Package mirror keeps the copy of Clerk: it takes events in, merges them so that any order of arrival ends in the same
// rows, compares itself with Clerk's Backend API, and answers what is known of a user in an organization. It decides and
// store writes; how events arrive and what tokens say it does not know.
package mirror

import (
	"log/slog"
	"time"

	"github.com/tenantry/tenantry/store"
)

// Config says what a Mirror needs besides the database.
type Config struct {
	// InstanceID returns the id of our Clerk instance, "" while it is not known. Events of another one are dead letters.
	InstanceID func() string
	// Backend reads from Clerk; without it the mirror knows what events say and nothing else.
	Backend *Backend
	// SweepEvery is the time between two comparisons with Clerk; 0 for none but those that are asked for. SweepAtStart has
	// one at once where none was ever finished.
	SweepEvery   time.Duration
	SweepAtStart bool
	// ConfirmAfter is the time between the two reads without which nothing is taken for deleted, and MinAge what must have
	// passed since the last news of it: DefaultConfirmAfter and DefaultMinAge, or 0 for a Clerk that reads its own writes.
	ConfirmAfter, MinAge time.Duration
	// Now is the clock; time.Now unless given.
	Now func() time.Time
	// Logger hears what could not be applied; slog.Default unless given. Never a body.
	Logger *slog.Logger
	// Observe hears what becomes of each event, for metrics; nobody unless given. It must not block.
	Observe func(Observation)
}

// Mirror is the copy of Clerk in one database. Several, also in several processes, may work on the same one.
type Mirror struct {
	store  *store.Store
	config Config
	wake   chan struct{}
	asks   *asks
	view   *view
}

// New returns a Mirror over a migrated database.
func New(s *store.Store, config Config) *Mirror {
	if config.InstanceID == nil {
		config.InstanceID = func() string { return "" }
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	m := &Mirror{store: s, config: config, wake: make(chan struct{}, 1), asks: newAsks(), view: newView()}
	s.OnChange(m.view.forget)
	return m
}
