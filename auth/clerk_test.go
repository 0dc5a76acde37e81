package auth

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const testJWKS = "https://clerk.example.test/.well-known/jwks.json"

func jwkOf(kid string, key *rsa.PublicKey) object {
	return object{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": b64(key.N.Bytes()), "e": "AQAB"}
}

func keySetOf(keys ...object) string { return object{"keys": append([]object{}, keys...)}.json() }

func ourSet() string { return keySetOf(jwkOf(testKid, &ourKey().PublicKey)) }

// fakeClerk answers the verifier's fetches from memory, so that it works on a fake clock.
type fakeClerk struct {
	mu      sync.Mutex
	status  int
	body    string
	down    bool
	takes   time.Duration
	fetches int
}

func (f *fakeClerk) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.fetches++
	status, body, down, takes := f.status, f.body, f.down, f.takes
	f.mu.Unlock()
	if r.URL.String() != testJWKS || r.Header.Get("Authorization") != "" {
		return nil, fmt.Errorf("unexpected request %s", r.URL)
	}
	select {
	case <-time.After(takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if down {
		return nil, errors.New("connection refused")
	}
	header := http.Header{"Location": {testJWKS + "?again"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (f *fakeClerk) set(change func(*fakeClerk)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeClerk) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fetches
}

// withClerk runs a test on a fake clock with a verifier whose keys come from a fake Clerk. Nothing runs in the
// background until the test calls start.
func withClerk(t *testing.T, test func(t *testing.T, clerk *fakeClerk, v *Verifier, start func())) {
	t.Helper()
	ourKey()
	nextKey()
	synctest.Test(t, func(t *testing.T) {
		clerk := &fakeClerk{status: http.StatusOK, body: ourSet(), takes: 10 * time.Millisecond}
		v := newVerifier(t, Config{JWKSURL: testJWKS, HTTPClient: &http.Client{Transport: clerk}, Now: time.Now})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		test(t, clerk, v, func() { running.Go(func() { v.Run(ctx) }) })
	})
}

// verifies tells what becomes of a fresh token: "" if it is accepted, else the reason, or "unavailable".
func verifies(t *testing.T, v *Verifier, kid string, key *rsa.PrivateKey) string {
	t.Helper()
	_, err := v.Verify(t.Context(), sign(key, goodHeader().with(object{"kid": kid}).json(), goodClaims(time.Now()).json()))
	return outcome(err)
}

func outcome(err error) string {
	var refusal *Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return refusal.Reason
	case errors.Is(err, ErrKeysUnavailable):
		return "unavailable"
	}
	return err.Error()
}

func want(t *testing.T, got, expected string) {
	t.Helper()
	if got != expected {
		t.Fatalf("got %q, want %q", got, expected)
	}
}
