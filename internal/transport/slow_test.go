package transport

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
)

// slowClient takes nothing of an answer until it is told to.
type slowClient struct {
	http.ResponseWriter
	read chan struct{}
}

func (c slowClient) Write(p []byte) (int, error) {
	<-c.read
	return c.ResponseWriter.Write(p)
}

// askSlowly sends a query whose answer is not taken until the channel is closed.
func (s *server) askSlowly(read chan struct{}) {
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(`{"query":"{hello}"}`))
	r.Header.Set("Content-Type", mediaJSON)
	s.ServeHTTP(slowClient{httptest.NewRecorder(), read}, r)
}

func TestASlowClientHoldsNoPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(&fakeSchema{}, Options{MaxInFlight: 1})
		read := make(chan struct{})
		go s.askSlowly(read)
		synctest.Wait()
		if got := s.query(t, "{hello}"); got.Code != http.StatusOK {
			t.Errorf("beside a slow client: got %d %s", got.Code, got.Body)
		}
		close(read)
		synctest.Wait()
		if places := len(s.handler.inFlight); places != 0 {
			t.Errorf("%d places are still taken", places)
		}
	})
}

// What slow clients have not read yet is in memory, and limited.
func TestLargeAnswersInMemoryAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const size = 256 << 10
		large := strings.Repeat("x", size-2)
		schema := writing(func(context.Context) graphql.Marshaler { return graphql.MarshalString(large) })
		s := newServer(schema, Options{MaxAnswer: size})
		read := make(chan struct{})
		for range maxHeld {
			go s.askSlowly(read)
		}
		synctest.Wait()
		got := s.query(t, "{hello}")
		wantRefused(t, got, http.StatusServiceUnavailable, codeOverloaded)
		if got.Header().Get("Retry-After") != "1" {
			t.Error("it does not say when to retry")
		}
		if got := s.query(t, "mutation {hello}"); got.Code != http.StatusOK {
			t.Errorf("a mutation: got %d %.300s", got.Code, got.Body)
		}
		large = "small"
		if got := s.query(t, "{hello}"); got.Code != http.StatusOK {
			t.Errorf("a small answer: got %d %.300s", got.Code, got.Body)
		}
		close(read)
		synctest.Wait()
		if held := s.handler.held.Load(); held != 0 {
			t.Errorf("%d bytes are still counted", held)
		}
	})
}
