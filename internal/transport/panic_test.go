package transport

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

func TestPanics(t *testing.T) {
	t.Parallel()
	panics := func() { panic("a secret of the transport") }
	tests := []struct {
		name    string
		schema  *fakeSchema
		options Options
		status  int
		code    string
	}{
		{"in a resolver", &fakeSchema{}, Options{}, 200, codeInternal},
		{"in a resolver, with an own error", &fakeSchema{}, Options{
			Recover: func(context.Context, any) error { return failure("PANICKED", "a panic") },
			Present: graphql.DefaultErrorPresenter,
		}, 200, "PANICKED"},
		{"in the executor", &fakeSchema{exec: func(context.Context) graphql.ResponseHandler {
			panics()
			return nil
		}}, Options{}, 500, codeInternal},
		{"in the presenter", &fakeSchema{}, Options{Present: func(context.Context, error) *gqlerror.Error {
			panics()
			return nil
		}}, 500, codeInternal},
		{"while authenticating", &fakeSchema{}, Options{
			Authenticate: func(context.Context, []string) (Identify, error) {
				panics()
				return nil, nil
			},
		}, 500, codeInternal},
		{"while finding out about the caller", &fakeSchema{}, Options{
			Authenticate: func(context.Context, []string) (Identify, error) {
				return func(context.Context) (context.Context, error) {
					panics()
					return nil, nil
				}, nil
			},
		}, 500, codeInternal},
		{"in an extension", &fakeSchema{exec: func(context.Context) graphql.ResponseHandler {
			return func(ctx context.Context) *graphql.Response {
				graphql.RegisterExtension(ctx, "not JSON", panics)
				return &graphql.Response{Data: []byte("{}")}
			}
		}}, Options{}, 500, codeInternal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(test.schema, test.options)
			got := s.query(t, "{panic}", "X-Request-Id: request-1")
			if got.Code != test.status || got.code(t) != test.code || strings.Contains(got.Body.String(), "secret") {
				t.Errorf("got %d %s", got.Code, got.Body)
			}
			lines := s.lines(t)
			stack, _ := lines[0]["stack"].(string)
			if lines[0]["request_id"] != "request-1" || lines[0]["level"] != "ERROR" || !strings.Contains(stack, "internal/transport") {
				t.Errorf("the log has %v", lines[0])
			}
			if len(lines) != 1 || lines[0]["msg"] != "request" || lines[0]["status"] != float64(test.status) {
				t.Errorf("the log has %d lines, the first with %v", len(lines), lines[0])
			}
		})
	}
}

func TestAnAbortedAnswerStaysAborted(t *testing.T) {
	t.Parallel()
	s := newServer(&fakeSchema{exec: func(context.Context) graphql.ResponseHandler { panic(http.ErrAbortHandler) }}, Options{})
	defer func() {
		if value := recover(); value != http.ErrAbortHandler {
			t.Errorf("got the panic %v", value)
		}
	}()
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(`{"query":"{hello}"}`))
	r.Header.Set("Content-Type", mediaJSON)
	s.ServeHTTP(httptest.NewRecorder(), r)
	t.Error("the handler returned")
}
