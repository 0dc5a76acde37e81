package mirror

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/store"
)

var quiet = slog.New(slog.DiscardHandler)

func TestBackendAsksAgain(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(w http.ResponseWriter){
		"too many requests": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"bad gateway":       func(w http.ResponseWriter) { http.Error(w, "<html>", http.StatusBadGateway) },
		"connection broken": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, failures := newFakeClerk(t), 2
			f.fail = func(w http.ResponseWriter, _ *http.Request) bool {
				failures--
				if failures >= 0 {
					fail(w)
				}
				return failures >= 0
			}
			ids, at, err := f.backend().instanceIDs(t.Context())
			if err != nil || len(ids) != 1 || ids[0] != "ins_1" || at != f.now/1000*1000 {
				t.Errorf("got %v at %d: %v", ids, at, err)
			}
			if asked := f.asked(); len(asked) != 3 {
				t.Errorf("%d requests, want 3", len(asked))
			}
		})
	}
}

func TestBackendErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		want   error
		asked  int
	}{
		{http.StatusNotFound, `{"errors":[{"code":"resource_not_found"}]}`, ErrGone, 1},
		{http.StatusUnauthorized, `{"errors":[{"code":"clerk_key_invalid"}]}`, ErrUnauthorized, 1},
		{http.StatusForbidden, `nonsense`, ErrUnauthorized, 1},
		{http.StatusUnprocessableEntity, `{"errors":[{"code":"secret words"}]}`, ErrBackendUnavailable, 1},
		{http.StatusFound, ``, ErrBackendUnavailable, 1},
		{http.StatusOK, `<html>secret words`, ErrBackendUnavailable, 1},
		{http.StatusServiceUnavailable, `secret words`, ErrBackendUnavailable, attempts},
	} {
		f := newFakeClerk(t)
		f.fail = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
			return true
		}
		_, _, err := f.backend().get(t.Context(), "/organizations", nil)
		if !errors.Is(err, c.want) {
			t.Errorf("%d: %v, want %v", c.status, err, c.want)
		}
		if err == nil || strings.Contains(err.Error(), "secret words") || strings.Contains(err.Error(), fakeKey) {
			t.Errorf("%d: the error repeats what Clerk said: %v", c.status, err)
		}
		if asked := f.asked(); len(asked) != c.asked {
			t.Errorf("%d: %d requests, want %d", c.status, len(asked), c.asked)
		}
	}
}

// Without a Date nothing could be said about when the answer was true.
func TestBackendNeedsADate(t *testing.T) {
	t.Parallel()
	f := newFakeClerk(t)
	f.fail = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header()["Date"] = nil
		answerJSON(w, object{"keys": []object{}})
		return true
	}
	if _, _, err := f.backend().instanceIDs(t.Context()); !errors.Is(err, ErrBackendUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestBackendNeverPutsOddIDsIntoPaths(t *testing.T) {
	t.Parallel()
	f := newFakeClerk(t)
	for _, id := range []string{"", "org_", "org_a/../users", "org_a?x=1", "org_a%2f", "..", "org_a b", "Org_a", "org_a_b"} {
		for _, k := range mirrored {
			ref := store.MirrorRef{ID: id, OrganizationID: id, UserID: "user_1"}
			if _, _, err := f.backend().one(t.Context(), k, ref); !isPermanent(err) {
				t.Errorf("%s %q: %v", k.name, id, err)
			}
		}
	}
	if asked := f.asked(); len(asked) > 0 {
		t.Errorf("asked for %v", asked)
	}
}

func TestBackendKeepsToItsBudget(t *testing.T) {
	t.Parallel()
	for key, most := range map[string]float64{"sk_test_1": 20, "sk_live_1": 200} {
		c := newCarrier(BackendConfig{SecretKey: key})
		if in10s := float64(c.budget.Burst()) + 10*float64(c.budget.Limit()); in10s > most {
			t.Errorf("%s: %v requests in 10 s, want %v at most", key, in10s, most)
		}
	}
	var carried atomic.Int32
	b := NewBackend(BackendConfig{
		URL: "http://clerk.example/v1", SecretKey: "sk_test_1", Logger: quiet,
		Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			carried.Add(1)
			return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Header: http.Header{}}, nil
		}),
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for ctx.Err() == nil {
		_, _, _ = b.get(ctx, "/jwks", nil)
	}
	if n := carried.Load(); n > 3 {
		t.Errorf("%d requests in 0.3 s", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
