package transport

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	// maxTokens bounds what parsing and validation can cost.
	maxTokens = 1000
	// maxDepth is how many fields may be nested in an operation.
	maxDepth = 10
	// maxIntrospectionDepth holds for operations that ask for nothing but the schema: the query that graphql-js makes
	// for tools has depth 15.
	maxIntrospectionDepth = 15
	// maxFields is how many fields an operation may select, each fragment counted wherever it is spread.
	maxFields = 1000
	// maxRepeats is how often one selection set may name the same field, because validation compares each pair: 990
	// times the same name took 60 ms.
	maxRepeats = 100
)

var (
	tooDeep = fmt.Sprintf("The operation nests more than %d fields, or %d if it asks only for the schema.",
		maxDepth, maxIntrospectionDepth)
	tooComplex    = fmt.Sprintf("The operation selects more than %d fields.", maxFields)
	tooRepetitive = fmt.Sprintf("A field is selected more than %d times in one place.", maxRepeats)
)

// extent is the size of a selection set with all its fragments.
type extent struct {
	depth, fields int
	// ordinary is set if one of the outermost fields is not about the schema.
	ordinary bool
}

// exceeds returns what is wrong with a size for operations of a depth, nil if nothing is.
func (e extent) exceeds(depth int, position *ast.Position) *gqlerror.Error {
	switch {
	case e.depth > depth:
		return at(position, codeTooDeep, tooDeep)
	case e.fields > maxFields:
		return at(position, codeTooComplex, tooComplex)
	}
	return nil
}

// gauge measures one document before it is validated, so it meets unknown fragments and cycles. Both count for nothing:
// validation refuses them. Each selection is visited once, however often its fragment is spread, and nothing is visited
// any more once a limit is passed.
type gauge struct {
	fragments map[string]*ast.FragmentDefinition
	// extents has an entry for each fragment that was entered. That of one still being measured is zero, which ends a
	// cycle.
	extents map[string]extent
	visits  int
	// introspects is set by the first field that asks for the schema.
	introspects bool
	// repeats is set by the first selection set that names a field too often.
	repeats bool
	// conditions are the variables that @skip and @include hang on.
	conditions []string
}

func newGauge(doc *ast.QueryDocument) *gauge {
	g := &gauge{
		fragments: make(map[string]*ast.FragmentDefinition, len(doc.Fragments)),
		extents:   make(map[string]extent, len(doc.Fragments)),
	}
	for _, fragment := range doc.Fragments {
		g.fragments[fragment.Name] = fragment
	}
	return g
}

// check returns an error if a part of the document passes a limit. Fragments are checked for themselves too: validation
// reads also those that no operation spreads.
func (g *gauge) check(doc *ast.QueryDocument, introspection bool) *gqlerror.Error {
	for _, fragment := range doc.Fragments {
		if g.fragments[fragment.Name] != fragment {
			return at(fragment.Position, codeValidation, "Two fragments have the same name.")
		}
		if err := g.spread(fragment.Name).exceeds(maxIntrospectionDepth, fragment.Position); err != nil {
			return err
		}
	}
	for _, operation := range doc.Operations {
		size := g.measure(operation.SelectionSet)
		depth := maxDepth
		if !size.ordinary {
			depth = maxIntrospectionDepth
		}
		if err := size.exceeds(depth, operation.Position); err != nil {
			return err
		}
	}
	switch {
	case g.repeats:
		return failure(codeTooComplex, tooRepetitive)
	case g.introspects && !introspection:
		return failure(codeValidation, "Introspection is switched off.")
	}
	return nil
}

func (g *gauge) measure(set ast.SelectionSet) extent {
	g.repeats = g.repeats || repeats(set)
	var size extent
	for _, selection := range set {
		g.visits++
		var part extent
		switch selection := selection.(type) {
		case *ast.Field:
			part = g.field(selection)
		case *ast.InlineFragment:
			g.note(selection.Directives)
			part = g.measure(selection.SelectionSet)
		case *ast.FragmentSpread:
			g.note(selection.Directives)
			part = g.spread(selection.Name)
		}
		size.depth = max(size.depth, part.depth)
		size.fields += part.fields
		size.ordinary = size.ordinary || part.ordinary
		if size.depth > maxIntrospectionDepth || size.fields > maxFields {
			return size
		}
	}
	return size
}

func (g *gauge) field(field *ast.Field) extent {
	g.note(field.Directives)
	within := g.measure(field.SelectionSet)
	size := extent{depth: within.depth + 1, fields: within.fields + 1}
	switch field.Name {
	case "__schema", "__type":
		g.introspects = true
	case "__typename":
	default:
		size.ordinary = true
	}
	return size
}

func (g *gauge) spread(name string) extent {
	if size, known := g.extents[name]; known {
		return size
	}
	fragment := g.fragments[name]
	if fragment == nil {
		return extent{}
	}
	g.extents[name] = extent{}
	size := g.measure(fragment.SelectionSet)
	g.extents[name] = size
	return size
}

// note remembers the variables of @skip and @include.
func (g *gauge) note(directives ast.DirectiveList) {
	for _, directive := range directives {
		if directive.Name != "skip" && directive.Name != "include" {
			continue
		}
		if condition := directive.Arguments.ForName("if"); condition != nil && condition.Value.Kind == ast.Variable {
			g.conditions = append(g.conditions, condition.Value.Raw)
		}
	}
}

// repeats reports whether a set itself, without fragments, names a field too often.
func repeats(set ast.SelectionSet) bool {
	if len(set) <= maxRepeats {
		return false
	}
	times := make(map[string]int)
	for _, selection := range set {
		if field, ok := selection.(*ast.Field); ok {
			if times[field.Alias]++; times[field.Alias] > maxRepeats {
				return true
			}
		}
	}
	return false
}

func at(position *ast.Position, code, message string) *gqlerror.Error {
	err := failure(code, message)
	if position != nil {
		err.Locations = []gqlerror.Location{{Line: position.Line, Column: position.Column}}
	}
	return err
}
