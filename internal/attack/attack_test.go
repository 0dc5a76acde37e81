package attack

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// schemaText names a right of each kind, and has every way to an object.
const schemaText = `
directive @hasPermission(permission: Permission, role: Role, feature: String, plan: String, reverification: Reverification) on FIELD_DEFINITION | OBJECT
directive @can(mutation: String, permission: Permission) on FIELD_DEFINITION
scalar Permission scalar Role scalar Reverification scalar JSONObject
interface Node { id: ID! }
type Query { node(id: ID!): Node  nodes(ids: [ID!]!): [Node]  self: Self  can(permission: Permission!): Boolean! }
type Self { self: Self  secret: Secret  plain: String  paid: String @hasPermission(feature: "user:paid", plan: "org:pro") }
type Secret implements Node @hasPermission(permission: "org:secrets:read") { id: ID!  text: String!  mayDrop: Allowance @can(mutation: "drop") }
type Other implements Node { id: ID!  text: String  secrets: [Secret!] @hasPermission(role: "org:keeper") }
type Loose { id: ID! }
type Allowance { allowed: Boolean! }
type Mutation { drop(input: DropInput!): Secret @hasPermission(permission: "org:secrets:drop", reverification: "strict") }
input DropInput { id: ID!  kind: Kind!  reasons: [String!]  nested: Nested }
input Nested { count: Int  sure: Boolean  about: JSONObject  slug: String }
enum Kind { SOFT HARD }`

func plan(t *testing.T) Plan {
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: schemaText})
	if err != nil {
		t.Fatal(err)
	}
	return Plan{
		Schema: schema, Depth: 4, Targets: []Target{{"Secret", "secret_1"}, {"Other", "other_1"}, {"Loose", "loose_1"}},
		Right: Right{"permission", "org:secrets:read"}, Texts: map[string]string{"slug": "canary-slug"},
	}
}

func TestRightsOfEveryKind(t *testing.T) {
	t.Parallel()
	want := `[feature paid permission org:secrets:drop permission org:secrets:read plan pro reverification "strict" role org:keeper]`
	if got := fmt.Sprint(Rights(plan(t).Schema)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Every operation is one that a server would take, and each field is asked for in every way that leads to it.
func TestOperations(t *testing.T) {
	t.Parallel()
	p := plan(t)
	var text string
	paths := 0
	for _, operation := range append(p.Queries(), p.Mutations()...) {
		if _, errs := gqlparser.LoadQueryWithRules(p.Schema, operation.Text, rules.NewDefaultRules()); errs != nil {
			t.Errorf("%v: %s", errs, operation.Text)
		}
		text += operation.Text
		paths += operation.Paths
	}
	for _, want := range []string{
		`node_of_Secret: node(id: "secret_1") { __typename id ... on Secret { Secret_id: id } ... on Secret { Secret_text: text }`,
		`nodes(ids: ["secret_1", "other_1"])`, `can(permission: "org:secrets:read")`,
		`self { __typename self { __typename self { __typename self { __typename } secret { __typename }`,
		`drop_of_Other: drop(input: {id: "other_1", kind: SOFT, reasons: ["canary-of-the-attack reasons"], nested: {count: 1, sure: true, about: {canary: "canary-of-the-attack about"}, slug: "canary-slug"}})`,
		`drop_bare_of_Loose: drop(input: {id: "loose_1", kind: SOFT})`,
		`drop_only_reasons_of_Secret: drop(input: {id: "secret_1", kind: SOFT, reasons: ["canary-of-the-attack reasons"]})`,
		`drop_only_nested_of_Secret: drop(input: {id: "secret_1", kind: SOFT, nested: {`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not asked: %s", want, text)
		}
	}
	if paths < 40 {
		t.Errorf("only %d paths", paths)
	}
	if strings.Contains(text, "node_of_Loose") {
		t.Errorf("what does not implement Node is asked for as one: %s", text)
	}
	p.Right = Right{"reverification", `"strict"`}
	if got := p.Queries()[0].Text; !strings.Contains(got, `can(permission: "org:canary:read")`) {
		t.Errorf("what is no permission is asked for as one: %s", got)
	}
	p.Depth = 9
	for _, operation := range p.Queries() {
		if _, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: operation.Text}, 1000); err != nil {
			t.Errorf("%v: %s", err, operation.Text)
		}
	}
}

