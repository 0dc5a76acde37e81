package store_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// welcomed is a store with a Welcome, and a clock that the test moves.
type welcomed struct {
	*store.Store
	t     *testing.T
	owner *pgx.Conn
	clock atomic.Int64 // how far ahead
	logs  strings.Builder
	// id, if given, is every new id; after, if given, runs in the transaction when the welcomes are over.
	id    uuid.UUID
	after func()
}

func newWelcomed(t *testing.T, welcome store.Welcome) *welcomed {
	t.Helper()
	w := &welcomed{t: t}
	config := dbtest.Config(t)
	config.Welcome, config.Logger = welcome, slog.New(slog.NewTextHandler(&w.logs, nil))
	config.Now = func() time.Time { return time.Now().Add(time.Duration(w.clock.Load())) }
	config.NewID = func() uuid.UUID {
		if w.id != uuid.Nil {
			return w.id
		}
		return uuid.Must(uuid.NewV7())
	}
	w.Store = dbtest.OpenWith(t, config)
	owner, err := pgx.Connect(t.Context(), dbtest.OwnerURL(config))
	if err != nil {
		t.Fatal(err)
	}
	w.owner = owner
	t.Cleanup(func() { _ = owner.Close(context.Background()) })
	return w
}

// appear shows organizations for the first time, in one transaction, as the mirror does.
func (w *welcomed) appear(ids ...string) {
	w.t.Helper()
	mirror(w.t, w.Store, func(tx *store.MirrorTx) error {
		before, err := tx.WhoAmI()
		if err != nil {
			return err
		}
		var organizations []models.Organization
		for _, id := range ids {
			o := models.Organization{OrganizationID: id, Name: "Name of " + id, CreatedAt: w.now()}
			organizations = append(organizations, o)
			if _, err := tx.LockOrganization(id); err != nil {
				return err
			}
			if err := tx.PutOrganization(id, o); err != nil {
				return err
			}
		}
		if err := tx.Welcome(organizations...); err != nil {
			return err
		}
		if w.after != nil {
			w.after()
		}
		if after, err := tx.WhoAmI(); after != before || err != nil {
			w.t.Errorf("the transaction went on as %q, %v, and began as %q", after, err, before)
		}
		return nil
	})
}

func (w *welcomed) now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// again runs what is due.
func (w *welcomed) again() (ids []string) {
	w.t.Helper()
	ids, err := w.DueWelcomes(w.t.Context(), 10)
	if err != nil {
		w.t.Error(err)
	}
	for _, id := range ids {
		mirror(w.t, w.Store, func(tx *store.MirrorTx) error {
			return tx.WelcomeAgain(models.Organization{OrganizationID: id, Name: "Name of " + id})
		})
	}
	return ids
}

func (w *welcomed) titles(organizationID string) (titles []string) {
	w.t.Helper()
	page, err := w.Org(organizationID).Documents(w.t.Context(), models.Page{Limit: 10})
	if err != nil {
		w.t.Error(err)
	}
	for _, d := range page.Items {
		titles = append(titles, d.Title)
	}
	return titles
}

func hello(ctx context.Context, org store.Org, o models.Organization) error {
	title := "Hello " + o.Name
	_, err := org.CreateDocument(ctx, models.Actor{}, store.DocumentInput{Title: &title})
	return err
}

func TestWelcomeRunsOnceAsARequest(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	var who string
	w := newWelcomed(t, func(ctx context.Context, org store.Org, o models.Organization) (err error) {
		calls.Add(1)
		if shown, err := org.Organization(ctx); err != nil || shown.Name != o.Name {
			t.Errorf("the organization itself: %+v, %v", shown, err)
		}
		if who, err = org.WhoAmI(ctx); err != nil {
			return err
		}
		return hello(ctx, org, o)
	})
	dbtest.Document(t, w.Org(globex), models.Document{Title: "Theirs"})
	w.appear(acme)
	w.appear(acme)
	w.appear(acme, "org_2", acme)
	var request string
	if err := w.owner.QueryRow(t.Context(), "SELECT request_role FROM tenantry.instance").Scan(&request); err != nil || who != request+" org_2 2s" {
		t.Errorf("it ran as %q, %v, want as %q in its organization", who, err, request)
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("it ran %d times for two organizations", n)
	}
	for id, want := range map[string]string{acme: "Hello Name of " + acme, "org_2": "Hello Name of org_2", globex: "Theirs"} {
		if titles := w.titles(id); len(titles) != 1 || titles[0] != want {
			t.Errorf("%s has %q, want %q", id, titles, want)
		}
	}
	log, err := w.Org(acme).AuditLog(t.Context(), models.AuditFilter{}, models.Page{Limit: 10})
	if err != nil || len(log.Items) != 1 || log.Items[0].Action != "document.create" || log.Items[0].ActorID != nil {
		t.Errorf("the audit log: %+v, %v", log.Items, err)
	}
	if due := w.again(); due != nil {
		t.Errorf("due: %q", due)
	}
}

