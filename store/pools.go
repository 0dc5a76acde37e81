package store

import (
	"context"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// What a server opens beside the connections of requests, so that nothing of it waits for them.
const (
	factsConnections  = 4
	mirrorConnections = 6
	healthConnections = 1
)

// pools are the connections of a store. A pool opens a connection when it is first needed.
type pools struct {
	// requests is what requests do, as the request role.
	requests *door
	// facts is what requests read as the mirror's role: the facts that they are judged by, names
	// and roles. They are short reads by key, so that none of them makes the others wait.
	facts *door
	// mirror is what webhooks, comparisons with Clerk and other background work do.
	mirror *door
	// health is the login itself, for Ping.
	health *pgxpool.Pool
}

func openPools(ctx context.Context, config Config, instance Instance) (p pools, err error) {
	defer func() {
		if err != nil {
			p.close()
			p = pools{}
		}
	}()
	size := config.requestConnections()
	if p.requests, err = openDoor(ctx, config, instance.RequestRole, size); err != nil {
		return p, err
	}
	size = p.requests.pool.Config().MaxConns
	if p.facts, err = openDoor(ctx, config, instance.MirrorRole, min(factsConnections, size)); err != nil {
		return p, err
	}
	if p.mirror, err = openDoor(ctx, config, instance.MirrorRole, min(mirrorConnections, size)); err != nil {
		return p, err
	}
	p.mirror.unlimited = true
	health, err := parsePool(config.URL, healthConnections)
	if err != nil {
		return p, err
	}
	p.health, err = pgxpool.NewWithConfig(ctx, health)
	return p, translate(err)
}

func (p pools) close() {
	for _, d := range []*door{p.requests, p.facts, p.mirror} {
		if d != nil {
			d.close()
		}
	}
	if p.health != nil {
		p.health.Close()
	}
}

// Ping returns ErrUnavailable where the database does not answer. It waits for no other work.
func (s *Store) Ping(ctx context.Context) error { return translate(s.health.Ping(ctx)) }

// RequestConnections returns how many connections requests may use together.
func (s *Store) RequestConnections() int { return int(s.requests.pool.Config().MaxConns) }

// Busy reports whether requests use all of their connections just now, so that further ones wait.
func (s *Store) Busy() bool {
	now := s.requests.pool.Stat()
	return now.AcquiredConns() >= now.MaxConns()
}

// requestConnections returns the size of the requests' pool; 0 means the size that the URL says.
func (c Config) requestConnections() int32 {
	const least, perCore, most = 16, 4, 64 // PostgreSQL takes 100 unless told otherwise
	switch {
	case c.MaxConnections > 0:
		return c.MaxConnections
	case strings.Contains(c.URL, "pool_max_conns="):
		return 0
	}
	return min(max(least, perCore*int32(runtime.GOMAXPROCS(0))), most)
}

// parsePool reads the URL for a pool that opens its connections when they are needed; size 0 is
// what the URL says.
func parsePool(url string, size int32) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errBadURL
	}
	if size > 0 {
		config.MaxConns = size
	}
	config.MinConns = min(config.MinConns, config.MaxConns)
	config.MinIdleConns = min(config.MinIdleConns, config.MaxConns)
	return config, nil
}
