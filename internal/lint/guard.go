package lint

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tenantry/tenantry/auth"
)

// unguarded are the fields that lead to another type and need no directive, each with the reason. Keep it short.
var unguarded = map[string]string{
	"AuditEntry.changes": "part of an entry, which is guarded and the only way to it",
	"AuditEntry.items":   "part of an entry, which is guarded and the only way to it",
}

var guardDirectives = []string{"hasPermission", "signedIn", "inOrganization", "public"}

func checkObject(schema *ast.Schema, catalogue auth.Catalogue, object *ast.Definition, found *faults) {
	if slices.Contains(object.Interfaces, "Node") && !guardedBy(object.Directives) {
		found.report("type %s implements Node and has no directive: node(id:) would let nobody reach it. Write @hasPermission(permission: \"org:...:read\") or @inOrganization behind its name", object.Name)
	}
	checkNames(catalogue, object.Name, object.Directives, found)
	for _, field := range object.Fields {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		where := object.Name + "." + field.Name
		target := schema.Types[field.Type.Name()]
		own, byType := guardedBy(field.Directives), guardedBy(target.Directives)
		leads := target.IsCompositeType() && !target.BuiltIn
		root := object == schema.Query || object == schema.Mutation
		passes := field.Directives.ForName("can") != nil || strings.HasSuffix(target.Name, "ViewerCan") || plumbing(object.Name) && plumbing(target.Name) || target.Name == "PageInfo"
		if (leads || root) && !own && !byType && !passes && unguarded[where] == "" {
			found.report("%s leads to %s without a directive: write @hasPermission, @inOrganization, @signedIn or @public behind it in schema.graphqls, or on type %s", where, target.Name, target.Name)
		}
		if (own || byType) && field.Type.NonNull {
			found.report("%s is guarded and not nullable: a denial would take its neighbours with it. Take the ! at the end of its type away", where)
		}
		checkNames(catalogue, where, field.Directives, found)
		if directive := field.Directives.ForName("can"); directive != nil {
			checkCan(schema, where, directive, found)
		}
	}
}

// checkNames holds that somebody can have what is asked for.
func checkNames(known auth.Catalogue, where string, directives ast.DirectiveList, found *faults) {
	if directives.ForName("notImpersonated") != nil && !guardedBy(directives) {
		found.report("%s: @notImpersonated lets everybody else pass: write @hasPermission, @inOrganization or @signedIn beside it", where)
	}
	for _, directive := range directives {
		if permission := argument(directive, "permission"); permission != nil && !known.HasPermission(*permission) {
			found.report("%s: %s is not in roles.yml; %s", where, *permission, orAdd(known.NearestPermission(*permission), "permissions", *permission))
		}
		if role := argument(directive, "role"); role != nil && !known.HasRole(*role) {
			found.report("%s: %s is not in roles.yml; %s", where, *role, orAdd(known.NearestRole(*role), "roles", *role))
		}
	}
}

// orAdd says which of the known names may have been meant, and what to write otherwise.
func orAdd(near, list, name string) string {
	if near == "" {
		return "add it there, under " + list + ": " + name + ": {name: ...}"
	}
	return "did you mean " + near + "? If not, add it there, under " + list + ": " + name + ": {name: ...}"
}

// checkCan holds that what is answered beforehand is asked of a mutation that there is.
func checkCan(schema *ast.Schema, where string, directive *ast.Directive, found *faults) {
	mutation, permission := argument(directive, "mutation"), argument(directive, "permission")
	switch {
	case (mutation == nil) == (permission == nil):
		found.report("%s: @can takes a mutation or a permission", where)
	case mutation != nil && (schema.Mutation == nil || schema.Mutation.Fields.ForName(*mutation) == nil):
		found.report("%s: @can asks about the mutation %q, which there is not", where, *mutation)
	}
}

func guardedBy(directives ast.DirectiveList) bool {
	return slices.ContainsFunc(guardDirectives, func(name string) bool { return directives.ForName(name) != nil })
}

// plumbing carries what the field that leads to it guards.
func plumbing(typeName string) bool {
	return slices.ContainsFunc([]string{"Connection", "Edge", "Payload"}, func(suffix string) bool {
		return strings.HasSuffix(typeName, suffix)
	})
}

// argument is the text of a directive's argument, nil where it is not given.
func argument(directive *ast.Directive, name string) *string {
	value := directive.Arguments.ForName(name)
	if value == nil || value.Value.Kind == ast.NullValue {
		return nil
	}
	return &value.Value.Raw
}
