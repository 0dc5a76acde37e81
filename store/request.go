package store

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/models"
)

// requestConnections is how many connections one request may use at a time. GraphQL resolves
// sibling fields concurrently, so without a limit one request could take the whole pool.
const requestConnections = 2

// maxTurns is how often one request may turn to the database: to read a page, a count or some rows
// by their ids, or to change something. A list of objects multiplies what is asked of each.
const maxTurns = 300

// request is what one GraphQL request may use of the database.
type request struct {
	// connections has a place for each connection that is in use.
	connections chan struct{}
	// read counts the bytes that PostgreSQL sent, and turns how often the request turned to it.
	read, turns atomic.Int64
}

type requestKey struct{}

// WithRequest returns the context of one GraphQL request, and a function that returns how many
// statements the request has sent. Everything done in that context together uses at most two
// connections at a time, and fails with models.ErrResponseTooLarge once Config.MaxRead bytes have
// been read, or after 300 reads and changes.
func WithRequest(ctx context.Context) (context.Context, func() int) {
	ctx = context.WithValue(ctx, requestKey{}, &request{connections: make(chan struct{}, requestConnections)})
	return WithStatementCount(ctx)
}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

type connectionHeldKey struct{}

// limited runs fn, which uses one connection, when the request of ctx may use another one. What fn
// does in its own context counts as the same connection: waiting for a second one while holding
// the first could wait forever.
func (d *door) limited(ctx context.Context, fn func(ctx context.Context) error) error {
	r := requestOf(ctx)
	if r == nil || d.unlimited {
		return fn(ctx)
	}
	if ctx.Value(connectionHeldKey{}) == nil {
		select {
		case r.connections <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		defer func() { <-r.connections }()
		if r.turns.Add(1) > maxTurns {
			return models.ErrResponseTooLarge
		}
		ctx = context.WithValue(ctx, connectionHeldKey{}, true)
	}
	if r.read.Load() > d.maxRead {
		return models.ErrResponseTooLarge
	}
	return fn(ctx)
}

// meteredConn counts what is read from a connection for the request that uses it.
type meteredConn struct {
	net.Conn
	request atomic.Pointer[request]
}

func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if r := c.request.Load(); r != nil {
		r.read.Add(int64(n))
	}
	return n, err
}

// metered makes every connection of a pool a meteredConn.
func metered(config *pgx.ConnConfig) {
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &meteredConn{Conn: conn}, nil
	}
}

// meter counts what is read from now on for the request of ctx, or for nobody.
func meter(ctx context.Context, conn *pgx.Conn) error {
	under := conn.PgConn().Conn()
	if encrypted, ok := under.(*tls.Conn); ok {
		under = encrypted.NetConn()
	}
	counted, ok := under.(*meteredConn)
	if !ok {
		return errors.New("store: a connection whose bytes are not counted")
	}
	counted.request.Store(requestOf(ctx))
	return nil
}
