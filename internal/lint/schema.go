package lint

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tenantry/tenantry/auth"
)

// SchemaFaults walks a schema and says of each fault where it is and how to mend it.
func SchemaFaults(schema *ast.Schema, catalogue auth.Catalogue) []string {
	var found faults
	for _, directive := range schema.Directives {
		for _, argument := range directive.Arguments {
			if argument.Description == "" && !directive.Position.Src.BuiltIn {
				found.report(noDescription, "@"+directive.Name+"("+argument.Name+":)")
			}
		}
	}
	for _, definition := range sorted(schema.Types) {
		checkDescriptions(definition, &found)
		checkArguments(definition, &found)
		if definition.Kind == ast.Object {
			checkObject(schema, catalogue, definition, &found)
			checkConnections(schema, definition, &found)
		}
	}
	if schema.Mutation != nil {
		checkMutations(schema.Mutation, &found)
	}
	return found
}

// checkArguments holds that an organization is never an argument: it comes from the token.
func checkArguments(definition *ast.Definition, found *faults) {
	names := func(where, name string) {
		if strings.Contains(strings.ToLower(name), "organization") {
			found.report("%s takes %s: the organization comes from the token, never from an argument", where, name)
		}
	}
	for _, field := range definition.Fields {
		if definition.Kind == ast.InputObject {
			names(definition.Name, field.Name)
		}
		for _, argument := range field.Arguments {
			names(definition.Name+"."+field.Name, argument.Name)
		}
	}
}

func checkMutations(mutation *ast.Definition, found *faults) {
	for _, field := range mutation.Fields {
		verb := strings.ToUpper(field.Name[:1]) + field.Name[1:]
		if len(field.Arguments) != 1 || field.Arguments[0].Name != "input" || field.Arguments[0].Type.String() != verb+"Input!" {
			found.report("Mutation.%s: its one argument is input: %sInput!", field.Name, verb)
		}
		if managing(field) && field.Directives.ForName("notImpersonated") == nil {
			found.report("Mutation.%s: impersonators and agents could manage by it: write @notImpersonated behind it, or ask for a permission of your own", field.Name)
		}
		if field.Type.String() != verb+"Payload" {
			found.report("Mutation.%s: it returns %sPayload, nullable", field.Name, verb)
		}
	}
}

// managing reports whether a mutation may change organizations, members or invitations: what asks
// for a permission of Clerk's own, and, as it may do anything, what asks for no permission.
func managing(mutation *ast.FieldDefinition) bool {
	for _, directive := range mutation.Directives.ForNames("hasPermission") {
		if permission := argument(directive, "permission"); permission != nil && !strings.HasPrefix(*permission, "org:sys_") {
			return false
		}
	}
	return true
}

const noDescription = "%s has no description: say in schema.graphqls what a frontend developer needs to know"

func checkDescriptions(definition *ast.Definition, found *faults) {
	check := func(where, description string) {
		if description == "" {
			found.report(noDescription, where)
		}
	}
	check(definition.Name, definition.Description)
	for _, value := range definition.EnumValues {
		check(definition.Name+"."+value.Name, value.Description)
	}
	for _, field := range definition.Fields {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		check(definition.Name+"."+field.Name, field.Description)
		for _, argument := range field.Arguments {
			check(definition.Name+"."+field.Name+"("+argument.Name+":)", argument.Description)
		}
	}
}