// A Welcome that fails in whatever way holds nothing up, leaves nothing behind and is run again until it succeeds, once.
func TestWelcomeThatFailsIsRunAgain(t *testing.T) {
	t.Parallel()
	const insert = "INSERT INTO documents (organization_id, id, title, content, author_id, version, created_at, updated_at) VALUES (?, gen_random_uuid(), 'x', '', '', 1, now(), now())"
	for name, fail := range map[string]func(ctx context.Context, org store.Org) error{
		"an error": func(context.Context, store.Org) error { return errors.New("no") },
		"a panic":  func(context.Context, store.Org) error { panic("secret") },
		"input": func(ctx context.Context, org store.Org) error {
			_, err := org.CreateDocument(ctx, models.Actor{}, store.DocumentInput{})
			return err
		},
		"it does not heed its time": func(context.Context, store.Org) error {
			time.Sleep(2500 * time.Millisecond)
			return nil
		},
		"a statement takes too long": func(ctx context.Context, org store.Org) error { return org.Exec(ctx, "SELECT pg_sleep(30)") },
		"another organization":       func(ctx context.Context, org store.Org) error { return org.Exec(ctx, insert, globex) },
		"the mark": func(ctx context.Context, org store.Org) error {
			return org.Exec(ctx, "DELETE FROM clerk.welcomes")
		},
		"an error that it did not look at": func(ctx context.Context, org store.Org) error {
			_ = org.Exec(ctx, "SELECT 1 / 0")
			return nil
		},
		"what is checked at the commit": func(ctx context.Context, org store.Org) error {
			return org.Exec(ctx, "INSERT INTO public.test_parts VALUES (?, gen_random_uuid())", acme)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var failing atomic.Bool
			failing.Store(true)
			var calls atomic.Int64
			var kept store.Org
			w := newWelcomed(t, func(ctx context.Context, org store.Org, o models.Organization) error {
				calls.Add(1)
				kept = org
				if err := hello(ctx, org, o); err != nil {
					return err
				}
				if failing.Load() && o.OrganizationID == acme {
					return fail(ctx, org)
				}
				return nil
			})
			if _, err := w.owner.Exec(t.Context(), `CREATE TABLE public.test_parts (organization_id text COLLATE "C", document uuid,
				FOREIGN KEY (organization_id, document) REFERENCES documents DEFERRABLE INITIALLY DEFERRED);
				CALL tenantry.own_table('public.test_parts')`); err != nil {
				t.Fatal(err)
			}
			dbtest.Document(t, w.Org(globex), models.Document{Title: "Theirs"})
			w.after = func() {
				if _, err := kept.Document(t.Context(), uuid.Nil); err == nil || errors.Is(err, models.ErrNotFound) {
					t.Errorf("the handle afterwards: %v", err)
				}
			}
			w.appear("org_0", acme, "org_2") // in one transaction, which commits
			w.after = nil
			if o, err := w.Org(acme).Organization(t.Context()); err != nil || o.Name != "Name of "+acme {
				t.Fatalf("the organization: %+v, %v", o, err)
			}
			if titles := w.titles(acme); titles != nil {
				t.Errorf("it left %q", titles)
			}
			// After one that took all its time the transaction does not try another.
			waiting := []string{acme}
			if strings.Contains(name, "time") || strings.Contains(name, "too long") {
				waiting = append(waiting, "org_2")
			}
			for _, id := range []string{"org_0", "org_2"} {
				if titles := w.titles(id); (len(titles) == 1) == slices.Contains(waiting, id) {
					t.Errorf("%s beside it has %q", id, titles)
				}
			}
			if logs := w.logs.String(); !strings.Contains(logs, "organization_id="+acme) || strings.Contains(logs, "secret") {
				t.Errorf("the log says %s", logs)
			}
			if due := w.again(); due != nil {
				t.Errorf("due at once: %q", due)
			}
			w.clock.Add(int64(1500 * time.Millisecond))
			if due := w.again(); !slices.Equal(due, waiting) || w.titles(acme) != nil || len(w.titles("org_2")) != 1 {
				t.Errorf("due after 1.5 s: %q, with %q", due, w.titles(acme))
			}
			w.clock.Add(int64(1500 * time.Millisecond))
			if due := w.again(); due != nil {
				t.Errorf("due as soon after the second failure: %q", due)
			}
			failing.Store(false)
			w.clock.Add(int64(time.Second))
			w.again()
			w.clock.Add(int64(2 * time.Hour))
			w.again()
			w.appear(acme)
			if titles := w.titles(acme); len(titles) != 1 || calls.Load() != 5 || len(w.titles("org_2")) != 1 {
				t.Errorf("in the end there are %q, after %d calls", titles, calls.Load())
			}
			if titles := w.titles(globex); len(titles) != 1 || titles[0] != "Theirs" {
				t.Errorf("another organization has %q", titles)
			}
		})
	}
}

