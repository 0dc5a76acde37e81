package transport

import (
	"context"
	"errors"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

const (
	// maxKept documents of at most maxKeptQuery bytes stay parsed. One with as many tokens as may be takes 220 KB.
	maxKept      = 256
	maxKeptQuery = 16 << 10
	// maxSuggested is the longest query that gets suggestions for misspelt names: each unknown name is compared with
	// all that are known, letter by letter.
	maxSuggested = 4 << 10
	// maxErrors and maxMessage keep what is wrong with a query from being larger than the query.
	maxErrors  = 20
	maxMessage = 200
)

// document is a query that is parsed, within the limits and valid.
type document struct {
	doc *ast.QueryDocument
	// conditions are the variables that @skip and @include hang on.
	conditions []string
}

// documents turns queries into documents and keeps the recent ones.
type documents struct {
	schema        *ast.Schema
	silent        *rules.Rules
	suggesting    *rules.Rules
	introspection bool
	kept          *lru.Cache[string, *document]
}

func newDocuments(schema *ast.Schema, introspection bool) *documents {
	// gqlparser declares @defer in every schema. Its later parts would never be read from gqlgen here, so that a query
	// with it is answered as one with any unknown directive.
	known := *schema
	known.Directives = maps.Clone(schema.Directives)
	delete(known.Directives, "defer")

	kept, err := lru.New[string, *document](maxKept)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &documents{
		schema: &known, silent: silentRules(), suggesting: rules.NewDefaultRules(),
		introspection: introspection, kept: kept,
	}
}

// silentRules are the rules of the GraphQL specification in their form that does not answer a misspelt name with the
// right one. gqlgen's own switch changes only two of them.
func silentRules() *rules.Rules {
	all := rules.NewDefaultRules()
	for suggesting, silent := range map[string]validator.Rule{
		rules.FieldsOnCorrectTypeRule.Name: rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
		rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.ScalarLeafsRule.Name:         rules.ScalarLeafsRuleWithoutSuggestions,
		rules.ValuesOfCorrectTypeRule.Name: rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		all.RemoveRule(suggesting)
		all.AddRule(silent.Name, silent.RuleFunc)
	}
	return all
}

// rules are those that a query is validated by: names are suggested only where the schema may be asked for.
func (d *documents) rules(query string) *rules.Rules {
	if d.introspection && len(query) <= maxSuggested {
		return d.suggesting
	}
	return d.silent
}

// prepare returns the document of a query, or what is wrong with it.
func (d *documents) prepare(query string) (*document, gqlerror.List) {
	if known, ok := d.kept.Get(query); ok {
		return known, nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, maxTokens)
	if err != nil {
		return nil, brief(codeParse, gqlerror.List{located(err)})
	}
	if len(doc.Operations) == 0 {
		return nil, gqlerror.List{failure(codeValidation, "The document has no operation.")}
	}
	gauge := newGauge(doc)
	if err := gauge.check(doc, d.introspection); err != nil {
		return nil, gqlerror.List{err}
	}
	if errs := validator.ValidateWithRules(d.schema, doc, d.rules(query)); len(errs) > 0 {
		return nil, brief(codeValidation, errs)
	}
	if err := checkRequests(doc); err != nil {
		return nil, gqlerror.List{err}
	}
	prepared := &document{doc: doc, conditions: gauge.conditions}
	if len(query) <= maxKeptQuery {
		d.kept.Add(query, prepared)
	}
	return prepared, nil
}

// checkConditions refuses null for a condition. A nullable variable with a default may stand where Boolean! is asked
// for; gqlgen panics where the specification has an error.
func (d *document) checkConditions(variables map[string]any) gqlerror.List {
	for _, name := range d.conditions {
		if value, given := variables[name]; given && value == nil {
			return gqlerror.List{failure(codeValidation, "Variable $"+clip(name)+" must not be null in @skip or @include.")}
		}
	}
	return nil
}

// prepared hands the executor the document that prepare has made, so that it neither parses nor validates itself.
type prepared struct{}

var _ graphql.Cache[*ast.QueryDocument] = prepared{}

// Get returns the document of the context's request, whatever the query.
func (prepared) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	return fromContext(ctx).document.doc, true
}

// Add has nothing to do: Get always finds.
func (prepared) Add(context.Context, string, *ast.QueryDocument) {}

// located returns the parser's error with its place in the query.
func located(err error) *gqlerror.Error {
	if known, ok := errors.AsType[*gqlerror.Error](err); ok {
		return known
	}
	return gqlerror.Wrap(err)
}

// brief gives the errors a code and bounds their number and their messages, which quote the query.
func brief(code string, errs gqlerror.List) gqlerror.List {
	short := make(gqlerror.List, 0, min(len(errs), maxErrors))
	for _, err := range errs[:cap(short)] {
		shown := failure(code, clip(err.Message))
		shown.Locations = err.Locations
		short = append(short, shown)
	}
	return short
}

// forVariables rewrites what is wrong with variables: gqlparser gives a path, which is none of the answer's, and quotes
// values.
func forVariables(errs gqlerror.List) gqlerror.List {
	shown := make(gqlerror.List, 0, len(errs))
	for _, err := range errs {
		message := err.Message
		if path := err.Path.String(); path != "" {
			message = "Variable $" + clip(strings.TrimPrefix(path, "variable.")) + ": " + message
		}
		shown = append(shown, failure(codeValidation, clip(message)))
	}
	return shown
}

// clip shortens a message to maxMessage bytes.
func clip(message string) string { return shorten(message, maxMessage) }

// shorten cuts a text off after so many bytes.
func shorten(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size] + "…"
}
