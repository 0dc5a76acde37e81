package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/tenantry/tenantry/models"
)

// What a request shows about Clerk: only what Clerk did or failed to do counts, never a deadline of
// ours.
func TestJudgmentOfARequest(t *testing.T) {
	t.Parallel()
	const timeout = 2 * time.Second
	answer := func(status int) roundTripper {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
		}
	}
	hang := roundTripper(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	for name, c := range map[string]struct {
		method   string
		clerk    roundTripper
		patience time.Duration // of the caller
		budget   rate.Limit
		want     judgment
	}{
		"answered":                      {http.MethodPost, answer(200), timeout, rate.Inf, clerkAnswered},
		"refused":                       {http.MethodPost, answer(422), timeout, rate.Inf, clerkAnswered},
		"limited":                       {http.MethodPost, answer(429), timeout, rate.Inf, clerkAnswered},
		"broken":                        {http.MethodPost, answer(500), timeout, rate.Inf, clerkFailed},
		"no connection":                 {http.MethodPost, func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, timeout, rate.Inf, clerkFailed},
		"no answer in its time":         {http.MethodPost, hang, 2 * timeout, rate.Inf, clerkFailed},
		"given up after most of it":     {http.MethodPost, hang, 3 * timeout / 4, rate.Inf, clerkFailed},
		"given up soon":                 {http.MethodPost, hang, 50 * time.Millisecond, rate.Inf, undecided},
		"given up before":               {http.MethodPost, hang, 0, rate.Inf, undecided},
		"no budget in time":             {http.MethodPost, answer(200), 50 * time.Millisecond, 1, undecided},
		"broken, then given up":         {http.MethodGet, answer(500), 100 * time.Millisecond, rate.Inf, clerkFailed},
		"a read that is given up soon":  {http.MethodGet, hang, 50 * time.Millisecond, rate.Inf, undecided},
		"a read that is always limited": {http.MethodGet, answer(429), 100 * time.Millisecond, rate.Inf, clerkAnswered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			carrier := newCarrier(BackendConfig{Transport: c.clerk, AttemptTimeout: timeout, Logger: quiet})
			carrier.budget = rate.NewLimiter(c.budget, 1)
			if c.budget != rate.Inf {
				carrier.budget.Allow()
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.patience)
			defer cancel()
			seen := new(sighting)
			request, err := http.NewRequestWithContext(withSighting(ctx, seen), c.method, "http://clerk.invalid/", nil)
			if err != nil {
				t.Fatal(err)
			}
			if response, err := carrier.RoundTrip(request); err == nil {
				response.Body.Close()
			}
			if got := seen.judgment(); got != c.want {
				t.Errorf("%d, want %d", got, c.want)
			}
			if (seen.overdrawn > 0) != (c.budget != rate.Inf) {
				t.Errorf("overdrawn by %s", seen.overdrawn)
			}
		})
	}
}

// stormed is a Manager over a Clerk that takes a tenth of a second for each answer, and another
// organization beside Nora's.
func stormed(t *testing.T, budget *rate.Limiter, shares *shares) (g *managed, other string, sent *atomic.Int64) {
	g = newManaged(t)
	made, err := g.CreateOrganization(t.Context(), models.Actor{UserID: "user_gus"}, models.OrganizationInput{Name: ptr("Of Gus")})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.AddMember(t.Context(), models.Actor{UserID: "user_gus"}, made.ID, "user_max", "org:member"); err != nil {
		t.Fatal(err)
	}
	sent = new(atomic.Int64)
	slow := roundTripper(func(r *http.Request) (*http.Response, error) {
		sent.Add(1)
		time.Sleep(100 * time.Millisecond)
		return http.DefaultTransport.RoundTrip(r)
	})
	config := BackendConfig{URL: g.clerk.url, SecretKey: fakeKey, AttemptTimeout: attemptTimeout, Transport: slow, Logger: quiet}
	g.Manager = newManager(g.Mirror, newClientWith(config, budget, shares), ManagerConfig{Backend: config})
	return g, made.ID, sent
}

