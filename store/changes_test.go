package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

type nobodyWatches struct{}

func (nobodyWatches) Changed([]store.Change, time.Time) {}

// Changes that are heard in one database say nothing of the facts in another.
func TestWatchingAnotherDatabaseEnds(t *testing.T) {
	t.Parallel()
	s := dbtest.OpenWith(t, store.Config{URL: dbtest.New(t), MigrateURL: dbtest.New(t)})
	err := s.WatchChanges(t.Context(), nobodyWatches{})
	if err == nil || !strings.Contains(err.Error(), "leads to another database") {
		t.Errorf("watching the other database ended with %v", err)
	}
}

func TestPurgeChanges(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	conn, err := pgx.Connect(t.Context(), dbtest.OwnerURL(config))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), `INSERT INTO clerk.changes (session_id, at) VALUES ('sess_old', now() - interval '25 hours'),
		('sess_new', now() - interval '23 hours'), ('mark old', now() - interval '2 hours'), ('mark new', now())`)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PurgeChanges(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left string
	err = conn.QueryRow(t.Context(), "SELECT string_agg(session_id, ', ' ORDER BY session_id) FROM clerk.changes").Scan(&left)
	if err != nil || left != "mark new, sess_new" {
		t.Errorf("left are %s, %v", left, err)
	}
}
