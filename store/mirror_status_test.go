package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

func TestEventCounts(t *testing.T) {
	t.Parallel()
	s := dbtest.OpenWith(t, dbtest.Config(t))
	now := time.Now()
	for id, e := range map[string]store.Event{
		"msg_1": {Type: "user.created", State: store.EventPending, ReceivedAt: now},
		"msg_2": {Type: "user.created", State: store.EventPending, ReceivedAt: now.Add(-time.Hour)},
		"msg_3": {Type: "user.created", State: store.EventDead, ReceivedAt: now},
		"msg_4": {State: store.EventDead, ReceivedAt: now},
		"msg_5": {Type: "user.created", State: store.EventPending, ReceivedAt: now.Add(-25 * time.Hour)},
	} {
		e.ID, e.Body = id, []byte("{}")
		mustStore(t, s, e, store.StoredNew)
	}
	got, err := s.EventCounts(t.Context(), now.Add(-24*time.Hour))
	want := []store.EventCount{{"", store.EventDead, 1}, {"user.created", store.EventDead, 1}, {"user.created", store.EventPending, 2}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestRowCounts also holds the list of tables against the database: every table with versions is counted.
func TestRowCounts(t *testing.T) {
	t.Parallel()
	url := dbtest.New(t)
	s := dbtest.OpenWith(t, store.Config{URL: url})
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "SELECT table_name::text FROM information_schema.columns WHERE table_schema = 'clerk' AND column_name = 'needs_read'")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	want := map[string]store.RowCount{}
	for _, table := range tables {
		const row = "INSERT INTO clerk.%s (id, created_at, tomb_at, needs_read) VALUES ('live', 1, 0, false), ('asked', 1, 0, true), ('back', 3, 2, false), ('dead', 1, 2, true)"
		if _, err := conn.Exec(t.Context(), strings.Replace(row, "%s", table, 1)); err != nil {
			t.Fatal(err)
		}
		want[table] = store.RowCount{Kind: table, Live: 3, Dead: 1, Waiting: 1}
	}
	counts, err := s.RowCounts(t.Context())
	got := map[string]store.RowCount{}
	for _, c := range counts {
		got[c.Kind] = c
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestCheckIssuer(t *testing.T) {
	t.Parallel()
	url := dbtest.New(t)
	check := func(issuer, want string) {
		t.Helper()
		err := dbtest.OpenWith(t, store.Config{URL: url}).CheckIssuer(issuer)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", issuer, err)
		}
	}
	check("https://one.example", "no Clerk instance yet")
	if _, err := store.Claim(t.Context(), url, "https://one.example"); err != nil {
		t.Fatal(err)
	}
	check("https://one.example", "")
	check("https://two.example", "the organizations of https://one.example")
}
