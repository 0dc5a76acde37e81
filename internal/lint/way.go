package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// way leads from Query to an object, by fields that need no arguments.
type way struct {
	// fields are what is asked for one inside of the other.
	fields []string
	// asked are the directives on the way.
	asked ast.DirectiveList
}

// to is the query for something of the object.
func (w way) to(selection string) string {
	query := selection
	for _, field := range slices.Backward(w.fields) {
		query = field + " { " + query + " }"
	}
	return "{ " + query + " }"
}

// role is the one that the directives on the way, or of a field at its end, ask for.
func (w way) role(field *ast.FieldDefinition) string {
	for _, directive := range append(slices.Clone(w.asked), field.Directives...) {
		if role := argument(directive, "role"); role != nil {
			return *role
		}
	}
	return "org:admin"
}

// wayTo finds the shortest way to an object of a type, else the one by node.
func (l living) wayTo(typeName string) (way, bool) {
	if typeName == l.Schema.Query.Name {
		return way{}, true
	}
	seen := map[string]bool{l.Schema.Query.Name: true}
	type step struct {
		on  *ast.Definition
		way way
	}
	for next := []step{{on: l.Schema.Query}}; len(next) > 0; next = next[1:] {
		for _, field := range next[0].on.Fields {
			target := l.Schema.Types[field.Type.Name()]
			if target.Kind != ast.Object || seen[target.Name] || strings.HasPrefix(field.Name, "__") || field.Type.Elem != nil || needsArguments(field) {
				continue
			}
			seen[target.Name] = true
			further := way{
				fields: append(slices.Clone(next[0].way.fields), field.Name),
				asked:  append(slices.Clone(next[0].way.asked), append(slices.Clone(field.Directives), target.Directives...)...),
			}
			if target.Name == typeName {
				return further, true
			}
			next = append(next, step{target, further})
		}
	}
	id, known := l.objects[typeName]
	if !known || l.Schema.Query.Fields.ForName("node") == nil {
		return way{}, false
	}
	return way{
		fields: []string{fmt.Sprintf("node(id: %q)", id), "... on " + typeName},
		asked:  l.Schema.Types[typeName].Directives,
	}, true
}

func needsArguments(field *ast.FieldDefinition) bool {
	return slices.ContainsFunc(field.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil })
}
