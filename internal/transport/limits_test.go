package transport

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"
)

func parse(t interface{ Fatal(...any) }, query string) *ast.QueryDocument {
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestLimits(t *testing.T) {
	t.Parallel()
	schemaDepth := func(depth int) string {
		return "{__schema{types{fields{type" + strings.Repeat("{ofType", depth-5) + "{name}" + strings.Repeat("}", depth-5) + "}}}}"
	}
	tests := []struct{ name, query, code string }{
		{"one field", "{hello}", ""},
		{"ten levels", nested(10), ""},
		{"eleven levels", nested(11), codeTooDeep},
		{"inline fragments have no depth", strings.Repeat("{...", 20) + nested(10) + strings.Repeat("}", 20), ""},
		{"fragments have no depth", "{...F} fragment F on Query {...G} fragment G on Query " + nested(10), ""},
		{"ten levels, some in a fragment", "{self{self{...F}}} fragment F on Query " + nested(8), ""},
		{"eleven levels, some in a fragment", "{self{self{...F}}} fragment F on Query " + nested(9), codeTooDeep},
		{"a fragment first near the root, then deeper", "{...F self{self{...F}}} fragment F on Query " + nested(9), codeTooDeep},
		{"a mutation", "mutation " + nested(11), codeTooDeep},
		{"the second operation", "query A {hello} query B " + nested(11), codeTooDeep},
		{"fifteen levels of the schema", schemaDepth(15), ""},
		{"sixteen levels of the schema", schemaDepth(16), codeTooDeep},
		{"the schema in a fragment", "{...F __typename} fragment F on Query " + schemaDepth(15), ""},
		{"the schema beside a field", "{hello ...F} fragment F on Query " + schemaDepth(15), codeTooDeep},
		{"a thousand fields", "{" + aliases(maxFields, "hello") + "}", ""},
		{"more than a thousand fields", "{" + aliases(maxFields+1, "hello") + "}", codeTooComplex},
		{"a thousand fields by a fragment", "{" + aliases(50, "self{...F}") + "} fragment F on Query {" + aliases(19, "hello") + "}", ""},
		{"more by a fragment", "{hello " + aliases(50, "self{...F}") + "} fragment F on Query {" + aliases(19, "hello") + "}", codeTooComplex},
		{"a cycle", "{...F} fragment F on Query {self{...F}}", ""},
		{"an unknown fragment", "{...F}", ""},
		{"one name often", "{" + strings.Repeat("hello ", maxRepeats) + "}", ""},
		{"one name too often", "{" + strings.Repeat("hello ", maxRepeats+1) + "}", codeTooComplex},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, test.query)
			code := ""
			if err := newGauge(doc).check(doc, true); err != nil {
				code = codeOf(err)
			}
			if code != test.code {
				t.Errorf("got %q, want %q", code, test.code)
			}
		})
	}
}

// Followed to its end this query has 2^27 fields. Counted instead of timed: each selection is looked at once.
func TestAChainOfFragmentsIsMeasuredInSteps(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"NEXT NEXT", "a:self{NEXT} b:self{NEXT}"} {
		doc := parse(t, chained(25, link))
		g := newGauge(doc)
		if err := g.check(doc, true); err == nil {
			t.Fatal("it is within the limits")
		}
		if selections := 4*25 + 2; g.visits > selections {
			t.Errorf("%s: %d visits of %d selections", link, g.visits, selections)
		}
	}
}

func TestNothingIsVisitedPastALimit(t *testing.T) {
	t.Parallel()
	doc := parse(t, "{"+aliases(5*maxFields, "hello")+"}")
	g := newGauge(doc)
	if err := g.check(doc, true); err == nil || g.visits > maxFields+1 {
		t.Errorf("%d visits, error %v", g.visits, err)
	}
}

// Within the limits the gauge agrees with following every spread.
func TestTheGaugeAgreesWithTheWholeWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(0, 4).Draw(t, "fragments")
		query := "{" + selections(t, 4, 0, count) + "}"
		for i := range count {
			query += fmt.Sprintf(" fragment F%d on Query {%s}", i, selections(t, 4, i+1, count))
		}
		doc := parse(t, query)
		want := follow(doc, doc.Operations[0].SelectionSet)
		got := newGauge(doc).measure(doc.Operations[0].SelectionSet)
		if want.fields <= maxFields && want.depth <= maxIntrospectionDepth {
			if got != want {
				t.Fatalf("got %+v, want %+v for %s", got, want, query)
			}
		} else if got.exceeds(maxIntrospectionDepth, nil) == nil {
			t.Fatalf("got %+v, want more than the limits, %+v, for %s", got, want, query)
		}
	})
}

// selections draws some that spread fragments from number on, so that there is no cycle.
func selections(t *rapid.T, levels, from, to int) string {
	var text strings.Builder
	for range rapid.IntRange(1, 3).Draw(t, "selections") {
		switch kind := rapid.IntRange(0, 3).Draw(t, "kind"); {
		case kind == 0 && levels > 0:
			text.WriteString("self{" + selections(t, levels-1, from, to) + "} ")
		case kind == 1 && levels > 0:
			text.WriteString("...{" + selections(t, levels-1, from, to) + "} ")
		case kind == 2 && from < to:
			fmt.Fprintf(&text, "...F%d ", rapid.IntRange(from, to-1).Draw(t, "fragment"))
		default:
			text.WriteString(rapid.SampledFrom([]string{"hello ", "__typename ", "__schema "}).Draw(t, "field"))
		}
	}
	return text.String()
}

func follow(doc *ast.QueryDocument, set ast.SelectionSet) (size extent) {
	for _, selection := range set {
		var part extent
		switch selection := selection.(type) {
		case *ast.Field:
			part = follow(doc, selection.SelectionSet)
			part = extent{part.depth + 1, part.fields + 1, !strings.HasPrefix(selection.Name, "__")}
		case *ast.InlineFragment:
			part = follow(doc, selection.SelectionSet)
		case *ast.FragmentSpread:
			part = follow(doc, doc.Fragments.ForName(selection.Name).SelectionSet)
		}
		size = extent{max(size.depth, part.depth), size.fields + part.fields, size.ordinary || part.ordinary}
	}
	return size
}
