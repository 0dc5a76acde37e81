package graph

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestSchemaKindsAreNodes(t *testing.T) {
	t.Parallel()
	schema := readSchema(t)
	known := map[string]bool{}
	for _, kind := range nodeKinds {
		known[kind.typeName] = true
	}
	for _, definition := range schema.PossibleTypes["Node"] {
		if !known[definition.Name] {
			t.Errorf("%s implements Node, but node(id:) does not know it: add its kind to nodeKinds in graph/node.go", definition.Name)
		}
		delete(known, definition.Name)
	}
	for name := range known {
		t.Errorf("nodeKinds has %s, which does not implement Node in schema.graphqls", name)
	}
}

func readSchema(t *testing.T) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile("../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// What NewSchema refuses.
func TestMalformedDirectivesAreSeen(t *testing.T) {
	t.Parallel()
	const frame = `
		scalar Any
		directive @hasPermission(permission: String, role: String, feature: String, plan: String, reverification: Any) on FIELD_DEFINITION | OBJECT
		type Query { closed: String @hasPermission%s }`
	for arguments, want := range map[string]string{
		`(permission: "org:documents:read")`: "",
		`(role: "org:guest")`:                "",
		``:                                   "asks for nothing",
		`(permission: "documents.read")`:     "which has not the form org:feature:permission",
		`(role: "admin")`:                    "which has not the form org:role",
		`(feature: "x:y:z")`:                 "asks for the feature",
		`(plan: "")`:                         "asks for the plan",
		`(reverification: "stricter")`:       "must be strict_mfa, strict, moderate, lax",
		`(reverification: {level: "third_factor", afterMinutes: 5})`: "must be strict_mfa, strict, moderate, lax",
		`(reverification: {level: "first_factor", afterMinutes: 0})`: "must be strict_mfa, strict, moderate, lax",
	} {
		schema, err := gqlparser.LoadSchema(&ast.Source{Input: fmt.Sprintf(frame, arguments)})
		if err != nil {
			t.Fatal(err)
		}
		switch _, err := readGuards(schema); {
		case want == "" && err != nil:
			t.Errorf("%s: %v", arguments, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Query.closed")):
			t.Errorf("%s: %v, want %q", arguments, err, want)
		}
	}
}
