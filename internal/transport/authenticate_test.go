package transport

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	type key struct{}
	errBad, errKeys := errors.New("expired a minute ago"), errors.New("keys cannot be had")
	s := newServer(&fakeSchema{seen: func(*graphql.OperationContext) {}}, Options{
		Authenticate: func(_ context.Context, authorization []string) (Identify, error) {
			switch strings.Join(authorization, "|") {
			case "", "Bearer good":
				return func(ctx context.Context) (context.Context, error) {
					return context.WithValue(ctx, key{}, "known"), nil
				}, nil
			case "Bearer revoked":
				return func(context.Context) (context.Context, error) { return nil, errBad }, nil
			case "Bearer in doubt":
				return func(context.Context) (context.Context, error) { return nil, errKeys }, nil
			case "Bearer bad", "Bearer good|Bearer good":
				return nil, errBad
			}
			return nil, errKeys
		},
		Unauthenticated: func(err error) bool { return errors.Is(err, errBad) },
	})
	tests := []struct {
		name   string
		header []string
		status int
		code   any
	}{
		{"no token", nil, 200, nil},
		{"a good token", []string{"Authorization: Bearer good"}, 200, nil},
		{"a bad token", []string{"Authorization: Bearer bad"}, 401, codeUnauthenticated},
		{"two tokens", []string{"Authorization: Bearer good", "Authorization: Bearer good"}, 401, codeUnauthenticated},
		{"a token that turns out to be revoked", []string{"Authorization: Bearer revoked"}, 401, codeUnauthenticated},
		{"a token of which nothing can be found out", []string{"Authorization: Bearer in doubt"}, 503, codeUnavailable},
		{"no keys", []string{"Authorization: Bearer other"}, 503, codeUnavailable},
		{"a cookie", []string{"Cookie: __session=bad"}, 200, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := s.query(t, "{hello}", test.header...)
			if got.Code != test.status {
				t.Errorf("got status %d, want %d: %s", got.Code, test.status, got.Body)
			}
			challenge, retry := "", ""
			switch test.status {
			case 401:
				challenge = `Bearer realm="tenantry", error="invalid_token"`
			case 503:
				retry = "1"
			}
			if got.Header().Get("WWW-Authenticate") != challenge || got.Header().Get("Retry-After") != retry {
				t.Errorf("got header %v", got.Header())
			}
			if test.code == nil {
				return
			}
			if got.code(t) != test.code || got.body["data"] != nil {
				t.Errorf("got %s", got.Body)
			}
			if body := got.Body.String(); strings.Contains(body, errBad.Error()) || strings.Contains(body, errKeys.Error()) {
				t.Errorf("the answer tells the reason: %s", got.Body)
			}
		})
	}
	if logged := s.logged.String(); !strings.Contains(logged, errBad.Error()) || strings.Contains(logged, "Bearer") {
		t.Errorf("the log has no reason, or the token:\n%s", logged)
	}
}
