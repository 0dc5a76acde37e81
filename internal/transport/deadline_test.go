package transport

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheDeadlineEndsAnOperation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(&fakeSchema{}, Options{})
		start := time.Now()
		got := s.query(t, `{slow hello(name: "x")}`)
		if took := time.Since(start); took != defaultTimeout {
			t.Errorf("it took %v", took)
		}
		data := got.body["data"].(map[string]any)
		if got.Code != 200 || got.code(t) != codeTimeout || data["hello"] != "x" {
			t.Errorf("got %d %s", got.Code, got.Body)
		}
	})
}

func TestAnOperationWithoutTimeLeftIsNotStarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(&fakeSchema{}, Options{
			Timeout: time.Second,
			Authenticate: func(context.Context, []string) (Identify, error) {
				return func(ctx context.Context) (context.Context, error) {
					<-ctx.Done()
					return ctx, nil
				}, nil
			},
		})
		got := s.query(t, "{hello}")
		if got.Code != http.StatusServiceUnavailable || got.code(t) != codeTimeout || got.body["data"] != nil {
			t.Errorf("got %d %s", got.Code, got.Body)
		}
	})
}

func TestMoreThanMaxInFlightAreTurnedAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(&fakeSchema{}, Options{MaxInFlight: 1})
		first := make(chan answer)
		go func() { first <- s.query(t, "{slow}") }()
		synctest.Wait()
		if got := s.query(t, "{hello}"); got.Code != 503 || got.code(t) != codeOverloaded || got.Header().Get("Retry-After") != "1" {
			t.Errorf("beside another one: got %d %s", got.Code, got.Body)
		}
		<-first
		if got := s.query(t, "{hello}"); got.Code != 200 {
			t.Errorf("after the other one: got %d %s", got.Code, got.Body)
		}
	})
}

func TestAClientThatHasGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(`{"query":"mutation {hello}"}`)).WithContext(ctx)
	r.Header.Set("Content-Type", mediaJSON)
	s := newServer(&fakeSchema{}, Options{})
	s.ServeHTTP(httptest.NewRecorder(), r)
	if line := s.lines(t)[0]; line["client_gone"] != true || line["status"] != 503.0 || line["operation_type"] != "mutation" {
		t.Errorf("the log has %v", line)
	}
}
