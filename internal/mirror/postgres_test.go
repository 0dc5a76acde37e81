package mirror

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// fixture is a mirror over a database of its own.
type fixture struct {
	*Mirror
	store *store.Store
	owner *pgxpool.Pool // sees and may do everything
	clock *atomic.Int64 // seconds that the mirror's clock is ahead
	logs  *logs
}

type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newFixture(t testing.TB, config store.Config) *fixture {
	t.Helper()
	owner, err := pgxpool.New(t.Context(), cmp.Or(config.MigrateURL, config.URL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(owner.Close)
	f := &fixture{owner: owner, clock: new(atomic.Int64), logs: new(logs)}
	config.Logger = slog.New(slog.DiscardHandler)
	f.store = dbtest.OpenWith(t, config)
	f.Mirror = New(f.store, Config{
		InstanceID: func() string { return "ins_1" },
		Now:        func() time.Time { return time.Now().Add(time.Duration(f.clock.Load()) * time.Second) },
		Logger:     slog.New(slog.NewTextHandler(f.logs, nil)),
	})
	return f
}

func (f *fixture) receive(t testing.TB, id string, body []byte) Outcome {
	t.Helper()
	outcome, err := f.Receive(context.Background(), Message{ID: id, Body: body, Received: f.config.Now()})
	if err != nil {
		t.Errorf("%s: %v", id, err)
	}
	return outcome
}

// run starts workers that stop with the test.
func (f *fixture) run(t testing.TB) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// eventually waits until the query answers true.
func (f *fixture) eventually(t testing.TB, query string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if f.value(t, query, args...) == "true" {
			return
		}
	}
	t.Fatalf("still not: %s", query)
}

// value returns the text of the one value that the query answers.
func (f *fixture) value(t testing.TB, query string, args ...any) string {
	t.Helper()
	var value any
	if err := f.owner.QueryRow(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return fmt.Sprint(value)
}

func (f *fixture) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := f.owner.Exec(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// sample is one of Clerk's events.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// load reads the whole copy into a model, so that it can be compared with one.
func (f *fixture) load(t testing.TB) *model {
	t.Helper()
	m := newModel()
	for _, row := range rows[store.MirrorOrganization](t, f, "SELECT * FROM clerk.organizations") {
		m.organizations[row.ID] = row
	}
	for _, row := range rows[store.MirrorUser](t, f, "SELECT * FROM clerk.users") {
		m.users[row.ID] = row
	}
	for _, row := range rows[store.MirrorMembership](t, f, "SELECT * FROM clerk.memberships") {
		m.memberships[row.ID] = row
	}
	for _, row := range rows[store.MirrorRole](t, f, "SELECT * FROM clerk.roles") {
		m.roles[row.ID] = row
	}
	for _, row := range rows[store.MirrorInvitation](t, f, "SELECT * FROM clerk.invitations") {
		m.invitations[row.ID] = row
	}
	for _, row := range rows[store.MirrorDomain](t, f, "SELECT * FROM clerk.domains") {
		m.domains[row.ID] = row
	}
	for _, row := range rows[store.MirrorPermission](t, f, "SELECT * FROM clerk.permissions") {
		m.permissions[row.ID] = row
	}
	for _, row := range rows[store.RevokedSession](t, f, "SELECT * FROM clerk.revoked_sessions") {
		m.sessions[row.ID] = row
	}
	for _, row := range rows[models.Organization](t, f, "SELECT * FROM public.organizations") {
		row.CreatedAt, row.DeletedAt = row.CreatedAt.UTC(), utc(row.DeletedAt)
		m.publicOrganizations[row.OrganizationID] = row
	}
	for _, row := range rows[models.Member](t, f, "SELECT * FROM public.members") {
		row.JoinedAt, row.LeftAt = row.JoinedAt.UTC(), utc(row.LeftAt)
		row.NameKey, row.LastNameKey, row.EmailKey = "", nil, nil // the database's own
		m.publicMembers[pair{row.OrganizationID, row.UserID}] = row
	}
	for _, row := range rows[models.Invitation](t, f, "SELECT * FROM public.invitations") {
		row.CreatedAt, row.ExpiresAt = row.CreatedAt.UTC(), utc(row.ExpiresAt)
		m.publicInvitations[row.ID] = row
	}
	return m
}

// rows reads rows by their column names: organization_id is OrganizationID.
func rows[T any](t testing.TB, f *fixture, query string) (found []T) {
	t.Helper()
	found, err := readRows[T](t.Context(), f, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return found
}

func readRows[T any](ctx context.Context, f *fixture, query string) (found []T, err error) {
	result, err := f.owner.Query(ctx, "SELECT row_to_json(r) FROM ("+query+") AS r")
	if err != nil {
		return nil, err
	}
	defer result.Close()
	for result.Next() {
		var text []byte
		if err := result.Scan(&text); err != nil {
			return nil, err
		}
		var columns map[string]json.RawMessage
		if err := json.Unmarshal(text, &columns); err != nil {
			return nil, err
		}
		fields := map[string]json.RawMessage{}
		for column, value := range columns {
			fields[strings.ReplaceAll(column, "_", "")] = value // encoding/json does not mind the case
		}
		renamed, err := json.Marshal(fields)
		if err != nil {
			return nil, err
		}
		var row T
		if err := json.Unmarshal(renamed, &row); err != nil {
			return nil, err
		}
		found = append(found, row)
	}
	return found, result.Err()
}

func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	moved := at.UTC()
	return &moved
}