// A write that fails inside leaves nothing behind, and the rest goes on.
func TestWelcomeGoesOnAfterAWriteThatFailed(t *testing.T) {
	t.Parallel()
	var w *welcomed
	w = newWelcomed(t, func(ctx context.Context, org store.Org, o models.Organization) error {
		w.id = uuid.Must(uuid.NewV7())
		first, second := hello(ctx, org, o), hello(ctx, org, o)
		w.id = uuid.Nil
		if first != nil || second == nil {
			t.Errorf("a document: %v, another one of the same id: %v", first, second)
		}
		return hello(ctx, org, o)
	})
	w.appear(acme)
	if titles := w.titles(acme); len(titles) != 2 {
		t.Errorf("there are %q", titles)
	}
}

// What is refused inside is undone and recorded, and the rest goes on, as for a request.
func TestWelcomeIsRefusedAsRequestsAre(t *testing.T) {
	t.Parallel()
	var theirs *models.Document
	w := newWelcomed(t, func(ctx context.Context, org store.Org, o models.Organization) error {
		if _, err := org.Document(ctx, theirs.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("another organization's document: %v", err)
		}
		if err := org.DeleteDocument(ctx, models.Actor{}, theirs.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("deleting another organization's document: %v", err)
		}
		return hello(ctx, org, o)
	})
	theirs = dbtest.Document(t, w.Org(globex), models.Document{Title: "Theirs"})
	w.appear(acme)
	if titles := w.titles(globex); len(titles) != 1 {
		t.Errorf("another organization has %q", titles)
	}
	log, err := w.Org(acme).AuditLog(t.Context(), models.AuditFilter{}, models.Page{Limit: 10})
	if err != nil || len(log.Items) != 2 || log.Items[0].Outcome != models.OutcomeApplied || log.Items[1].Outcome != models.OutcomeRefused {
		t.Errorf("the audit log: %+v, %v", log.Items, err)
	}
}

// Without a Welcome nothing is asked of the database.
func TestNoWelcome(t *testing.T) {
	t.Parallel()
	w := newWelcomed(t, nil)
	w.appear(acme)
	ctx, statements := store.WithStatementCount(t.Context())
	if due, err := w.DueWelcomes(ctx, 10); due != nil || err != nil || statements() != 0 {
		t.Errorf("due: %q, %v, %d statements", due, err, statements())
	}
	var marks int
	if err := w.owner.QueryRow(t.Context(), "SELECT count(*) FROM clerk.welcomes").Scan(&marks); err != nil || marks != 0 {
		t.Errorf("%d marks, %v", marks, err)
	}
}

// Who was there before the migration is not new: known to the copy, by a token only, or by documents alone.
func TestWelcomeIsNotForWhoWasThereBefore(t *testing.T) {
	t.Parallel()
	url := dbtest.Empty(t)
	if err := store.MigrateTo(t.Context(), url, 10); err != nil {
		t.Fatal(err)
	}
	owner, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(t.Context())
	if _, err := owner.Exec(t.Context(), `INSERT INTO clerk.organizations (id, name) VALUES ('org_known', 'Known'), ('org_token', ''), ('org_both', 'Both');
		INSERT INTO documents SELECT 'org_' || o, gen_random_uuid(), 't', '', '', 1, now(), now() FROM unnest(ARRAY['both', 'documents', 'also']) AS o, generate_series(1, 3)`); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	var calls []string
	s := dbtest.OpenWith(t, store.Config{URL: url, Welcome: func(_ context.Context, _ store.Org, o models.Organization) error {
		calls = append(calls, o.OrganizationID)
		return nil
	}})
	w := &welcomed{Store: s, t: t}
	w.appear("org_known", "org_token", "org_both", "org_documents", "org_also", "org_new")
	if !slices.Equal(calls, []string{"org_new"}) {
		t.Errorf("welcome were %q", calls)
	}
	var forced bool
	if err := owner.QueryRow(t.Context(), "SELECT relforcerowsecurity FROM pg_class WHERE oid = 'documents'::regclass").Scan(&forced); err != nil || !forced {
		t.Errorf("row level security binds the owner of documents afterwards: %t, %v", forced, err)
	}
}
