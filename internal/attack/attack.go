// Package attack makes up operations from a schema and judges the answers: every path to some depth, asked as somebody
// who lacks one right. It reads which right guards what from the schema's directives, so that a field that is added later
// is attacked, too. It knows neither resolvers nor HTTP, and only tests use it.
package attack

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Right is what a @hasPermission or a @can asks of the viewer.
type Right struct {
	// Kind is permission, role, feature, plan or reverification.
	Kind string
	// Name is as the schema has it, but of features and plans without org: or user: in front.
	Name string
}

func (r Right) String() string { return r.Kind + " " + r.Name }

// Rights are all that the schema names, sorted.
func Rights(schema *ast.Schema) []Right {
	named := map[Right]bool{}
	note := func(directives ast.DirectiveList) {
		for _, right := range append(Asked(directives), claimed(schema, directives)...) {
			named[right] = true
		}
	}
	for _, definition := range schema.Types {
		note(definition.Directives)
		for _, field := range definition.Fields {
			note(field.Directives)
		}
	}
	var rights []Right
	for right := range named {
		rights = append(rights, right)
	}
	slices.SortFunc(rights, func(a, b Right) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return rights
}

// Asked are the rights without which a field or a type is closed.
func Asked(directives ast.DirectiveList) []Right {
	var rights []Right
	for _, directive := range directives.ForNames("hasPermission") {
		for _, argument := range directive.Arguments {
			if argument.Value.Kind == ast.NullValue {
				continue
			}
			right := Right{argument.Name, argument.Value.Raw}
			switch right.Kind {
			case "feature", "plan":
				right.Name = right.Name[strings.LastIndexByte(right.Name, ':')+1:]
			case "reverification":
				right.Name = argument.Value.String()
			}
			rights = append(rights, right)
		}
	}
	return rights
}

// claimed are the rights that a @can speaks of.
func claimed(schema *ast.Schema, directives ast.DirectiveList) []Right {
	var rights []Right
	for _, directive := range directives.ForNames("can") {
		if permission := directive.Arguments.ForName("permission"); permission != nil {
			rights = append(rights, Right{"permission", permission.Value.Raw})
		}
		if mutation := directive.Arguments.ForName("mutation"); mutation != nil {
			rights = append(rights, Asked(schema.Mutation.Fields.ForName(mutation.Value.Raw).Directives)...)
		}
	}
	return rights
}

// Target is an object that can be asked for by its id.
type Target struct{ TypeName, ID string }

// Plan says what to attack.
type Plan struct {
	Schema *ast.Schema
	// Depth is how many fields are nested. What leads further is asked for its __typename there.
	Depth int
	// Targets stand wherever an id is wanted: each type that implements Node needs one.
	Targets []Target
	// Right stands where the name of a permission or of a role is wanted, if it is one.
	Right Right
	// Texts stand where a string is wanted under their name and not every text will do.
	Texts map[string]string
}

// Canary is in every text that mutations are given.
const Canary = "canary-of-the-attack"
