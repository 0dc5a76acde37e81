package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tenantry/tenantry/auth"
)

const rolesText = `
permissions:
  org:documents:read: {name: Read documents, description: View documents}
  org:documents:update: {name: Update documents, description: Edit documents}
roles:
  org:admin: {name: Admin, description: All, permissions: all}
  org:guest: {name: Guest, description: None, permissions: []}
`

// Each fault is seen in a schema that has only this one.
func TestSchemaFaultsAreSeen(t *testing.T) {
	t.Parallel()
	catalogue, err := auth.ParseCatalogue([]byte(rolesText))
	if err != nil {
		t.Fatal(err)
	}
	const frame = `
		"d" scalar Any
		"d" directive @hasPermission("d" permission: String "d" role: String "d" feature: String "d" plan: String "d" reverification: Any) on FIELD_DEFINITION | OBJECT
		"d" directive @notImpersonated on FIELD_DEFINITION
		"d" directive @can("d" mutation: String "d" permission: String) on FIELD_DEFINITION
		"d" directive @inOrganization on FIELD_DEFINITION | OBJECT
		"d" interface Node { "d" id: ID! }
		"d" type Open { "d" id: ID! }
		"d" type Closed @inOrganization { "d" id: ID! }
		"d" type OpenConnection { "d" nodes: [Open!] "d" pageInfo: PageInfo! }
		"d" type PageInfo { "d" hasNextPage: Boolean! }
		"d" type Query {
			"d" fine: Closed
			%s
		}
		%s`
	mutation := func(directives string) string {
		return `"d" type Mutation { "d" move("d" input: MoveInput!): MovePayload ` + directives + ` } "d" input MoveInput { "d" id: ID } "d" type MovePayload { "d" id: ID }`
	}
	for name, test := range map[string]struct{ field, types, want string }{
		"none":                                     {"", "", ""},
		"guarded by its type":                      {`"d" closed: Closed`, "", ""},
		"unguarded root field":                     {`"d" open: Open`, "", "Query.open leads to Open without a directive"},
		"unguarded root scalar":                    {`"d" now: String`, "", "Query.now leads to String without a directive"},
		"unguarded connection":                     {`"d" opens("d" first: Int "d" after: String "d" last: Int "d" before: String): OpenConnection`, "", "Query.opens leads to OpenConnection without a directive"},
		"a connection":                             {`"d" opens("d" first: Int "d" after: String "d" last: Int "d" before: String): OpenConnection @inOrganization`, "", ""},
		"connection without last":                  {`"d" opens("d" first: Int "d" after: String "d" before: String): OpenConnection @inOrganization`, "", "Query.opens is a list without the argument last: Int"},
		"connection with another first":            {`"d" opens("d" first: String "d" after: String "d" last: Int "d" before: String): OpenConnection @inOrganization`, "", "Query.opens is a list without the argument first: Int"},
		"connection without pageInfo":              {`"d" odds("d" first: Int "d" after: String "d" last: Int "d" before: String): OddConnection @inOrganization`, `"d" type OddConnection { "d" nodes: [Closed!] }`, "Query.odds has no pageInfo"},
		"guarded and not nullable":                 {`"d" closed: Closed!`, "", "Query.closed is guarded and not nullable"},
		"node without a guard":                     {"", `"d" type Loose implements Node { "d" id: ID! }`, "type Loose implements Node and has no directive"},
		"unknown permission":                       {`"d" closed: Closed @hasPermission(permission: "org:documents:raed")`, "", "Query.closed: org:documents:raed is not in roles.yml; did you mean org:documents:read?"},
		"unknown permission, alone":                {`"d" closed: Closed @hasPermission(permission: "org:reports:export")`, "", "Query.closed: org:reports:export is not in roles.yml; add it there, under permissions: org:reports:export"},
		"unknown permission of a type":             {"", `"d" type Some @hasPermission(permission: "org:documents:reed") { "d" id: ID! }`, "Some: org:documents:reed is not in roles.yml; did you mean org:documents:read?"},
		"unknown permission asked about":           {"", `"d" type OpenViewerCan { "d" move: String @can(permission: "org:documents:updat") }`, "org:documents:updat is not in roles.yml; did you mean org:documents:update?"},
		"unknown system permission":                {`"d" closed: Closed @hasPermission(permission: "org:sys_memberships:write")`, "", "is not in roles.yml"},
		"a system permission":                      {`"d" closed: Closed @hasPermission(permission: "org:sys_memberships:manage")`, "", ""},
		"unknown role":                             {`"d" closed: Closed @hasPermission(role: "org:admn")`, "", "Query.closed: org:admn is not in roles.yml; did you mean org:admin?"},
		"a role":                                   {`"d" closed: Closed @hasPermission(role: "org:guest")`, "", ""},
		"nothing but impersonation":                {"", `"d" type Some { "d" id: ID! @notImpersonated }`, "@notImpersonated lets everybody else pass"},
		"can what there is not":                    {"", `"d" type OpenViewerCan { "d" move: String @can(mutation: "moveOpen") }`, "which there is not"},
		"can nothing":                              {"", `"d" type OpenViewerCan { "d" move: String @can }`, "@can takes a mutation or a permission"},
		"organization argument":                    {`"d" closed("d" organizationId: ID): Closed`, "", "takes organizationId"},
		"organization in an input":                 {"", `"d" input Some { "d" organization: ID }`, "takes organization"},
		"no description":                           {`closed: Closed`, "", "Query.closed has no description"},
		"no description of an argument":            {`"d" closed(id: ID): Closed`, "", "Query.closed(id:) has no description"},
		"no description of an input's field":       {"", `"d" input Some { id: ID }`, "Some.id has no description"},
		"no description of a mutation's argument":  {"", `"d" type Mutation { "d" move(input: MoveInput!): MovePayload @inOrganization @notImpersonated } "d" input MoveInput { "d" id: ID } "d" type MovePayload { "d" id: ID }`, "Mutation.move(input:) has no description"},
		"no description of a directive's argument": {"", `"d" directive @some(of: ID) on OBJECT`, "@some(of:) has no description"},
		"mutation's argument":                      {"", `"d" type Mutation { "d" move("d" id: ID): MovePayload @inOrganization @notImpersonated } "d" type MovePayload { "d" id: ID }`, "its one argument is input: MoveInput!"},
		"a mutation for any member":                {"", mutation(`@inOrganization`), "Mutation.move: impersonators and agents could manage by it"},
		"a mutation by Clerk's right":              {"", mutation(`@hasPermission(permission: "org:sys_memberships:manage")`), "Mutation.move: impersonators and agents could manage by it"},
		"a mutation by a role":                     {"", mutation(`@hasPermission(role: "org:admin")`), "Mutation.move: impersonators and agents could manage by it"},
		"not for impersonators":                    {"", mutation(`@hasPermission(permission: "org:sys_memberships:manage") @notImpersonated`), ""},
		"a mutation by a right of ours":            {"", mutation(`@hasPermission(permission: "org:documents:update")`), ""},
		"mutation's payload":                       {"", `"d" type Mutation { "d" move("d" input: MoveInput!): Closed @inOrganization @notImpersonated } "d" input MoveInput { "d" id: ID }`, "it returns MovePayload"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schema, err := gqlparser.LoadSchema(&ast.Source{Input: fmt.Sprintf(frame, test.field, test.types)})
			if err != nil {
				t.Fatal(err)
			}
			// The frame's own OpenConnection leads to an open type, which only this walk may see.
			faults := slices.DeleteFunc(SchemaFaults(schema, catalogue), func(fault string) bool {
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
