package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
)

// Why Clerk's Backend API did not answer a read.
var (
	// ErrGone says that Clerk has no such object.
	ErrGone = errors.New("clerk's Backend API: there is no such object")
	// ErrUnauthorized says that Clerk does not take the secret key.
	ErrUnauthorized = errors.New("clerk's Backend API does not take the secret key (CLERK_SECRET_KEY)")
	// ErrBackendUnavailable says that Clerk was not reached, was overloaded, or answered what cannot be read.
	ErrBackendUnavailable = errors.New("clerk's Backend API is unavailable")
)

// BackendConfig says how Clerk's Backend API is reached.
type BackendConfig struct {
	// URL is where its paths begin, such as https://api.clerk.com/v1.
	URL string
	// SecretKey also decides how many requests are made: a fifth of what Clerk allows with live or with test keys.
	SecretKey string
	// Transport carries requests; http.DefaultTransport unless given.
	Transport http.RoundTripper
	// AttemptTimeout bounds one attempt of a request; 10 s unless given.
	AttemptTimeout time.Duration
	// Logger hears of attempts that are repeated; slog.Default unless given.
	Logger *slog.Logger
}

// Backend reads from Clerk's Backend API, through Clerk's own client. It never writes; a Manager does.
type Backend struct{ api clerk.Backend }

// NewBackend returns a Backend. Nothing is asked for yet.
func NewBackend(config BackendConfig) *Backend { return &Backend{api: newClient(config)} }

// newClient is Clerk's own client over the carrier.
func newClient(config BackendConfig) clerk.Backend {
	config = config.withDefaults()
	return clientOver(config, newCarrier(config))
}

func (c BackendConfig) withDefaults() BackendConfig {
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	if c.AttemptTimeout == 0 {
		c.AttemptTimeout = 10 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// clientOver is Clerk's own client over a transport.
func clientOver(config BackendConfig, transport http.RoundTripper) clerk.Backend {
	client := &http.Client{
		Transport: transport,
		// A redirect would carry the secret key elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return clerk.NewBackend(&clerk.BackendConfig{HTTPClient: client, URL: &config.URL, Key: &config.SecretKey})
}

// answer is a body that came, as it came: Clerk's own types would lose which fields were missing.
type answer struct {
	clerk.APIResource
	body json.RawMessage
}

func (a *answer) UnmarshalJSON(body []byte) error {
	a.body = append(a.body[:0], body...)
	return nil
}

// parameters are a query.
type parameters struct {
	clerk.APIParams
	url.Values
}

func (p *parameters) ToQuery() url.Values { return p.Values }

// get asks for a path below the API's URL. at is Clerk's time of the answer, in milliseconds, also of ErrGone. Returns ErrGone,
// ErrUnauthorized or ErrBackendUnavailable; none of them repeats what Clerk said.
func (b *Backend) get(ctx context.Context, path string, query url.Values) (body json.RawMessage, at int64, err error) {
	return b.getSeen(ctx, new(sighting), path, query)
}

// getSeen does what get does, and notes in seen what came.
func (b *Backend) getSeen(ctx context.Context, seen *sighting, path string, query url.Values) (body json.RawMessage, at int64, err error) {
	request := clerk.NewAPIRequest(http.MethodGet, path)
	request.SetParams(&parameters{Values: query})
	got := new(answer)
	err = b.api.Call(withSighting(ctx, seen), request, got)
	switch {
	case ctx.Err() != nil:
		return nil, 0, ctx.Err()
	case seen.status != 0 && seen.date.IsZero():
		return nil, 0, fmt.Errorf("%w: GET %s was answered without a Date", ErrBackendUnavailable, path)
	case seen.status == http.StatusNotFound:
		return nil, seen.date.UnixMilli(), ErrGone
	case seen.status == http.StatusUnauthorized, seen.status == http.StatusForbidden:
		return nil, 0, ErrUnauthorized
	case seen.status >= http.StatusMultipleChoices: // of a redirect, too, Clerk's client makes an empty answer
		return nil, 0, fmt.Errorf("%w: HTTP status %d for GET %s", ErrBackendUnavailable, seen.status, path)
	case err != nil && seen.status != 0:
		return nil, 0, fmt.Errorf("%w: GET %s was not answered in JSON", ErrBackendUnavailable, path)
	case err != nil:
		return nil, 0, fmt.Errorf("%w: %w", ErrBackendUnavailable, err)
	}
	return got.body, seen.date.UnixMilli(), nil
}

// pathID is what may stand in a path. Clerk's client does not escape it.
var pathID = regexp.MustCompile(`^[a-z]+_[A-Za-z0-9]+$`)

// path joins segments; ids among them are checked.
func path(id string, format string) (string, error) {
	if !pathID.MatchString(id) {
		return "", permanent("the id of an object of Clerk's cannot stand in a path")
	}
	return fmt.Sprintf(format, id), nil
}

// instanceIDs are the ids of the keys of the instance that the secret key is of, which are its own.
func (b *Backend) instanceIDs(ctx context.Context) (ids []string, at int64, err error) {
	body, at, err := b.get(ctx, "/jwks", nil)
	if err != nil {
		return nil, 0, err
	}
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, 0, fmt.Errorf("%w: the key set cannot be read", ErrBackendUnavailable)
	}
	for _, key := range set.Keys {
		ids = append(ids, key.ID)
	}
	return ids, at, nil
}

// liveKey says whose key it is; everything else is a test key.
func liveKey(secretKey string) bool { return strings.HasPrefix(secretKey, "sk_live_") }
