package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// occupy takes every connection for requests, each for one organization, until the returned
// function is called. It returns when the pool is full.
func occupy(t *testing.T, s *store.Store) (release func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var holding sync.WaitGroup
	for i := range s.RequestConnections() {
		holding.Go(func() {
			_ = s.RawOne(ctx, fmt.Sprint("org_", i), func(db *gorm.DB) error { return db.Exec("SELECT pg_sleep(60)").Error })
		})
	}
	t.Cleanup(cancel)
	waitUntil(t, s.Busy)
	return func() {
		cancel()
		holding.Wait()
	}
}

func waitUntil(t *testing.T, true func() bool) {
	t.Helper()
	for range 1000 {
		if true() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not happen within 10 s")
}

// Requests that use all of their connections keep neither facts nor webhooks nor the health check waiting.
func TestFullPoolOfRequests(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	config.MaxConnections, config.StatementTimeout = 4, time.Minute
	s := dbtest.OpenWith(t, config)
	if s.Busy() {
		t.Error("busy without a request")
	}
	release := occupy(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.MirrorFacts(ctx, acme, "user_ada", "sess_1", "org:admin"); err != nil {
		t.Errorf("facts: %v", err)
	}
	event := store.Event{ID: "msg_1", Type: "user.updated", State: store.EventPending, Body: []byte("{}"), ReceivedAt: time.Now()}
	if _, err := s.StoreEvent(ctx, event); err != nil {
		t.Errorf("a webhook: %v", err)
	}
	if err := s.Ping(ctx); err != nil {
		t.Errorf("the health check: %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := s.Org(acme).CountDocuments(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a request beside a full pool: %v", err)
	}
	release()
	waitUntil(t, func() bool { return !s.Busy() })
	if _, err := s.Org(acme).CountDocuments(ctx); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// One request uses two connections, however much it asks for at once, and never more.
func TestRequestUsesTwoConnections(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	ctx, statements := store.WithRequest(t.Context())
	var using, most atomic.Int64
	var reads sync.WaitGroup
	for range 100 {
		reads.Go(func() {
			if err := s.RawOne(ctx, acme, func(db *gorm.DB) error {
				now := using.Add(1)
				defer using.Add(-1)
				for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
				}
				return db.Exec("SELECT pg_sleep(0.005)").Error
			}); err != nil {
				t.Error(err)
			}
		})
	}
	reads.Wait()
	if most.Load() != 2 || s.OpenedConnections() != 2 {
		t.Errorf("%d reads at a time on %d connections, want 2 on 2", most.Load(), s.OpenedConnections())
	}
	if statements() < 100 {
		t.Errorf("counted %d statements of 100 reads", statements())
	}
}

// Work that needs the database while it holds a connection gets it, so that it cannot wait for itself.
func TestRequestDoesNotWaitForItself(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	ctx, _ := store.WithRequest(t.Context())
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var outer sync.WaitGroup
	for range 8 {
		outer.Go(func() {
			err := s.RawWithin(ctx, acme, func(ctx context.Context) error {
				_, err := s.Org(acme).CountDocuments(ctx)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	outer.Wait()
}

// Waiting for a connection ends with the request.
func TestRequestWaitsUntilItsEnd(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	ctx, _ := store.WithRequest(t.Context())
	sleeping, cancel := context.WithCancel(ctx)
	var holding sync.WaitGroup
	var held atomic.Int64
	for range 2 {
		holding.Go(func() {
			_ = s.RawOne(sleeping, acme, func(db *gorm.DB) error {
				held.Add(1)
				return db.Exec("SELECT pg_sleep(60)").Error
			})
		})
	}
	waitUntil(t, func() bool { return held.Load() == 2 })
	short, end := context.WithTimeout(ctx, 100*time.Millisecond)
	defer end()
	if _, err := s.Org(acme).CountDocuments(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	cancel()
	holding.Wait()
	if _, err := s.Org(acme).CountDocuments(ctx); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A request may turn to the database 300 times, however little it reads.
func TestRequestTurnsToTheDatabaseTooOften(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	ctx, statements := store.WithRequest(t.Context())
	for n := range 300 {
		if _, err := s.Org(acme).CountDocuments(ctx); err != nil {
			t.Fatalf("count %d: %v", n+1, err)
		}
	}
	before := statements()
	if _, err := s.Org(acme).CountDocuments(ctx); !errors.Is(err, models.ErrResponseTooLarge) {
		t.Errorf("once more: %v", err)
	}
	if statements() != before {
		t.Error("a refused count was sent to the database")
	}
	other, _ := store.WithRequest(t.Context())
	if _, err := s.Org(acme).CountDocuments(other); err != nil {
		t.Errorf("another request: %v", err)
	}
}

// The size of the requests' pool is the setting, else what the URL says, else it comes from the cores.
func TestPoolSize(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	open := func(url string, size int32) int32 {
		config := config
		config.URL, config.MaxConnections = url, size
		return int32(dbtest.OpenWith(t, config).RequestConnections())
	}
	separator := "?"
	if strings.Contains(config.URL, "?") {
		separator = "&"
	}
	inURL := config.URL + separator + "pool_max_conns=7"
	if got := open(config.URL, 0); got < 16 || got > 64 {
		t.Errorf("the default is %d", got)
	}
	if got := open(inURL, 0); got != 7 {
		t.Errorf("%d, want the URL's 7", got)
	}
	if got := open(inURL, 3); got != 3 {
		t.Errorf("%d, want the setting's 3", got)
	}
}

// A request that has read too much is refused its further statements, and no other request is.
func TestRequestReadsTooMuch(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	config.MaxRead = 1 << 20
	s := dbtest.OpenWith(t, config)
	org := s.Org(acme)
	content := strings.Repeat("x", models.MaxDocumentContent)
	for range 40 {
		dbtest.Document(t, org, models.Document{Content: content})
	}
	ctx, statements := store.WithRequest(t.Context())
	page := models.Page{Limit: 40}
	if slice, err := org.Documents(ctx, page); err != nil || len(slice.Items) != 40 {
		t.Fatalf("the first page: %d documents, %v", len(slice.Items), err)
	}
	before := statements()
	if _, err := org.Documents(ctx, page); !errors.Is(err, models.ErrResponseTooLarge) {
		t.Errorf("another page: %v", err)
	}
	if _, err := s.Viewer("user_ada").CountMemberships(ctx); !errors.Is(err, models.ErrResponseTooLarge) {
		t.Errorf("memberships: %v", err)
	}
	if _, err := s.Roles(ctx); !errors.Is(err, models.ErrResponseTooLarge) {
		t.Errorf("roles: %v", err)
	}
	title := "Not written"
	if _, err := org.CreateDocument(ctx, ada, store.DocumentInput{Title: &title}); !errors.Is(err, models.ErrResponseTooLarge) {
		t.Errorf("a mutation: %v", err)
	}
	if statements() != before {
		t.Errorf("%d statements were sent all the same", statements()-before)
	}
	if err := s.Mirror(ctx, func(*store.MirrorTx) error { return nil }); err != nil {
		t.Errorf("what has happened in Clerk is not written down: %v", err)
	}
	if n, err := org.CountDocuments(t.Context()); err != nil || n != 40 {
		t.Errorf("%d documents, %v", n, err)
	}
	other, _ := store.WithRequest(t.Context())
	if _, err := org.Documents(other, page); err != nil {
		t.Errorf("another request: %v", err)
	}
}
