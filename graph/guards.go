package graph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tenantry/tenantry/auth"
)

// guards are the guards of types, read from the schema's directives. The generated code checks a type's directive on
// every field that returns the type, but not behind an interface: node and nodes ask here.
type guards map[string][]guard

func readGuards(schema *ast.Schema) guards {
	read := guards{}
	for name, definition := range schema.Types {
		for _, directive := range definition.Directives {
			if asks := guardOf(directive); asks != nil {
				read[name] = append(read[name], asks)
			}
		}
	}
	return read
}

func guardOf(directive *ast.Directive) guard {
	switch directive.Name {
	case "public":
		return func(*auth.Viewer) error { return nil }
	case "signedIn":
		return signedIn
	case "inOrganization":
		return inOrganization
	case "hasPermission":
		permission, role := argument(directive, "permission"), argument(directive, "role")
		return func(viewer *auth.Viewer) error { return has(viewer, permission, role) }
	}
	return nil
}

func argument(directive *ast.Directive, name string) *string {
	given := directive.Arguments.ForName(name)
	if given == nil || given.Value.Kind == ast.NullValue {
		return nil
	}
	return &given.Value.Raw
}

// check returns the denial of the first guard of a type that does not let the viewer pass. A type without a guard lets
// nobody pass.
func (g guards) check(viewer *auth.Viewer, typeName string) error {
	asked := g[typeName]
	if len(asked) == 0 {
		return &denial{code: CodeForbidden, message: "You may not do this in the active organization."}
	}
	for _, allowed := range asked {
		if err := allowed(viewer); err != nil {
			return err
		}
	}
	return nil
}
