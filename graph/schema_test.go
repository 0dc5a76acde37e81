package graph

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tenantry/tenantry/auth"
)

// unguarded are the fields that lead to another type and need no directive, each with the reason. Keep it short.
var unguarded = map[string]string{
	"AuditEntry.changes": "part of an entry, which is guarded and the only way to it",
	"AuditEntry.items":   "part of an entry, which is guarded and the only way to it",
}

func TestSchemaIsGuarded(t *testing.T) {
	t.Parallel()
	for _, fault := range schemaFaults(readSchema(t)) {
		t.Error(fault)
	}
}

func TestSchemaKindsAreNodes(t *testing.T) {
	t.Parallel()
	schema := readSchema(t)
	known := map[string]bool{}
	for _, kind := range nodeKinds {
		known[kind.typeName] = true
	}
	for _, definition := range schema.PossibleTypes["Node"] {
		if !known[definition.Name] {
			t.Errorf("%s implements Node, but node(id:) does not know it: add its kind to nodeKinds in graph/nouns.go", definition.Name)
		}
		delete(known, definition.Name)
	}
	for name := range known {
		t.Errorf("nodeKinds has %s, which does not implement Node in schema.graphqls", name)
	}
}

func readSchema(t *testing.T) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile("../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

var guardDirectives = []string{"hasPermission", "signedIn", "inOrganization", "public"}

// schemaFaults walks the schema and says of each fault where it is and how to mend it.
func schemaFaults(schema *ast.Schema) []string {
	var faults []string
	report := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, definition := range sorted(schema.Types) {
		if definition.BuiltIn || strings.HasPrefix(definition.Name, "__") {
			continue
		}
		checkDescriptions(definition, report)
		checkArguments(definition, report)
		if definition.Kind == ast.Object {
			checkObject(schema, definition, report)
		}
	}
	if schema.Mutation != nil {
		checkMutations(schema.Mutation, report)
	}
	return faults
}

func checkObject(schema *ast.Schema, object *ast.Definition, report func(string, ...any)) {
	if slices.Contains(object.Interfaces, "Node") && !guardedBy(object.Directives) {
		report("type %s implements Node and has no directive: node(id:) would let nobody reach it. Write @hasPermission(permission: \"org:...:read\") or @inOrganization behind its name", object.Name)
	}
	checkGuards(object.Name, object.Directives, report)
	checkNames(object.Name, object.Directives, report)
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
			report("%s leads to %s without a directive: write @hasPermission, @inOrganization, @signedIn or @public behind it in schema.graphqls, or on type %s", where, target.Name, target.Name)
		}
		if (own || byType) && field.Type.NonNull {
			report("%s is guarded and not nullable: a denial would take its neighbours with it. Take the ! at the end of its type away", where)
		}
		checkGuards(where, field.Directives, report)
		checkNames(where, field.Directives, report)
		if directive := field.Directives.ForName("can"); directive != nil {
			checkCan(schema, where, directive, report)
		}
	}
}

func checkGuards(where string, directives ast.DirectiveList, report func(string, ...any)) {
	for _, directive := range directives {
		if _, err := guardOf(directive); err != nil {
			report("%s: @%s %s", where, directive.Name, err)
		}
	}
	if directives.ForName("notImpersonated") != nil && !guardedBy(directives) {
		report("%s: @notImpersonated lets everybody else pass: write @hasPermission, @inOrganization or @signedIn beside it", where)
	}
}

// catalogue is what roles.yml says.
var catalogue = sync.OnceValues(func() (auth.Catalogue, error) {
	text, err := os.ReadFile("../roles.yml")
	if err != nil {
		return auth.Catalogue{}, err
	}
	return auth.ParseCatalogue(text)
})

// checkNames holds that somebody can have what is asked for.
func checkNames(where string, directives ast.DirectiveList, report func(string, ...any)) {
	known, err := catalogue()
	if err != nil {
		report("roles.yml: %s", err)
		return
	}
	for _, directive := range directives {
		if permission := argument(directive, "permission"); permission != nil && permissionForm.MatchString(*permission) && !known.HasPermission(*permission) {
			report("%s: %s is not in roles.yml; %s", where, *permission, didYouMean(known.NearestPermission(*permission)))
		}
		if role := argument(directive, "role"); role != nil && roleForm.MatchString(*role) && !known.HasRole(*role) {
			report("%s: %s is not in roles.yml; %s", where, *role, didYouMean(known.NearestRole(*role)))
		}
	}
}

