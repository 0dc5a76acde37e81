package clerk

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const rateLimitPath = "/__clerk/control/v1/rate-limit"

func TestRateLimit(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	clock.Store(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC).UnixMilli())
	c, err := Open(Config{Rights: ours(t), Dir: newDir(t), Now: func() time.Time { return time.UnixMilli(clock.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	b := serveBackend(t, c)
	ask := func(times int) (answered int, retryAfter string) {
		for range times {
			response, _ := b.send(b.get("/users/count"))
			switch response.StatusCode {
			case http.StatusOK:
				answered++
			case http.StatusTooManyRequests:
				retryAfter = response.Header.Get("Retry-After")
			}
		}
		return answered, retryAfter
	}

	if answered, wait := ask(130); answered != 100 || wait != "10" {
		t.Errorf("%d of 130 answered, Retry-After %q; want 100 and 10", answered, wait)
	}
	clock.Add(2001)
	if answered, wait := ask(5); answered != 0 || wait != "8" {
		t.Errorf("%d answered after 2 s, Retry-After %q; want 0 and 8", answered, wait)
	}
	b.refused(b.get("/users/count"), 429, "too_many_requests")
	// Who waits as told is answered.
	clock.Add(8000)
	if answered, _ := ask(101); answered != 100 {
		t.Errorf("%d answered in the next window, want 100", answered)
	}
	// The keys are not counted, and neither is who has no key.
	for range 5 {
		var keys object
		b.read("/jwks", &keys)
	}
	clock.Add(10_000)
	for range 200 {
		r := b.get("/users/count")
		r.Header.Set("Authorization", "Bearer sk_test_wrong")
		b.refused(r, 401, "clerk_key_invalid")
	}
	if answered, _ := ask(100); answered != 100 {
		t.Errorf("%d answered after strangers came, want 100", answered)
	}
	clock.Add(-60_000)
	if answered, _ := ask(1); answered != 1 {
		t.Error("a clock that was put back stops everything")
	}
}

func TestRateLimitCanBeChanged(t *testing.T) {
	t.Parallel()
	c, err := Open(Config{Rights: ours(t), Dir: newDir(t), RateLimit: 7})
	if err != nil {
		t.Fatal(err)
	}
	b := serveBackend(t, c)
	answered := func() int {
		for n := range 300 {
			if response, _ := b.send(b.get("/users/count")); response.StatusCode != http.StatusOK {
				return n
			}
		}
		return 300
	}
	shown := func() rateLimitView {
		var view stateView
		b.ok("GET", statePath, nil, &view)
		return view.RateLimit
	}
	if n := answered(); n != 7 {
		t.Errorf("%d answered, want the configured 7", n)
	}
	for requests, want := range map[int]int{3: 3, 0: 0, 120: 120, -1: 300} {
		var view rateLimitView
		b.ok("POST", rateLimitPath, object{"requests": requests}, &view)
		if n := answered(); n != want || view.Requests != requests {
			t.Errorf("%d answered, shown %+v, want %d", n, view, want)
		}
		if diff := cmp.Diff(view, shown()); diff != "" {
			t.Error(diff)
		}
	}
	var view rateLimitView
	b.ok("DELETE", rateLimitPath, nil, &view)
	if n := answered(); n != 7 || view != (rateLimitView{Requests: 7, WindowMs: 10_000}) {
		t.Errorf("%d answered, shown %+v, want the configured 7 again", n, view)
	}
	b.refused(b.request("POST", rateLimitPath, object{}), 422, "form_param_nil")
	b.refused(b.request("POST", rateLimitPath, object{"requests": "7"}), 400, "request_body_invalid")
	if got := shown(); got.Requests != 7 {
		t.Errorf("a refused change left the limit at %s", strconv.Itoa(got.Requests))
	}
}
