package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/tenantry/tenantry/internal/body"
)

var errNobody = errors.New("not a token")

// newGuardedServer accepts the token "good" only, and callers without one.
func newGuardedServer(options Options) *server {
	options.Authenticate = func(_ context.Context, authorization []string) (Identify, error) {
		if len(authorization) > 0 && authorization[0] != "Bearer good" {
			return nil, errNobody
		}
		return func(ctx context.Context) (context.Context, error) { return ctx, nil }, nil
	}
	options.Unauthenticated = func(err error) bool { return errors.Is(err, errNobody) }
	return newServer(&fakeSchema{}, options)
}

// spaced is a request of a size.
func spaced(size int) string {
	const query = `{"query":"{hello}"}`
	return query + strings.Repeat(" ", size-len(query))
}

// What the headers decide is answered before a byte of the body is read.
func TestWhatTheHeadersRefuseIsNotRead(t *testing.T) {
	t.Parallel()
	s := newGuardedServer(Options{})
	for name, test := range map[string]struct {
		method string
		length int64
		header string
		status int
	}{
		"a refused token":            {http.MethodPost, 100, "Authorization: Bearer bad", 401},
		"a refused token, large":     {http.MethodPost, defaultMaxBody, "Authorization: Bearer bad", 401},
		"a refused token, no length": {http.MethodPost, -1, "Authorization: Bearer bad", 401},
		"another method":             {http.MethodPut, 100, "Authorization: Bearer good", 405},
		"a compressed body":          {http.MethodPost, 100, "Content-Encoding: gzip", 415},
		"too much for anybody":       {http.MethodPost, defaultMaxBody + 1, "Authorization: Bearer good", 413},
		"too much without a token":   {http.MethodPost, maxAnonymousBody + 1, "X-Other: x", 413},
	} {
		source := &counter{Reader: strings.NewReader(spaced(defaultMaxBody))}
		r := httptest.NewRequest(test.method, "/graphql", source)
		r.ContentLength = test.length
		r.Header.Set("Content-Type", mediaJSON)
		key, value, _ := strings.Cut(test.header, ": ")
		r.Header.Set(key, value)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != test.status || source.read != 0 {
			t.Errorf("%s: status %d after %d bytes, want %d: %s", name, w.Code, source.read, test.status, w.Body)
		}
	}
}

func TestWithoutATokenABodyIsSmall(t *testing.T) {
	t.Parallel()
	s := newGuardedServer(Options{})
	for name, test := range map[string]struct {
		size   int
		header string
		status int
	}{
		"without":           {maxAnonymousBody, "X-Other: x", 200},
		"without, too much": {maxAnonymousBody + 1, "X-Other: x", 413},
		"with":              {defaultMaxBody, "Authorization: Bearer good", 200},
		"with, too much":    {defaultMaxBody + 1, "Authorization: Bearer good", 413},
	} {
		for _, source := range []io.Reader{strings.NewReader(spaced(test.size)), iotest.DataErrReader(strings.NewReader(spaced(test.size)))} {
			got := s.ask(t, http.MethodPost, source, "Content-Type: application/json", test.header)
			if got.Code != test.status {
				t.Errorf("%s: status %d, want %d: %s", name, got.Code, test.status, got.Body)
			} else if got.Code == http.StatusRequestEntityTooLarge {
				message, _ := got.first(t)
				if got.code(t) != codeTooLarge || strings.Contains(message, "Sign in") != strings.HasPrefix(name, "without") {
					t.Errorf("%s: %s", name, got.Body)
				}
			}
		}
	}
}

// Those without a token cannot use up the memory for bodies of those with one.
func TestLargeBodiesAreBoundedTogether(t *testing.T) {
	t.Parallel()
	s := newGuardedServer(Options{})
	s.handler.bodies = body.NewReader(smallBody, 0)
	if got := s.post(t, spaced(smallBody+2), "Authorization: Bearer good"); got.Code != 503 || got.code(t) != codeOverloaded || got.Header().Get("Retry-After") != "1" {
		t.Errorf("with no room a large body gets %d %s", got.Code, got.Body)
	}
	for _, header := range []string{"Authorization: Bearer good", "X-Other: x"} {
		if got := s.post(t, spaced(maxAnonymousBody), header); got.Code != 200 {
			t.Errorf("with no room a small body gets %d %s", got.Code, got.Body)
		}
	}
}

func TestASlowBody(t *testing.T) {
	t.Parallel()
	got := newGuardedServer(Options{}).ask(t, http.MethodPost,
		io.MultiReader(strings.NewReader("{"), iotest.ErrReader(os.ErrDeadlineExceeded)), "Content-Type: application/json")
	if got.Code != 408 || got.code(t) != codeBadRequest || got.Header().Get("Connection") != "close" {
		t.Errorf("got %d %v %s", got.Code, got.Header(), got.Body)
	}
}

func TestASlowBodyTakesNoPlaceInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newGuardedServer(Options{MaxInFlight: 1})
		slow, rest := io.Pipe()
		answered := make(chan answer)
		go func() { answered <- s.ask(t, http.MethodPost, slow, "Content-Type: application/json") }()
		synctest.Wait()
		if got := s.query(t, "{hello}"); got.Code != 200 {
			t.Errorf("beside a slow body: %d %s", got.Code, got.Body)
		}
		_, _ = io.WriteString(rest, spaced(100))
		_ = rest.Close()
		if got := <-answered; got.Code != 200 {
			t.Errorf("the slow body: %d %s", got.Code, got.Body)
		}
	})
}