func didYouMean(near string) string {
	if near == "" {
		return "add it there"
	}
	return "did you mean " + near + "?"
}

// checkCan holds that what is answered beforehand is asked of a mutation that there is.
func checkCan(schema *ast.Schema, where string, directive *ast.Directive, report func(string, ...any)) {
	mutation, permission := argument(directive, "mutation"), argument(directive, "permission")
	switch {
	case (mutation == nil) == (permission == nil):
		report("%s: @can takes a mutation or a permission", where)
	case mutation != nil && (schema.Mutation == nil || schema.Mutation.Fields.ForName(*mutation) == nil):
		report("%s: @can asks about the mutation %q, which there is not", where, *mutation)
	case permission != nil && !permissionForm.MatchString(*permission):
		report("%s: %q is not a permission: write org:feature:permission", where, *permission)
	}
}

// checkArguments holds that an organization is never an argument: it comes from the token.
func checkArguments(definition *ast.Definition, report func(string, ...any)) {
	names := func(where, name string) {
		if strings.Contains(strings.ToLower(name), "organization") {
			report("%s takes %s: the organization comes from the token, never from an argument", where, name)
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

func checkMutations(mutation *ast.Definition, report func(string, ...any)) {
	for _, field := range mutation.Fields {
		verb := strings.ToUpper(field.Name[:1]) + field.Name[1:]
		if len(field.Arguments) != 1 || field.Arguments[0].Name != "input" || field.Arguments[0].Type.String() != verb+"Input!" {
			report("Mutation.%s: its one argument is input: %sInput!", field.Name, verb)
		}
		if field.Type.String() != verb+"Payload" {
			report("Mutation.%s: it returns %sPayload, nullable", field.Name, verb)
		}
	}
}

func checkDescriptions(definition *ast.Definition, report func(string, ...any)) {
	check := func(where, description string) {
		if description == "" {
			report("%s has no description: say in schema.graphqls what a frontend developer needs to know", where)
		}
	}
	check(definition.Name, definition.Description)
	for _, value := range definition.EnumValues {
		check(definition.Name+"."+value.Name, value.Description)
	}
	for _, field := range definition.Fields {
		if strings.HasPrefix(field.Name, "__") || definition.Name == "Mutation" && field.Description != "" {
			continue
		}
		check(definition.Name+"."+field.Name, field.Description)
		for _, argument := range field.Arguments {
			check(definition.Name+"."+field.Name+"("+argument.Name+":)", argument.Description)
		}
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

func sorted(types map[string]*ast.Definition) []*ast.Definition {
	definitions := make([]*ast.Definition, 0, len(types))
	for _, definition := range types {
		definitions = append(definitions, definition)
	}
	slices.SortFunc(definitions, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return definitions
}

// Each fault is seen in a schema that has only this one.
func TestSchemaFaultsAreSeen(t *testing.T) {
	t.Parallel()
	const frame = `
		"d" scalar Any
		"d" directive @hasPermission(permission: String, role: String, feature: String, plan: String, reverification: Any) on FIELD_DEFINITION | OBJECT
		"d" directive @notImpersonated on FIELD_DEFINITION
		"d" directive @can(mutation: String, permission: String) on FIELD_DEFINITION
		"d" directive @inOrganization on FIELD_DEFINITION | OBJECT
		"d" interface Node { "d" id: ID! }
		"d" type Open { "d" id: ID! }
		"d" type Closed @inOrganization { "d" id: ID! }
		"d" type OpenConnection { "d" nodes: [Open!] }
		"d" type Query {
			"d" fine: Closed
			%s
		}
		%s`
	for name, test := range map[string]struct{ field, types, want string }{
		"none":                           {"", "", ""},
		"guarded by its type":            {`"d" closed: Closed`, "", ""},
		"unguarded root field":           {`"d" open: Open`, "", "Query.open leads to Open without a directive"},
		"unguarded root scalar":          {`"d" now: String`, "", "Query.now leads to String without a directive"},
		"unguarded connection":           {`"d" opens: OpenConnection`, "", "Query.opens leads to OpenConnection without a directive"},
		"way out of a connection":        {"", "", ""},
		"guarded and not nullable":       {`"d" closed: Closed!`, "", "Query.closed is guarded and not nullable"},
		"node without a guard":           {"", `"d" type Loose implements Node { "d" id: ID! }`, "type Loose implements Node and has no directive"},
		"asks for nothing":               {`"d" closed: Closed @hasPermission`, "", "asks for nothing"},
		"no permission":                  {`"d" closed: Closed @hasPermission(permission: "documents.read")`, "", "which has not the form org:feature:permission"},
		"unknown permission":             {`"d" closed: Closed @hasPermission(permission: "org:documents:raed")`, "", "Query.closed: org:documents:raed is not in roles.yml; did you mean org:documents:read?"},
		"unknown permission, alone":      {`"d" closed: Closed @hasPermission(permission: "org:reports:export")`, "", "Query.closed: org:reports:export is not in roles.yml; add it there"},
		"unknown permission of a type":   {"", `"d" type Some @hasPermission(permission: "org:documents:reed") { "d" id: ID! }`, "Some: org:documents:reed is not in roles.yml; did you mean org:documents:read?"},
		"unknown permission asked about": {"", `"d" type OpenViewerCan { "d" move: String @can(permission: "org:documents:updat") }`, "org:documents:updat is not in roles.yml; did you mean org:documents:update?"},
		"unknown system permission":      {`"d" closed: Closed @hasPermission(permission: "org:sys_memberships:write")`, "", "is not in roles.yml"},
		"a system permission":            {`"d" closed: Closed @hasPermission(permission: "org:sys_memberships:manage")`, "", ""},
		"unknown role":                   {`"d" closed: Closed @hasPermission(role: "org:admn")`, "", "Query.closed: org:admn is not in roles.yml; did you mean org:admin?"},
		"a role":                         {`"d" closed: Closed @hasPermission(role: "org:guest")`, "", ""},
		"no role":                        {`"d" closed: Closed @hasPermission(role: "admin")`, "", "which has not the form org:role"},
		"no feature":                     {`"d" closed: Closed @hasPermission(feature: "x:y:z")`, "", "asks for the feature"},
		"no plan":                        {`"d" closed: Closed @hasPermission(plan: "")`, "", "asks for the plan"},
		"no preset":                      {`"d" closed: Closed @hasPermission(reverification: "stricter")`, "", "must be strict_mfa, strict, moderate, lax"},
		"no level":                       {`"d" closed: Closed @hasPermission(reverification: {level: "third_factor", afterMinutes: 5})`, "", "must be strict_mfa, strict, moderate, lax"},
		"no minutes":                     {`"d" closed: Closed @hasPermission(reverification: {level: "first_factor", afterMinutes: 0})`, "", "must be strict_mfa, strict, moderate, lax"},
		"nothing but impersonation":      {"", `"d" type Some { "d" id: ID! @notImpersonated }`, "@notImpersonated lets everybody else pass"},
		"can what there is not":          {"", `"d" type OpenViewerCan { "d" move: String @can(mutation: "moveOpen") }`, "which there is not"},
		"can nothing":                    {"", `"d" type OpenViewerCan { "d" move: String @can }`, "@can takes a mutation or a permission"},
		"organization argument":          {`"d" closed("d" organizationId: ID): Closed`, "", "takes organizationId"},
		"organization in an input":       {"", `"d" input Some { "d" organization: ID }`, "takes organization"},
		"no description":                 {`closed: Closed`, "", "Query.closed has no description"},
		"mutation's argument":            {"", `"d" type Mutation { "d" move("d" id: ID): MovePayload @inOrganization } "d" type MovePayload { "d" id: ID }`, "its one argument is input: MoveInput!"},
		"mutation's payload":             {"", `"d" type Mutation { "d" move("d" input: MoveInput!): Closed @inOrganization } "d" input MoveInput { "d" id: ID }`, "it returns MovePayload"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schema, err := gqlparser.LoadSchema(&ast.Source{Input: fmt.Sprintf(frame, test.field, test.types)})
			if err != nil {
				t.Fatal(err)
			}
			// The frame's own OpenConnection leads to an open type, which only this walk may see.
			faults := slices.DeleteFunc(schemaFaults(schema), func(fault string) bool {
				return strings.HasPrefix(fault, "OpenConnection.nodes leads to Open without")
			})
			switch {
			case test.want == "" && len(faults) > 0:
				t.Errorf("faults %q, want none", faults)
			case test.want != "" && (len(faults) != 1 || !strings.Contains(faults[0], test.want)):
				t.Errorf("faults %q, want one with %q", faults, test.want)
			}
		})
	}
}
