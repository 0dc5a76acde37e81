package graph_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/gqltest"
	"github.com/tenantry/tenantry/internal/transport"
)

// idleSchema is the schema of which nothing is executed.
type idleSchema struct {
	graphql.ExecutableSchema
	schema *ast.Schema
}

func (s idleSchema) Schema() *ast.Schema { return s.schema }

func (s idleSchema) Exec(context.Context) graphql.ResponseHandler {
	return graphql.OneShot(&graphql.Response{Data: []byte(`{}`)})
}

// Every operation that the documents show and the page sends is within the limits.
func TestWrittenOperationsAreAccepted(t *testing.T) {
	t.Parallel()
	schema := graph.DescribedSchema()
	handler := transport.New(idleSchema{schema: schema}, transport.Options{Logger: slog.New(slog.DiscardHandler)})
	for pattern, least := range map[string]int{"../README.md": 8, "../docs/*.md": 1, "../internal/local/page/files/page/*.js": 24} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, query := range operationsIn(schema, string(text)) {
				found++
				body, _ := json.Marshal(map[string]any{"query": query})
				request := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(string(body)))
				request.Header.Set("Content-Type", "application/json")
				recorder := httptest.NewRecorder()
				handler.ServeHTTP(recorder, request)
				got := gqltest.Read(t, recorder.Code, recorder.Body.Bytes())
				// Variables are looked at after the operation was accepted.
				if got.Code() != "" && !strings.HasPrefix(got.Errors[0].Message, "Variable $") {
					t.Errorf("%s: %s\n%s", file, query, got.Body)
				}
			}
		}
		t.Logf("%s: %d operations", pattern, found)
		if found < least {
			t.Errorf("%s: only %d operations were found", pattern, found)
		}
	}
}

var operationStart = regexp.MustCompile(`((query|mutation)\s*\w*\s*(\([^)]*\))?\s*)?\{`)

// operationsIn returns all parts of a text that are operations of a schema.
func operationsIn(schema *ast.Schema, text string) []string {
	var found []string
	for _, start := range operationStart.FindAllStringIndex(text, -1) {
		depth, end := 0, start[1]-1
		for ; end < len(text); end++ {
			switch text[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
			if depth == 0 {
				break
			}
		}
		if end == len(text) {
			continue
		}
		query := strings.NewReplacer(`\"`, `"`, `\n`, " ").Replace(text[start[0] : end+1])
		if _, errs := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules()); errs == nil {
			found = append(found, query)
		}
	}
	return found
}
