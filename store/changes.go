package store

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

// Change says of whom facts changed: of everybody in an organization, of a user everywhere, of a user in an organization
// where both are given, of a session (whose user is given where it is known), or of what roles hold.
type Change struct {
	OrganizationID, UserID, SessionID string
	Role                              bool
}

// ChangeWatcher hears of changes. Its methods are called one after the other.
type ChangeWatcher interface {
	// Changed gets what has been committed, by whichever server, and not been told before. Everything that was committed
	// before asOf is told now.
	Changed(changes []Change, asOf time.Time)
}

const (
	changesChannel = "tenantry_changes"
	// lookForChanges is how often changes are looked for where nobody calls: a server can die between its commit and
	// its call.
	lookForChanges = 250 * time.Millisecond
	// lookTimeout is what a look may take before the connection counts as broken.
	lookTimeout = time.Second
	// callEvery is the least time between two calls of one server. NOTIFY takes a lock for the whole database at commit, so
	// it is not part of the transactions that change something.
	callEvery = 20 * time.Millisecond
	// keepChanges is far longer than any server is behind.
	keepChanges = 24 * time.Hour
)

// WatchChanges tells the watcher of every change until ctx ends or the connection breaks; it always returns an error.
// Whatever was known before it was called, and whatever is known when it returns, may be wrong. The connection is one of
// its own, to MigrateURL, because LISTEN does not hold through a transaction-mode pooler.
func (s *Store) WatchChanges(ctx context.Context, watcher ChangeWatcher) error {
	config, err := parseURL(s.config.MigrateURL)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return translate(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, "SET ROLE "+pgx.Identifier{s.instance.MirrorRole}.Sanitize()+"; LISTEN "+changesChannel)
	if err != nil {
		return translate(err)
	}
	w := &changeReader{conn: conn, seen: map[int64]uint64{}}
	for {
		asOf := time.Now()
		changes, err := w.look(ctx)
		if err != nil {
			return translate(err)
		}
		watcher.Changed(changes, asOf)
		if err := w.wait(ctx); err != nil {
			return translate(err)
		}
	}
}

// changeReader reads clerk.changes from a transaction id on below which everything was visible at the look before.
type changeReader struct {
	conn *pgx.Conn
	from uint64
	// seen has the ids that were told, with their transactions, as far as the next look may meet them again.
	seen map[int64]uint64
}

// look returns what was committed since the last look; the first one only finds out where to begin.
func (w *changeReader) look(ctx context.Context) ([]Change, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	first := w.from == 0
	// Transactions that this look does not see yet have ids from its snapshot's xmin on.
	rows, err := w.conn.Query(ctx, `SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, coalesce(c.xid::text::bigint, 0),
			coalesce(c.id, 0), coalesce(c.organization_id, ''), coalesce(c.user_id, ''), coalesce(c.session_id, ''), coalesce(c.role, false)
		FROM (SELECT) AS one LEFT JOIN clerk.changes AS c ON c.xid >= $1::text::xid8 AND NOT $2`, pgx.QueryExecModeExec,
		strconv.FormatUint(w.from, 10), first)
	if err != nil {
		return nil, err
	}
	var changes []Change
	var xmin, xid, id int64
	var c Change
	_, err = pgx.ForEachRow(rows, []any{&xmin, &xid, &id, &c.OrganizationID, &c.UserID, &c.SessionID, &c.Role}, func() error {
		if _, told := w.seen[id]; id != 0 && !told {
			w.seen[id] = uint64(xid)
			changes = append(changes, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	w.from = uint64(xmin)
	for id, xid := range w.seen {
		if xid < w.from {
			delete(w.seen, id)
		}
	}
	return changes, nil
}

// wait returns when another server calls, or after a while.
func (w *changeReader) wait(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, lookForChanges)
	defer cancel()
	_, err := w.conn.WaitForNotification(waiting)
	if err != nil && ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err)) {
		return nil
	}
	return err
}

// OnChange has a function hear, before Mirror returns, of the facts that a transaction of this store may have changed. It
// must not block.
func (s *Store) OnChange(heard func([]Change)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, heard)
}

func (s *Store) tell(changes []Change) {
	s.mu.Lock()
	listeners := s.listeners
	s.mu.Unlock()
	for _, heard := range listeners {
		heard(changes)
	}
	select {
	case s.changed <- struct{}{}:
	default: // a call is due anyway
	}
}

// CallOthers has the watchers of all servers look, whenever something changed through this store, until ctx ends.
func (s *Store) CallOthers(ctx context.Context) {
	for {
		select {
		case <-s.changed:
		case <-ctx.Done():
			return
		}
		// A call that fails is made good by their own looking.
		_ = s.mirror.one(ctx, "", func(_ context.Context, db *gorm.DB) error {
			return db.Exec("SELECT pg_notify('" + changesChannel + "', '')").Error
		})
		select {
		case <-time.After(callEvery):
		case <-ctx.Done():
			return
		}
	}
}

// PurgeChanges deletes what no server can have missed.
func (s *Store) PurgeChanges(ctx context.Context) error {
	return s.Mirror(ctx, func(tx *MirrorTx) error {
		return tx.exec("DELETE FROM clerk.changes WHERE at < now() - make_interval(secs => ?)", keepChanges.Seconds())
	})
}
