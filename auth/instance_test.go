package auth

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFetchInstanceID(t *testing.T) {
	t.Parallel()
	fetch := func(t *testing.T, clerk *fakeClerk) (string, error) {
		return FetchInstanceID(t.Context(), Config{Issuer: testIssuer, JWKSURL: testJWKS, HTTPClient: &http.Client{Transport: clerk}})
	}
	withClerk(t, func(t *testing.T, clerk *fakeClerk, _ *Verifier, _ func()) {
		if id, err := fetch(t, clerk); id != testKid || err != nil || clerk.count() != 1 {
			t.Errorf("%q, %v after %d fetches", id, err, clerk.count())
		}
		clerk.set(func(f *fakeClerk) { f.body = strings.ReplaceAll(ourSet(), testKid, "key_1") })
		if id, err := fetch(t, clerk); id != "" || err == nil || errors.Is(err, ErrKeysUnavailable) {
			t.Errorf("of a key that is not named after an instance: %q, %v", id, err)
		}
		clerk.set(func(f *fakeClerk) { f.down = true })
		began := time.Now()
		if id, err := fetch(t, clerk); id != "" || !errors.Is(err, ErrKeysUnavailable) {
			t.Errorf("while Clerk is away: %q, %v", id, err)
		}
		if waited := time.Since(began); waited > waitAtMost {
			t.Errorf("waited %s", waited)
		}
		time.Sleep(time.Second) // until the last fetch has ended
	})
	if _, err := FetchInstanceID(t.Context(), Config{Issuer: testIssuer, JWKSURL: "http://clerk.example/jwks.json"}); err == nil {
		t.Error("keys over plain http from another machine")
	}
}
