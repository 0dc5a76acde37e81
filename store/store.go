// Package store is the only room that speaks SQL. It hands out organizations (Org), through which alone their rows are
// reached, and the mirror's tables; it knows neither GraphQL nor Clerk.
package store

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Scope says how a query gets its database role and its organization.
type Scope string

const (
	// ScopeConnection sets the role once per connection and the organization whenever a connection changes hands.
	// For direct connections; the fastest.
	ScopeConnection Scope = "connection"
	// ScopeTransaction runs everything in a transaction that begins by setting both. For transaction-mode poolers.
	ScopeTransaction Scope = "transaction"
)

// Config says how to reach the database.
type Config struct {
	// URL is where requests go.
	URL string
	// MigrateURL is a direct connection for what a pooler cannot do; empty means URL.
	MigrateURL string
	// Scope is ScopeConnection unless given.
	Scope Scope
	// StatementTimeout bounds every statement; 10 s unless given.
	StatementTimeout time.Duration
	// LockTimeout is how long a statement waits for a lock. Defaults to 5 s.
	LockTimeout time.Duration
	// MaxConnections is how many connections requests may use together. Defaults to pool_max_conns
	// in URL, and without that to 16, or 4 for each core up to 64. See pools for the others.
	MaxConnections int32
	// MaxRead is how many bytes one request may read from PostgreSQL before its further statements
	// fail with models.ErrResponseTooLarge. Defaults to 16 MiB.
	MaxRead int64
	// Now and NewID are the sources of times and ids; the clock and UUIDv7 unless given.
	Now   func() time.Time
	NewID func() uuid.UUID
	// Logger hears what is odd but no error; slog.Default unless given.
	Logger *slog.Logger
	// Welcome is run once for each organization that appears; nothing is unless given.
	Welcome Welcome
}

// Store is an open database.
type Store struct {
	config   Config
	instance Instance
	pools
	// examination is what was found when it was opened.
	examination Examination
	// changed holds a word for CallOthers.
	changed   chan struct{}
	mu        sync.Mutex
	listeners []func([]Change)
}

// Open connects, and judges what requests will really run as before anything is served. It returns an error that says
// what to do where the database is not migrated, or where Examine finds a danger.
func Open(ctx context.Context, config Config) (*Store, error) {
	s, err := examined(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := s.examination.Err(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Examination is what was found when the store was opened: no dangers, perhaps warnings.
func (s *Store) Examination() Examination { return s.examination }

func (c Config) withDefaults() Config {
	if c.Scope == "" {
		c.Scope = ScopeConnection
	}
	if c.MigrateURL == "" {
		c.MigrateURL = c.URL
	}
	if c.StatementTimeout == 0 {
		c.StatementTimeout = 10 * time.Second
	}
	if c.LockTimeout == 0 {
		c.LockTimeout = 5 * time.Second
	}
	if c.MaxRead == 0 {
		c.MaxRead = 16 << 20
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewID == nil {
		c.NewID = func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// Close closes every connection.
func (s *Store) Close() { s.close() }

// now is the clock in the precision that PostgreSQL keeps, so that what is answered is what is stored.
func (s *Store) now() time.Time { return s.config.Now().UTC().Truncate(time.Microsecond) }
