package graph

import (
	"slices"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tenantry/tenantry/auth"
)

// DescribedSchema is the schema of schema.graphqls as clients see it: the description of each guarded field ends with
// what it requires. Read it, never change it.
var DescribedSchema = sync.OnceValue(func() *ast.Schema {
	schema := gqlparser.MustLoadSchema(sources...)
	// gqlparser declares it in every schema, and the transport does not answer it.
	delete(schema.Directives, "defer")
	for _, definition := range schema.Types {
		for _, field := range definition.Fields {
			if required := Requires(schema, field); len(required) > 0 {
				field.Description += " Requires " + strings.Join(required, ", ") + "."
			}
		}
	}
	return schema
})

// Requires says, in words, what a field asks of the viewer by its own directives and by those of the type that it leads
// to. Empty where it asks for nothing.
func Requires(schema *ast.Schema, field *ast.FieldDefinition) []string {
	var words []string
	for _, directives := range []ast.DirectiveList{field.Directives, typeDirectives(schema, field)} {
		for _, directive := range directives {
			for _, word := range requires(directive) {
				if !slices.Contains(words, word) {
					words = append(words, word)
				}
			}
		}
	}
	if len(words) > 1 { // the weaker ones are in the stronger ones
		words = slices.DeleteFunc(words, func(word string) bool { return word == requiresSession })
	}
	if slices.ContainsFunc(words, func(word string) bool {
		return strings.HasPrefix(word, "the permission") || strings.HasPrefix(word, "the role")
	}) {
		words = slices.DeleteFunc(words, func(word string) bool { return word == requiresOrganization })
	}
	return words
}

func typeDirectives(schema *ast.Schema, field *ast.FieldDefinition) ast.DirectiveList {
	if target := schema.Types[field.Type.Name()]; target != nil {
		return target.Directives
	}
	return nil
}

const (
	requiresSession      = "a session"
	requiresOrganization = "an active organization"
)

func requires(directive *ast.Directive) (words []string) {
	switch directive.Name {
	case "signedIn":
		return []string{requiresSession}
	case "inOrganization":
		return []string{requiresOrganization}
	case "notImpersonated":
		return []string{"that no impersonator or agent acts in the user's name"}
	case "hasPermission":
		for _, name := range []string{"permission", "role", "feature", "plan"} {
			if value := argument(directive, name); value != nil {
				words = append(words, "the "+name+" "+*value)
			}
		}
		if required, err := requirementOf(directive); err == nil && required.Reverification != (auth.Reverification{}) {
			words = append(words, "reverification ("+describeReverification(required.Reverification)+")")
		}
	}
	return words
}

// Permissions returns the permissions among what a field requires, sorted.
func Permissions(schema *ast.Schema, field *ast.FieldDefinition) []string {
	names := append(named(field.Directives, "hasPermission"), named(typeDirectives(schema, field), "hasPermission")...)
	slices.Sort(names)
	return slices.Compact(names)
}

// CanPermissions returns the permissions that a field answers about, by @can.
func CanPermissions(field *ast.FieldDefinition) []string { return named(field.Directives, "can") }

// named are the permissions that directives of one name ask for.
func named(directives ast.DirectiveList, directive string) (names []string) {
	for _, d := range directives.ForNames(directive) {
		if name := argument(d, "permission"); name != nil {
			names = append(names, *name)
		}
	}
	return names
}

// NamedPermissions returns every permission that the directives of a schema name, sorted: what guards a field or a type,
// and what @can answers.
func NamedPermissions(schema *ast.Schema) []string { return namedIn(schema, "permission") }

// NamedRoles returns every role that they name, sorted.
func NamedRoles(schema *ast.Schema) []string { return namedIn(schema, "role") }

func namedIn(schema *ast.Schema, what string) []string {
	var names []string
	note := func(directives ast.DirectiveList) {
		for _, directive := range directives {
			if directive.Name != "hasPermission" && directive.Name != "can" {
				continue
			}
			if name := argument(directive, what); name != nil {
				names = append(names, *name)
			}
		}
	}
	for _, definition := range schema.Types {
		note(definition.Directives)
		for _, field := range definition.Fields {
			note(field.Directives)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
