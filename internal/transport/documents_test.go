package transport

import (
	"os"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestIntrospection(t *testing.T) {
	t.Parallel()
	standard, err := os.ReadFile("testdata/introspection.graphql")
	if err != nil {
		t.Fatal(err)
	}
	disabled := true
	schema := &fakeSchema{seen: func(o *graphql.OperationContext) { disabled = o.DisableIntrospection }}

	on := newServer(schema, Options{Introspection: true})
	if got := on.query(t, string(standard)); got.Code != 200 || got.body["errors"] != nil || disabled {
		t.Errorf("on: got %s, disabled in gqlgen: %v", got.Body, disabled)
	}
	if message, _ := on.query(t, "{hallo}").first(t); !strings.Contains(message, `Did you mean "hello"`) {
		t.Errorf("on: got the message %s", message)
	}

	if message, _ := on.query(t, "{hallo} #"+strings.Repeat("x", maxSuggested)).first(t); strings.Contains(message, "Did you mean") {
		t.Errorf("on, for a long query: got the message %s", message)
	}

	off := newServer(schema, Options{})
	for _, query := range []string{string(standard), `{__type(name: "Sum") {name}}`, "{...F} fragment F on Query {__schema{description}}"} {
		if got := off.query(t, query); got.code(t) != codeValidation || got.body["data"] != nil {
			t.Errorf("off: got %s", got.Body)
		}
	}
	if got := off.query(t, "{__typename}"); got.body["errors"] != nil || !disabled {
		t.Errorf("off: got %s, disabled in gqlgen: %v", got.Body, disabled)
	}
	for _, query := range []string{
		"{hallo}", "{hello(nam: 1)}", "{self}", "query($in: Som!){add(input: $in)}", "{add(input: {left: 1, righd: 1})}",
	} {
		if got := off.query(t, query); strings.Contains(got.Body.String(), "Did you mean") {
			t.Errorf("off: got %s", got.Body)
		}
	}
}

func TestDocumentsAreKept(t *testing.T) {
	t.Parallel()
	var seen []*ast.QueryDocument
	s := newServer(&fakeSchema{seen: func(o *graphql.OperationContext) { seen = append(seen, o.Doc) }}, Options{})
	long := "{hello #" + strings.Repeat("x", maxKeptQuery) + "\n}"
	for _, query := range []string{"{hello}", "{hello}", long, long} {
		s.query(t, query)
	}
	if seen[0] != seen[1] {
		t.Error("a query was parsed twice")
	}
	if seen[2] == seen[3] {
		t.Error("a long query is kept in memory")
	}
	for i := range 2 * maxKept {
		s.query(t, "{hello} #"+strings.Repeat("x", i))
	}
	if got := s.handler.documents.kept.Len(); got != maxKept {
		t.Errorf("%d documents are kept", got)
	}
	if before := s.handler.documents.kept.Len(); s.query(t, "{hallo}").body["errors"] == nil || s.handler.documents.kept.Len() != before {
		t.Error("a query that is wrong is kept")
	}
}
