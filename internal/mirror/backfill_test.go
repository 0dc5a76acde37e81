package mirror

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/clerk/clerk-sdk-go/v2"
	"golang.org/x/time/rate"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/local/clerk"
	"github.com/tenantry/tenantry/store"
)

// countedTransport counts requests.
type countedTransport struct{ requests atomic.Int64 }

func (c *countedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return http.DefaultTransport.RoundTrip(r)
}

// populated is the local Clerk with an instance's worth of organizations, each with fifty members who are in no other.
func populated(t testing.TB, organizations int) *clerk.Clerk {
	t.Helper()
	local, err := clerk.Open(clerk.Config{Dir: t.TempDir(), RateLimit: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := local.Populate(clerk.Population{Organizations: organizations, Users: 50 * organizations, MembersEach: 50}); err != nil {
		t.Fatal(err)
	}
	return local
}

// unbudgeted is a Backend that does not wait, and counts.
func unbudgeted(t testing.TB, local *clerk.Clerk) (*Backend, *countedTransport) {
	t.Helper()
	server := httptest.NewServer(local.Handler())
	t.Cleanup(server.Close)
	counted := new(countedTransport)
	c := newCarrier(BackendConfig{Transport: counted, AttemptTimeout: time.Minute, Logger: quiet})
	c.budget = rate.NewLimiter(rate.Inf, 1)
	url, key := server.URL+"/__clerk/backend/v1", local.SecretKey()
	return &Backend{api: sdk.NewBackend(&sdk.BackendConfig{HTTPClient: &http.Client{Transport: c}, URL: &url, Key: &key})}, counted
}

// The first filling of a copy: how long it takes, what it asks for and what it sends to the database.
func TestBackfillOfAnInstance(t *testing.T) {
	t.Parallel()
	organizations := scale(30, 1000)
	members := 50 * organizations
	local := populated(t, organizations)
	backend, counted := unbudgeted(t, local)
	f := newFixture(t, store.Config{URL: dbtest.New(t)})
	f.config.InstanceID, f.config.Backend = local.InstanceID, backend

	took, at := map[string]time.Duration{}, time.Now()
	lap := func(kind string, _, _ int) {
		took[kind] += time.Since(at)
		at = time.Now()
	}
	ctx, statements := store.WithStatementCount(t.Context())
	report, err := f.Sweep(ctx, SweepOptions{Progress: lap})
	if err != nil {
		t.Fatal(err)
	}
	requests := counted.requests.Load()
	for kind, k := range report.Kinds {
		if k.Unreadable+k.Extra+k.Differing > 0 || k.Listed != k.Missing || k.Changed != k.Missing {
			t.Errorf("%s: %+v", kind, *k)
		}
	}
	if m := report.Kinds["memberships"]; m.Listed < members {
		t.Errorf("memberships: %+v", *m)
	}
	t.Logf("%d organizations, %d users, %d memberships: %v, %d statements, %d requests (the budget alone: %v with live keys, %v with test keys); %v",
		organizations, members, members, report.Took.Round(time.Millisecond), statements(), requests,
		alone(requests, "sk_live_"), alone(requests, "sk_test_"), took)
	if found := f.verify(t); found.Drift() != 0 {
		t.Errorf("verify finds\n%s", describe(found))
	}
}

// alone is how long the budget lets so many requests take, were they all answered at once.
func alone(requests int64, secretKey string) time.Duration {
	budget := newCarrier(BackendConfig{SecretKey: secretKey}).budget
	waited := max(0, requests-int64(budget.Burst()))
	return time.Duration(float64(waited) / float64(budget.Limit()) * float64(time.Second)).Round(100 * time.Millisecond)
}
