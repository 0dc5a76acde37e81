package transport

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

func TestAnOperationIsAnswered(t *testing.T) {
	t.Parallel()
	var seen *graphql.OperationContext
	s := newServer(&fakeSchema{seen: func(o *graphql.OperationContext) { seen = o }}, Options{})
	got := s.post(t, `{
		"query": "query A($name: String) { hello(name: $name) __typename } query B { fail }",
		"operationName": "A",
		"variables": {"name": "a\u0000é\ud83c\udfc3", "more": 12345678901234567890},
		"extensions": {"some": "value"},
		"more": {"of": ["anything"]}
	}`, "Authorization: Bearer secret")

	want := `{"data":{"__typename":"Query","hello":"a\u0000é🏃"}}`
	if got.Code != http.StatusOK || got.Body.String() != want {
		t.Errorf("got %d %s, want %s", got.Code, got.Body, want)
	}
	wantHeader := http.Header{
		"Cache-Control":          {"no-store"},
		"Content-Length":         {"55"},
		"Content-Type":           {"application/json; charset=utf-8"},
		"Vary":                   {"Accept"},
		"X-Content-Type-Options": {"nosniff"},
		"X-Request-Id":           got.Header()["X-Request-Id"],
	}
	if diff := cmp.Diff(wantHeader, got.Header()); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"some": "value"}, seen.Extensions); diff != "" {
		t.Errorf("extensions (-want +got):\n%s", diff)
	}
	if seen.Headers != nil {
		t.Error("resolvers can read the request's headers, the token among them")
	}
}

// urql names an event stream on every query, Apollo a multipart answer.
func TestTheAnswerHasTheMediaTypeThatIsAskedFor(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                                  mediaJSON,
		"*/*":                               mediaJSON,
		"application/json":                  mediaJSON,
		"text/event-stream":                 mediaJSON,
		"multipart/mixed":                   mediaJSON,
		"text/html;q=0.9, */*;q=0.8":        mediaJSON,
		"application/graphql+json":          mediaJSON,
		"bro/ken/;=, application/json":      mediaJSON,
		"application/graphql-response+json": mediaResponse,
		"Application/GraphQL-Response+JSON; charset=utf-8":                            mediaResponse,
		"application/json, application/graphql-response+json":                         mediaResponse,
		"application/graphql-response+json;q=0.9, application/json;q=0.9":             mediaResponse,
		"application/graphql-response+json;q=0.5, application/json":                   mediaJSON,
		"application/graphql-response+json;q=0":                                       mediaJSON,
		"application/graphql-response+json;q=2":                                       mediaResponse,
		"bro/ken/;=, application/graphql-response+json":                               mediaResponse,
		"application/graphql-response+json, application/json, text/event-stream, */*": mediaResponse,
		"multipart/mixed;deferSpec=20220824, application/graphql-response+json":       mediaResponse,
	}
	s := newServer(&fakeSchema{}, Options{})
	for accept, want := range tests {
		t.Run(accept, func(t *testing.T) {
			t.Parallel()
			var header []string
			if accept != "" {
				header = []string{"Accept: " + accept}
			}
			got := s.query(t, "{hello}", header...)
			if contentType := got.Header().Get("Content-Type"); contentType != want+"; charset=utf-8" || got.Code != 200 {
				t.Errorf("got %d %s, want %s", got.Code, contentType, want)
			}
		})
	}
	t.Run("in several lines", func(t *testing.T) {
		t.Parallel()
		got := s.query(t, "{hello}", "Accept: text/event-stream", "Accept: application/graphql-response+json")
		if contentType := got.Header().Get("Content-Type"); !strings.HasPrefix(contentType, mediaResponse) {
			t.Errorf("got %s", contentType)
		}
	})
}

