package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// terminated ends every other connection to the database, as a restart of PostgreSQL does.
const terminated = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

// warm opens connections for requests and for facts.
func warm(t *testing.T, s *store.Store, connections int) {
	t.Helper()
	var opening sync.WaitGroup
	for range connections {
		opening.Go(func() {
			if err := s.RawRead(t.Context(), acme, func(db *gorm.DB) error { return db.Exec("SELECT pg_sleep(0.1)").Error }); err != nil {
				t.Error(err)
			}
			if _, err := s.Roles(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	opening.Wait()
}

// Reads succeed right after every pooled connection was ended.
func TestReadsAfterBrokenConnections(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	config.MaxConnections = 6
	s := dbtest.OpenWith(t, config)
	document := dbtest.Document(t, s.Org(acme), models.Document{})
	reads := map[string]func(ctx context.Context) error{
		"a document":  func(ctx context.Context) error { _, err := s.Org(acme).Document(ctx, document.ID); return err },
		"a count":     func(ctx context.Context) error { _, err := s.Org(globex).CountDocuments(ctx); return err },
		"memberships": func(ctx context.Context) error { _, err := s.Viewer("user_ada").CountMemberships(ctx); return err },
		"facts": func(ctx context.Context) error {
			_, err := s.MirrorFacts(ctx, acme, "user_ada", "sess_1", "org:admin")
			return err
		},
		"roles": func(ctx context.Context) error { _, err := s.Roles(ctx); return err },
	}
	for name, read := range reads {
		warm(t, s, 6)
		asOwner(t, dbtest.OwnerURL(config), terminated)
		if err := read(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// letBreak lets requests end their own connections, which are the login's otherwise.
func letBreak(t *testing.T, config store.Config) {
	t.Helper()
	asOwner(t, dbtest.OwnerURL(config), `CREATE FUNCTION public.break_connection() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
		$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); END $$`)
}

func breakConnection(db *gorm.DB) error { return db.Exec("SELECT public.break_connection()").Error }

// A read whose connection breaks under way is tried once more, a write never is, and nothing is after its context's end.
func TestTriedOnceMore(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	letBreak(t, config)
	type run func(ctx context.Context, fn func(db *gorm.DB) error) error
	read := func(ctx context.Context, fn func(db *gorm.DB) error) error { return s.RawRead(ctx, acme, fn) }
	one := func(ctx context.Context, fn func(db *gorm.DB) error) error { return s.RawOne(ctx, acme, fn) }
	transaction := func(ctx context.Context, fn func(db *gorm.DB) error) error { return s.Raw(ctx, acme, fn) }
	for name, test := range map[string]struct {
		run           run
		breaks, tries int
	}{
		"a read that breaks once":  {read, 1, 2},
		"a read that breaks twice": {read, 2, 2},
		"a write":                  {one, 1, 1},
		"a transaction":            {transaction, 1, 1},
	} {
		tries := 0
		err := test.run(t.Context(), func(db *gorm.DB) error {
			if tries++; tries <= test.breaks {
				return breakConnection(db)
			}
			return db.Exec("SELECT 1").Error
		})
		if tries != test.tries {
			t.Errorf("%s: tried %d times, want %d", name, tries, test.tries)
		}
		if fails := test.breaks >= test.tries; fails != errors.Is(err, models.ErrUnavailable) || !fails && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	tries := 0
	_ = read(ctx, func(db *gorm.DB) error {
		tries++
		err := breakConnection(db)
		cancel()
		return err
	})
	if tries != 1 {
		t.Errorf("after the context's end: tried %d times", tries)
	}
}

// A mutation whose answer was lost is not sent again.
func TestWriteIsNotRepeated(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	letBreak(t, config)
	asOwner(t, dbtest.OwnerURL(config), `CREATE FUNCTION public.on_insert() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM public.break_connection(); RETURN NEW; END $$`,
		"CREATE TRIGGER on_insert BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION public.on_insert()")
	ctx, statements := store.WithStatementCount(t.Context())
	title := "Once"
	if _, err := s.Org(acme).CreateDocument(ctx, ada, store.DocumentInput{Title: &title}); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if sent := statements(); sent > 4 { // the organization, BEGIN, SET LOCAL, INSERT
		t.Errorf("%d statements", sent)
	}
}

// A database that takes no writes is unavailable to them, and still read.
func TestReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	asOwner(t, dbtest.OwnerURL(config), `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`,
		terminated) // a pooler may have connections already
	s := dbtest.OpenWith(t, config)
	title := "Not written"
	if _, err := s.Org(acme).CreateDocument(t.Context(), ada, store.DocumentInput{Title: &title}); !errors.Is(err, models.ErrUnavailable) || store.Away(err) {
		t.Errorf("a mutation: %v", err)
	}
	event := store.Event{ID: "msg_1", Type: "user.updated", State: store.EventPending, Body: []byte("{}"), ReceivedAt: time.Now()}
	if _, err := s.StoreEvent(t.Context(), event); !errors.Is(err, models.ErrUnavailable) {
		t.Errorf("a webhook: %v", err)
	}
	if n, err := s.Org(acme).CountDocuments(t.Context()); err != nil || n != 0 {
		t.Errorf("a read: %d, %v", n, err)
	}
}

// A server without a resource, such as disk space, is unavailable, and not away.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"53100", "53200", "53300", "53400"} {
		config := dbtest.Config(t)
		s := dbtest.OpenWith(t, config)
		asOwner(t, dbtest.OwnerURL(config), `CREATE FUNCTION public.on_insert() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '`+state+`'; END $$`,
			"CREATE TRIGGER on_insert BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION public.on_insert()")
		title := "Not written"
		_, err := s.Org(acme).CreateDocument(t.Context(), ada, store.DocumentInput{Title: &title})
		if !errors.Is(err, models.ErrUnavailable) || store.Away(err) {
			t.Errorf("SQLSTATE %s: %v", state, err)
		}
	}
}

// Nobody waits for a lock as long as a statement may take.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	config.LockTimeout = 100 * time.Millisecond
	s := dbtest.OpenWith(t, config)
	document := dbtest.Document(t, s.Org(acme), models.Document{})
	conn, err := pgx.Connect(t.Context(), dbtest.OwnerURL(config))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "INSERT INTO clerk.organizations (id) VALUES ('org_acme')"); err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "SELECT FROM documents FOR UPDATE; SELECT FROM clerk.organizations FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	title := "Changed"
	update := func() error {
		_, err := s.Org(acme).UpdateDocument(t.Context(), ada, document.ID, 1, store.DocumentInput{Title: &title})
		return err
	}
	lock := func() error {
		return s.RawMirror(t.Context(), func(db *gorm.DB) error { return db.Exec("SELECT FROM clerk.organizations FOR UPDATE").Error })
	}
	for name, wait := range map[string]func() error{"a mutation": update, "the mirror": lock} {
		started := time.Now()
		if err := wait(); !errors.Is(err, models.ErrUnavailable) || store.Away(err) {
			t.Errorf("%s: %v after %v", name, err, time.Since(started))
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(update(), lock()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