// storm asks for 50 organizations at once, each within the time of a request, and returns how many
// were made and how many refused for the time being.
func (g *managed) storm(t *testing.T, during func()) (made, refused int64) {
	t.Helper()
	var ok, wait atomic.Int64
	var storm sync.WaitGroup
	for i := range 50 {
		storm.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err := g.CreateOrganization(ctx, nora, models.OrganizationInput{Name: ptr(fmt.Sprint("Storm ", i))})
			var upstream *models.UpstreamError
			switch {
			case err == nil:
				ok.Add(1)
			case errors.As(err, &upstream) && upstream.RetryAfter >= time.Second:
				wait.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	during()
	storm.Wait()
	return ok.Load(), wait.Load()
}

// changeElsewhere makes a change in another organization, which must succeed in its normal time.
func (g *managed) changeElsewhere(t *testing.T, other, role string) {
	t.Helper()
	began := time.Now()
	err := g.UpdateMemberRole(t.Context(), models.Actor{UserID: "user_gus"}, other, "user_max", role)
	if took := time.Since(began); err != nil || took > time.Second {
		t.Errorf("a change in another organization: %v after %s", err, took)
	}
}

// One user's burst of changes neither opens the breaker nor keeps other organizations waiting.
func TestABurstLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	budget := changesBudget("sk_test_x")
	shares := sharesOf(budget)
	g, other, sent := stormed(t, budget, shares)
	began := time.Now()
	made, refused := g.storm(t, func() {
		for _, role := range []string{"org:admin", "org:member"} {
			g.changeElsewhere(t, other, role)
		}
	})
	if wait := g.breaker.refuses(); wait > 0 {
		t.Fatalf("the breaker refuses for %s", wait)
	}
	// The two changes elsewhere are of them, too.
	if most := int64(shares.burst) + int64(time.Since(began).Seconds()*float64(shares.limit)) + 3; refused == 0 || sent.Load() > most {
		t.Errorf("made %d, refused %d, sent %d of at most %d", made, refused, sent.Load(), most)
	}
	g.changeElsewhere(t, other, "org:admin")
}

// The 50 mutations of one request come one after the other, and have the time of one request in
// all.
func TestABurstInOneRequest(t *testing.T) {
	t.Parallel()
	budget := changesBudget("sk_test_x")
	g, other, _ := stormed(t, budget, sharesOf(budget))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var made, refused int
	for i := range 50 {
		var upstream *models.UpstreamError
		switch _, err := g.CreateOrganization(ctx, nora, models.OrganizationInput{Name: ptr(fmt.Sprint("Storm ", i))}); {
		case err == nil:
			made++
		case errors.As(err, &upstream):
			refused++
		default:
			t.Error(err)
		}
	}
	if wait := g.breaker.refuses(); wait > 0 || made == 0 {
		t.Errorf("made %d, refused %d, the breaker refuses for %s", made, refused, wait)
	}
	g.changeElsewhere(t, other, "org:admin")
}

// A Clerk without a budget of ours, which limits by itself, is not taken for one that is down.
func TestABurstAtALimitedClerk(t *testing.T) {
	t.Parallel()
	g, other, _ := stormed(t, rate.NewLimiter(rate.Inf, 1), nil)
	g.clerk.set(func() {
		for range 500 {
			g.clerk.faults = append(g.clerk.faults, faultLimit)
		}
	})
	if made, refused := g.storm(t, func() {}); made != 0 || refused != 50 {
		t.Errorf("made %d, refused %d", made, refused)
	}
	g.clerk.set(func() { g.clerk.faults = nil })
	g.changeElsewhere(t, other, "org:admin")
}

// A Clerk that accepts requests and does not answer them is down.
func TestAHangingClerkOpensTheBreaker(t *testing.T) {
	t.Parallel()
	g := newManaged(t)
	config := BackendConfig{SecretKey: fakeKey, AttemptTimeout: 150 * time.Millisecond, Logger: quiet, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}
	g.Manager = newManager(g.Mirror, newClientWith(config, rate.NewLimiter(rate.Inf, 1), nil), ManagerConfig{Backend: config})
	g.margin = 0
	for range breakAfter {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if _, err := g.CreateOrganization(ctx, nora, models.OrganizationInput{Name: ptr("N")}); err == nil {
			t.Error("made")
		}
		cancel()
	}
	if g.breaker.refuses() == 0 {
		t.Error("the breaker is closed")
	}
}

// Each organization and user has a quarter of the budget, and few are remembered.
func TestShares(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]struct {
		limit rate.Limit
		burst int
	}{"sk_test_x": {1, 3}, "sk_live_x": {10, 25}} {
		if got := sharesOf(changesBudget(key)); got.limit != want.limit || got.burst != want.burst {
			t.Errorf("%s: %v a second, %d at once", key, got.limit, got.burst)
		}
	}
	c := &carrier{budget: changesBudget("sk_live_x"), shares: sharesOf(changesBudget("sk_live_x"))}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	took := func(ids ...string) (times int) {
		for c.pay(withPayers(ctx, ids...), new(sighting)) == nil && times < 40 {
			times++
		}
		return times
	}
	if got := took("user_a", "org_a"); got < 25 || got > 26 {
		t.Errorf("a user of an organization: %d at once", got)
	}
	for _, ids := range [][]string{{"user_a", "org_b"}, {"user_b", "org_a"}, {"user_a", ""}} {
		if got := took(ids...); got > 1 {
			t.Errorf("%q after that: %d", ids, got)
		}
	}
	if got := took("user_c", "org_c"); got < 25 {
		t.Errorf("others: %d at once", got)
	}
	for i := range 2 * sharesKept {
		c.shares.of(fmt.Sprint("user_", i))
	}
	if kept := c.shares.each.Len(); kept != sharesKept {
		t.Errorf("%d are remembered", kept)
	}
}
