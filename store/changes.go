package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
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
	// markEvery is how often it is made sure that both logins lead to one database. No session's id has a space.
	markEvery  = 5 * time.Second
	markPrefix = "mark "
	// keepChanges is far longer than any server is behind.
	keepChanges = 24 * time.Hour
	keepMarks   = time.Hour
)

// WatchChanges tells the watcher of every change until ctx ends or the connection breaks; it always returns an error.
// Whatever was known before it was called, and whatever is known when it returns, may be wrong. The connection is one of
// its own, to MigrateURL, because LISTEN does not hold through a transaction-mode pooler. That it leads to the database
// that facts are read from is made sure of now and then, by a mark that is written there and must be seen here: a failover
// can part the two.
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
	w := &changeReader{conn: conn}
	var marked time.Time
	for {
		if time.Since(marked) >= markEvery && w.from != "" {
			if err := s.mark(ctx, w); err != nil {
				return translate(err)
			}
			marked = time.Now()
		}
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

// mark writes a mark where facts are read, for the next look to find.
func (s *Store) mark(ctx context.Context, w *changeReader) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	w.mark = markPrefix + uuid.NewString()
	return s.facts.one(ctx, "", func(_ context.Context, db *gorm.DB) error {
		return db.Exec("INSERT INTO clerk.changes (session_id) VALUES (?)", w.mark).Error
	})
}

var errOtherDatabase = errors.New("DATABASE_MIGRATE_URL leads to another database than DATABASE_URL")

// changeReader reads what of clerk.changes became visible since the last look.
type changeReader struct {
	conn *pgx.Conn
	// from is the snapshot of the last look.
	from string
	// mark must be among what the next look finds; "" for none.
	mark string
}

// look returns what was committed since the last look; the first one only finds out where to begin. What one snapshot does
// not see has a transaction id from its xmin on, and is not visible in it, however late it is committed.
func (w *changeReader) look(ctx context.Context) ([]Change, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	const now = "SELECT pg_current_snapshot()::text"
	if w.from == "" {
		return nil, w.conn.QueryRow(ctx, now).Scan(&w.from)
	}
	rows, err := w.conn.Query(ctx, `SELECT pg_current_snapshot()::text, coalesce(c.organization_id, ''), coalesce(c.user_id, ''),
			coalesce(c.session_id, ''), coalesce(c.role, false), c.xid IS NOT NULL
		FROM (SELECT) AS one LEFT JOIN clerk.changes AS c
			ON c.xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(c.xid, $1::text::pg_snapshot)`,
		pgx.QueryExecModeExec, w.from)
	if err != nil {
		return nil, err
	}
	var changes []Change
	var c Change
	var found, seen bool
	_, err = pgx.ForEachRow(rows, []any{&w.from, &c.OrganizationID, &c.UserID, &c.SessionID, &c.Role, &found}, func() error {
		seen = seen || c.SessionID == w.mark
		if found && !strings.HasPrefix(c.SessionID, markPrefix) {
			changes = append(changes, c)
		}
		return nil
	})
	if err == nil && w.mark != "" && !seen {
		err = errOtherDatabase
	}
	w.mark = ""
	return changes, err
}

// wait returns when another server calls, or after a while, and not sooner than callEvery after it was called: one look
// answers all calls that came meanwhile.
func (w *changeReader) wait(ctx context.Context) error {
	if err := w.called(ctx, lookForChanges); err != nil {
		return ignoreTimeout(ctx, err)
	}
	for until := time.Now().Add(callEvery); ; {
		if err := w.called(ctx, time.Until(until)); err != nil {
			return ignoreTimeout(ctx, err)
		}
	}
}

// called returns nil when another server calls within a time.
func (w *changeReader) called(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := w.conn.WaitForNotification(ctx)
	return err
}

func ignoreTimeout(ctx context.Context, err error) error {
	if ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err)) {
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
		return tx.exec("DELETE FROM clerk.changes WHERE at < now() - make_interval(secs => CASE WHEN starts_with(session_id, ?) THEN ?::float8 ELSE ?::float8 END)",
			markPrefix, keepMarks.Seconds(), keepChanges.Seconds())
	})
}
