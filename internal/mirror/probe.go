package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
)

// Probe asks Clerk's Backend API what a Doctor wants to know: more of an answer than Backend keeps, and, unlike it,
// changes where it is allowed to. It keeps to the same budget, and repeats reads only.
type Probe struct {
	api    clerk.Backend
	writes bool
	heard  *hearing
}

// NewProbe returns a Probe that reads; with write it may change the instance, too, which must be a development one.
// Returns an error where write is asked for with another key than a test key.
func NewProbe(config BackendConfig, write bool) (*Probe, error) {
	if write && !strings.HasPrefix(config.SecretKey, "sk_test_") {
		return nil, errors.New("only a development instance (sk_test_) is written to")
	}
	heard := &hearing{next: config.Transport, names: map[string]string{}}
	if heard.next == nil {
		heard.next = http.DefaultTransport
	}
	config.Transport = heard
	return &Probe{api: newClient(config), writes: write, heard: heard}, nil
}

// reply is what a request came to. Its error never repeats what Clerk said beyond the code of an error.
type reply struct {
	status int
	code   string // Clerk's, of an error
	// date is the answer's own time; zero where it has none. It was asked for at began and there at ended.
	date         time.Time
	began, ended time.Time
	body         json.RawMessage
}

// ask makes one request. path's ids must have been checked. The error is nil for answers of 2xx only.
func (p *Probe) ask(ctx context.Context, method, path string, query url.Values, in any) (reply, error) {
	if method != http.MethodGet && !p.writes {
		return reply{}, errors.New("nothing is written without leave")
	}
	seen, got := new(sighting), new(answer)
	request := clerk.NewAPIRequest(method, path)
	request.SetParams(&written{parameters{Values: query}, in})
	r := reply{began: time.Now()}
	err := p.api.Call(withSighting(ctx, seen), request, got)
	r.ended, r.status, r.date, r.body = time.Now(), seen.status, seen.date, got.body
	var refused *clerk.APIErrorResponse
	if errors.As(err, &refused) && len(refused.Errors) > 0 {
		r.code = harmless(refused.Errors[0].Code)
	}
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case r.status == 0:
		return r, errors.New("clerk's Backend API was not reached")
	case r.status == http.StatusUnauthorized:
		return r, ErrUnauthorized
	case r.status >= http.StatusMultipleChoices && r.code != "":
		return r, fmt.Errorf("HTTP status %d, %s", r.status, r.code)
	case r.status >= http.StatusMultipleChoices:
		return r, fmt.Errorf("HTTP status %d", r.status)
	case err != nil:
		return r, errors.New("the answer was not JSON")
	}
	return r, nil
}

// read asks for an object or a list and decodes it.
func (p *Probe) read(ctx context.Context, path string, query url.Values, into any) error {
	r, err := p.ask(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	if json.Unmarshal(r.body, into) != nil {
		return errors.New("the answer cannot be read")
	}
	return nil
}

// written are the parameters of a request that has a body.
type written struct {
	parameters
	body any
}

// MarshalJSON makes the body, an empty object where there is none: Clerk's client would send null.
func (w *written) MarshalJSON() ([]byte, error) {
	if w.body == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(w.body)
}

var errorCode = regexp.MustCompile(`^[a-z][a-z0-9_]{0,60}$`)

// harmless is one of Clerk's codes, or "" for what is none.
func harmless(code string) string {
	if errorCode.MatchString(code) {
		return code
	}
	return ""
}

// hearing notes what all answers' headers say of the rate limit.
type hearing struct {
	next http.RoundTripper

	mu      sync.Mutex
	answers int
	// names of such headers with the last value, where it is a number.
	names map[string]string
	// limited counts the answers 429, silent those of them without Retry-After.
	limited, silent int
}

var number = regexp.MustCompile(`^[0-9]{1,12}$`)

// RoundTrip carries the request and listens.
func (h *hearing) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := h.next.RoundTrip(request)
	if err != nil {
		return response, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers++
	for name, values := range response.Header {
		lower := strings.ToLower(name)
		if !strings.Contains(lower, "ratelimit") && !strings.Contains(lower, "rate-limit") {
			continue
		}
		h.names[name] = ""
		if number.MatchString(values[0]) {
			h.names[name] = values[0]
		}
	}
	if response.StatusCode == http.StatusTooManyRequests {
		h.limited++
		if _, err := retryAfter(response.Header.Get("Retry-After")); err != nil {
			h.silent++
		}
	}
	return response, nil
}