func TestErrorsOfFieldsLeaveTheOthers(t *testing.T) {
	t.Parallel()
	shared := map[string]any{"code": "TEAPOT"}
	s := newServer(&fakeSchema{}, Options{Present: func(ctx context.Context, err error) *gqlerror.Error {
		return &gqlerror.Error{Message: "presented", Path: graphql.GetPath(ctx), Extensions: shared}
	}})
	got := s.query(t, "{fail again: fail hello(name: \"x\")}", "Accept: "+mediaResponse, "X-Request-Id: request-1")
	want := map[string]any{
		"errors": []any{
			map[string]any{"message": "presented", "path": []any{"fail"}, "extensions": map[string]any{"code": "TEAPOT", "requestId": "request-1"}},
			map[string]any{"message": "presented", "path": []any{"again"}, "extensions": map[string]any{"code": "TEAPOT", "requestId": "request-1"}},
		},
		"data": map[string]any{"fail": nil, "again": nil, "hello": "x"},
	}
	if diff := cmp.Diff(want, got.body); diff != "" || got.Code != http.StatusOK {
		t.Errorf("status %d, answer (-want +got):\n%s", got.Code, diff)
	}
	if len(shared) != 1 {
		t.Error("the presenter's own extensions were changed")
	}
}

func TestWithoutAPresenterNothingIsTold(t *testing.T) {
	t.Parallel()
	got := newServer(&fakeSchema{}, Options{}).query(t, "{fail}")
	if got.code(t) != codeInternal || strings.Contains(got.Body.String(), "hunter2") {
		t.Errorf("got %s", got.Body)
	}
}

func TestAnErrorWithoutACodeGetsOne(t *testing.T) {
	t.Parallel()
	s := newServer(&fakeSchema{}, Options{Present: func(context.Context, error) *gqlerror.Error {
		return &gqlerror.Error{Message: "presented"}
	}})
	if got := s.query(t, "{fail}"); got.code(t) != codeInternal {
		t.Errorf("got %s", got.Body)
	}
}

// A schema may answer for a whole operation, without data.
func TestAnAnswerWithoutDataIsARefusal(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]map[string]int{
		"RATE_LIMITED":  {mediaJSON: 200, mediaResponse: 400},
		codeInternal:    {mediaJSON: 500, mediaResponse: 500},
		codeUnavailable: {mediaJSON: 503, mediaResponse: 503},
	} {
		for accept, status := range want {
			s := newServer(&fakeSchema{exec: func(context.Context) graphql.ResponseHandler {
				return graphql.OneShot(&graphql.Response{
					Errors: gqlerror.List{failure(code, "no")},
				})
			}}, Options{})
			got := s.query(t, "{hello}", "Accept: "+accept)
			keys := slices.Sorted(maps.Keys(got.body))
			if got.Code != status || !slices.Equal(keys, []string{"errors"}) {
				t.Errorf("%s in %s: got %d with %v, want %d", code, accept, got.Code, keys, status)
			}
		}
	}
}

func TestExtensionsOfTheAnswer(t *testing.T) {
	t.Parallel()
	s := newServer(&fakeSchema{exec: func(context.Context) graphql.ResponseHandler {
		return func(ctx context.Context) *graphql.Response {
			graphql.RegisterExtension(ctx, "cost", 1)
			return &graphql.Response{Data: []byte(`{"hello":null}`)}
		}
	}}, Options{})
	if got, want := s.query(t, "{hello}").Body.String(), `{"data":{"hello":null},"extensions":{"cost":1}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Apollo's link looks for the message or the code, urql's exchange for the message. Then they send the
// whole query, with the hash or without it.
func TestClientsFallBackFromPersistedQueries(t *testing.T) {
	t.Parallel()
	s := newServer(&fakeSchema{}, Options{})
	const extensions = `"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}}`
	for _, accept := range []string{mediaJSON, mediaResponse} {
		got := s.post(t, `{"operationName":null,"variables":{},`+extensions+`}`, "Accept: "+accept)
		if message, _ := got.first(t); got.Code != 200 || message != "PersistedQueryNotSupported" || got.code(t) != "PERSISTED_QUERY_NOT_SUPPORTED" {
			t.Errorf("%s, by its hash: %d %s", accept, got.Code, got.Body)
		}
		if got := s.post(t, `{"query":"{hello}",`+extensions+`}`, "Accept: "+accept); got.Code != 200 || got.Body.String() != `{"data":{"hello":null}}` {
			t.Errorf("%s, with the query: %d %s", accept, got.Code, got.Body)
		}
	}
}
