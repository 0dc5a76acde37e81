package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// The tests' schema. Its executor does for a field what generated code does.
var testSchema = gqlparser.MustLoadSchema(&ast.Source{Name: "test", Input: `
	type Query {
		hello(name: String): String
		add(input: Sum!): Int
		self: Query
		fail: String
		panic: String
		slow: String
		requestId: String
	}
	input Sum { left: Int!, right: Int }
	type Mutation { hello(name: String): String }
	type Subscription { hello: String }
`})

type fakeSchema struct {
	// exec replaces the execution of a whole operation.
	exec func(ctx context.Context) graphql.ResponseHandler
	// seen gets every operation that is executed.
	seen func(*graphql.OperationContext)
}

func (s *fakeSchema) Schema() *ast.Schema { return testSchema }

func (s *fakeSchema) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (s *fakeSchema) Exec(ctx context.Context) graphql.ResponseHandler {
	if s.seen != nil {
		s.seen(graphql.GetOperationContext(ctx))
	}
	if s.exec != nil {
		return s.exec(ctx)
	}
	return func(ctx context.Context) *graphql.Response {
		data, err := json.Marshal(object(ctx, graphql.GetOperationContext(ctx).Operation.SelectionSet))
		if err != nil {
			panic(err)
		}
		return &graphql.Response{Data: data}
	}
}

func object(ctx context.Context, set ast.SelectionSet) map[string]any {
	values := make(map[string]any)
	for _, field := range graphql.CollectFields(graphql.GetOperationContext(ctx), set, nil) {
		values[field.Alias] = value(ctx, field)
	}
	return values
}

func value(ctx context.Context, field graphql.CollectedField) (result any) {
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: field})
	defer func() {
		if panicked := recover(); panicked != nil {
			graphql.AddError(ctx, graphql.Recover(ctx, panicked))
			result = nil
		}
	}()
	result, err := resolve(ctx, field)
	if err != nil {
		graphql.AddError(ctx, err)
		return nil
	}
	return result
}

var errSecret = errors.New("password hunter2 is wrong")

func resolve(ctx context.Context, field graphql.CollectedField) (any, error) {
	arguments := field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	switch field.Name {
	case "__typename":
		return "Query", nil
	case "hello":
		return arguments["name"], nil
	case "self":
		return object(ctx, field.Selections), nil
	case "fail":
		return nil, errSecret
	case "panic":
		panic("a resolver's secret")
	case "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case "requestId":
		return RequestID(ctx), nil
	}
	return nil, nil
}

// server is a handler over the tests' schema with its log.
type server struct {
	http.Handler
	handler *handler
	logged  *lockedBuffer
}

func newServer(schema *fakeSchema, options Options) *server {
	logged := &lockedBuffer{}
	options.Logger = slog.New(slog.NewJSONHandler(logged, nil))
	h := New(schema, options)
	return &server{Handler: h, handler: h.(*handler), logged: logged}
}

// answer is what came back from a request.
type answer struct {
	*httptest.ResponseRecorder
	body map[string]any
}

// ask sends one request. A line of header is "Name: value".
func (s *server) ask(t testing.TB, method string, body io.Reader, header ...string) answer {
	t.Helper()
	r := httptest.NewRequest(method, "/graphql", body)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	got := answer{ResponseRecorder: w}
	if err := json.Unmarshal(w.Body.Bytes(), &got.body); err != nil {
		t.Fatalf("the answer is not JSON: %v\n%s", err, w.Body)
	}
	return got
}

// post sends one body as JSON.
func (s *server) post(t testing.TB, body string, header ...string) answer {
	t.Helper()
	return s.ask(t, http.MethodPost, strings.NewReader(body), append(header, "Content-Type: application/json")...)
}

// query sends one query.
func (s *server) query(t testing.TB, query string, header ...string) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	return s.post(t, string(body), header...)
}

// first returns the message and the extensions of an answer's first error.
func (a answer) first(t testing.TB) (string, map[string]any) {
	t.Helper()
	errs, _ := a.body["errors"].([]any)
	if len(errs) == 0 {
		t.Fatalf("the answer has no errors: %s", a.Body)
	}
	err := errs[0].(map[string]any)
	extensions, _ := err["extensions"].(map[string]any)
	return err["message"].(string), extensions
}

func (a answer) code(t testing.TB) any {
	t.Helper()
	_, extensions := a.first(t)
	return extensions["code"]
}

// lines are the records of the log.
func (s *server) lines(t testing.TB) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for line := range strings.Lines(s.logged.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, record)
	}
	return lines
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