// The judge sees each way in which an answer can be wrong.
func TestJudge(t *testing.T) {
	t.Parallel()
	p := plan(t)
	p.Depth = 3
	query := p.Queries()[0]
	lacks := func(r Right) bool { return r != p.Right }
	denial := func(path ...any) Error {
		return Error{Path: path, Extensions: map[string]any{"code": "FORBIDDEN", "permission": p.Right.Name}}
	}
	for name, test := range map[string]struct {
		change func(*Answer)
		fault  string
	}{
		"all as it should be": {func(*Answer) {}, ""},
		"came back":           {func(a *Answer) { a.Data["node_of_Secret"] = map[string]any{"__typename": "Secret"} }, "/node_of_Secret: came back"},
		"came back in a list": {func(a *Answer) { a.Data["nodes"] = []any{map[string]any{"__typename": "Secret"}, nil} }, "/nodes/0: came back"},
		"no error":            {func(a *Answer) { a.Errors = a.Errors[1:] }, "0 errors"},
		"two errors":          {func(a *Answer) { a.Errors = append(a.Errors, a.Errors[0]) }, "2 errors"},
		"another's name":      {func(a *Answer) { a.Errors[0].Extensions["permission"] = "org:other:read" }, "does not name"},
		"an error more":       {func(a *Answer) { a.Errors = append(a.Errors, denial("self", "plain")) }, "nothing asked for"},
		"a claim":             {func(a *Answer) { a.Data["can"] = true }, "says that the viewer holds"},
		"a claim in a text":   {func(a *Answer) { a.Data["self"].(map[string]any)["plain"] = p.Right.Name }, "says that the viewer holds"},
		"a text is seen":      {func(a *Answer) { a.Data["self"].(map[string]any)["plain"] = "a long enough text" }, ""},
		"what is behind a fragment": {func(a *Answer) {
			a.Data["node_of_Other"] = map[string]any{"__typename": "Other", "Other_secrets": []any{map[string]any{"__typename": "Secret"}}}
		}, "/node_of_Other/Other_secrets: came back"},
	} {
		answer := Answer{
			Data:   map[string]any{"nodes": []any{nil, nil}, "self": map[string]any{"__typename": "Self"}, "can": false},
			Errors: []Error{denial("node_of_Secret"), denial("nodes", 0), denial("self", "secret"), denial("self", "self", "secret")},
		}
		answer.Data["self"].(map[string]any)["self"] = map[string]any{"__typename": "Self"}
		test.change(&answer)
		verdict := p.Judge(query, answer, lacks)
		hit := slices.ContainsFunc(verdict.Faults, func(f string) bool { return strings.Contains(f, test.fault) })
		if test.fault == "" && len(verdict.Faults) > 0 || test.fault != "" && !hit {
			t.Errorf("%s: %q", name, verdict.Faults)
		}
		if name == "all as it should be" && verdict.Denials != 4 {
			t.Errorf("%d denials", verdict.Denials)
		}
	}
}

// A text is a secret where the right stood before it every time.
func TestSecrets(t *testing.T) {
	t.Parallel()
	p := plan(t)
	p.Depth = 3
	answer := Answer{Data: map[string]any{
		"node_of_Secret": map[string]any{"__typename": "Secret", "id": "secret_1234", "Secret_text": "seen twice"},
		"self":           map[string]any{"__typename": "Self", "plain": "seen twice"},
	}}
	verdict := p.Judge(p.Queries()[0], answer, func(Right) bool { return true })
	if got := Secrets(verdict.Seen, p.Right); len(verdict.Faults) > 0 || !slices.Equal(got, []string{"secret_1234"}) {
		t.Errorf("%q, %q", got, verdict.Faults)
	}
}
