package graph_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/gqltest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// operations are all ways into the schema, each asking for an object of Acme. The shared suite below asks each of them as
// everybody who must not get it.
func operations(a *api) map[string]struct {
	query      string
	variables  variables
	permission string
} {
	document := a.document(acme, "canary")
	members, err := a.store.Org(acme).Members(a.t.Context(), store.MemberFilter{}, models.Page{Limit: 1})
	if err != nil || len(members.Items) == 0 {
		a.t.Fatal("Acme has no member", err)
	}
	member := members.Items[0]
	id := document.GlobalID()
	type operation = struct {
		query      string
		variables  variables
		permission string
	}
	return map[string]operation{
		"organization":                   {`{ organization { id name slug imageUrl } }`, nil, ""},
		"organization.members":           {`{ organization { members { nodes { id name email role joinedAt leftAt } edges { cursor node { id } } totalCount } } }`, nil, "org:sys_memberships:read"},
		"organization.documents":         {`{ organization { documents { nodes { id title content } edges { cursor node { id title } } totalCount } } }`, nil, "org:documents:read"},
		"organization.auditLog":          {`{ organization { auditLog { nodes { id action targetId actor { name } changes { field before after } } edges { cursor node { id } } totalCount } } }`, nil, "org:audit_log:read"},
		"viewer.organization.documents":  {`{ viewer { organization { documents { nodes { id title content } } } } }`, nil, "org:documents:read"},
		"document":                       {`query($id: ID!) { document(id: $id) { id title content author { name } } }`, variables{"id": id}, "org:documents:read"},
		"node of a document":             {`query($id: ID!) { node(id: $id) { id ... on Document { title content } } }`, variables{"id": id}, "org:documents:read"},
		"node of a member":               {`query($id: ID!) { node(id: $id) { id ... on Member { name } } }`, variables{"id": member.GlobalID()}, ""},
		"node of the organization":       {`query($id: ID!) { node(id: $id) { id ... on Organization { name } } }`, variables{"id": acme}, ""},
		"nodes":                          {`query($id: ID!) { nodes(ids: [$id]) { id ... on Document { title content } } }`, variables{"id": id}, "org:documents:read"},
		"createDocument":                 {`mutation { createDocument(input: {title: "canary", content: ""}) { document { id title } documentEdge { node { title } } } }`, nil, "org:documents:create"},
		"updateDocument":                 {`mutation($id: ID!) { updateDocument(input: {id: $id, expectedVersion: 1, content: "x"}) { document { title } } }`, variables{"id": id}, "org:documents:update"},
		"updateOrganization":             {`mutation { updateOrganization(input: {name: "canary"}) { organization { id name } } }`, nil, "org:sys_profile:manage"},
		"deleteOrganization":             {`mutation { deleteOrganization(input: {}) { deletedOrganizationId } }`, nil, "org:sys_profile:delete"},
		"leaveOrganization":              {`mutation { leaveOrganization(input: {}) { leftOrganizationId } }`, nil, ""},
		"inviteMembers":                  {`mutation { inviteMembers(input: {invitations: [{email: "canary@example.com", role: "org:member"}]}) { results { email invitation { id email } code } } }`, nil, "org:sys_memberships:manage"},
		"revokeInvitation":               {`mutation { revokeInvitation(input: {id: "orginv_acme"}) { invitation { id email } } }`, nil, "org:sys_memberships:manage"},
		"addMember":                      {`mutation { addMember(input: {userId: "user_guest", role: "org:member"}) { member { id name } } }`, nil, "org:sys_memberships:manage"},
		"updateMemberRole":               {`mutation($id: ID!) { updateMemberRole(input: {memberId: $id, role: "org:admin"}) { member { id name } } }`, variables{"id": member.GlobalID()}, "org:sys_memberships:manage"},
		"removeMember":                   {`mutation($id: ID!) { removeMember(input: {memberId: $id}) { removedMemberId } }`, variables{"id": member.GlobalID()}, "org:sys_memberships:manage"},
		"deleteDocument":                 {`mutation($id: ID!) { deleteDocument(input: {id: $id}) { deletedDocumentId } }`, variables{"id": id}, "org:documents:delete"},
		"organization.members, searched": {`{ organization { members(search: "name of", includeFormer: true) { nodes { id name email } edges { node { name } } totalCount } } }`, nil, "org:sys_memberships:read"},
		"organization.members, by name":  {`{ organization { members(orderBy: NAME_DESC, role: "org:guest") { nodes { name } } } }`, nil, "org:sys_memberships:read"},
		"organization.invitations":       {`{ organization { invitations { nodes { id email role status createdAt expiresAt } edges { cursor node { email } } totalCount } } }`, nil, "org:sys_memberships:manage"},
		"node of an invitation":          {`{ node(id: "orginv_canary") { id ... on Invitation { email } } }`, nil, "org:sys_memberships:manage"},
	}
}

// Every way in, for everybody who must not: no token, no active organization, a missing permission, another organization.
func TestEveryWayInIsGuarded(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for name, operation := range operations(a) {
		t.Run(name, func(t *testing.T) {
			a := &api{t: t, store: a.store, ownerURL: a.ownerURL, handler: a.handler, manager: a.manager}
			got := a.ask(nobody, operation.query, operation.variables)
			if got.Code() != "UNAUTHENTICATED" || leaks(got) {
				t.Errorf("without a token: %s", got.Body)
			}
			got = a.ask(nora, operation.query, operation.variables)
			if operation.query[:8] == "{ viewer" {
				if got.At("viewer", "organization") != nil || got.Code() != "" {
					t.Errorf("without an organization: %s", got.Body)
				}
			} else if got.Code() != "NO_ACTIVE_ORGANIZATION" || leaks(got) {
				t.Errorf("without an organization: %s", got.Body)
			}
			if operation.permission != "" {
				got = a.ask(guest, operation.query, operation.variables)
				if got.Code() != "FORBIDDEN" || got.Errors[0].Extensions["permission"] != operation.permission || leaks(got) {
					t.Errorf("without %s: %s", operation.permission, got.Body)
				}
			}
			if name == "createDocument" || name == "inviteMembers" {
				return // in Globex it makes one of Globex's
			}
			if got = a.ask(gus, operation.query, operation.variables); leaks(got) {
				t.Errorf("from another organization: %s", got.Body)
			}
			for _, call := range a.manager.calls {
				if strings.Contains(call, acme) {
					t.Errorf("%s reached Clerk for whoever must not: %s", name, call)
				}
			}
		})
	}
	untouched, err := a.store.Org(acme).Documents(t.Context(), models.Page{Limit: 10})
	if err != nil || len(untouched.Items) != 1 || untouched.Items[0].Version != 1 {
		t.Errorf("Acme's documents afterwards: %v %v", untouched.Items, err)
	}
	member := `"member_`
	for name := range operations(a) {
		operation := operations(a)[name] // with a document of its own, as one of them deletes
		if got := a.ask(ada, operation.query, operation.variables); got.Code() != "" || !leaks(got) && !strings.Contains(got.Body, member) && name != "deleteDocument" && name != "organization.members" {
			t.Errorf("%s as Ada, who may: %s", name, got.Body)
		}
	}
}

// leaks says whether an answer has anything of Acme's.
func leaks(a gqltest.Answer) bool {
	return strings.Contains(a.Body, "canary") || strings.Contains(a.Body, acme) ||
		strings.Contains(a.Body, `"acme"`) || strings.Contains(a.Body, "Name of ada") || strings.Contains(a.Body, "Name of guest")
}

// A payload is no way around a type's guard.
func TestPayloadIsGuarded(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	writer := viewer("user_writer", acme, "org:writer", "org:documents:create", "org:documents:update")
	got := a.ask(writer, `mutation { createDocument(input: {title: "canary", content: ""}) { document { title } documentEdge { cursor node { title } } } }`, nil)
	if strings.Contains(got.Body, "canary") || len(got.Errors) != 2 || got.At("createDocument", "documentEdge", "cursor") == nil {
		t.Errorf("the payload: %s", got.Body)
	}
	for _, e := range got.Errors {
		if e.Extensions["code"] != "FORBIDDEN" || e.Extensions["permission"] != "org:documents:read" {
			t.Errorf("%v", e)
		}
	}
	if created, err := a.store.Org(acme).CountDocuments(t.Context()); err != nil || created != 1 {
		t.Errorf("%d documents, %v", created, err)
	}
}

// A denied field is null; its siblings are answered, and the error has the path.
func TestSiblingsSurviveADenial(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	document := a.document(acme, "canary")
	members, err := a.store.Org(acme).Members(t.Context(), store.MemberFilter{}, models.Page{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	member := members.Items[0].GlobalID()
	got := a.ask(guest, `query($d: ID!, $m: ID!) { organization { name documents { nodes { id } } members { totalCount } slug }
		nodes(ids: [$m, $d, "nothing"]) { id } one: node(id: $d) { id } }`, variables{"d": document.GlobalID(), "m": member})
	var paths [][]any
	for _, e := range got.Errors {
		paths = append(paths, e.Path)
	}
	if got.At("organization", "name") != "acme" || got.At("organization", "slug") != nil ||
		got.At("organization", "documents") != nil || got.At("nodes", 0, "id") != member || got.At("nodes", 1) != nil {
		t.Errorf("%s", got.Body)
	}
	for _, want := range [][]any{{"organization", "documents"}, {"organization", "members"}, {"nodes", 1.0}, {"one"}} {
		if !containsPath(paths, want) {
			t.Errorf("no error at %v: %s", want, got.Body)
		}
	}
	if len(paths) != 4 {
		t.Errorf("%d errors: %s", len(paths), got.Body)
	}
}

func containsPath(paths [][]any, want []any) bool {
	for _, path := range paths {
		if reflect.DeepEqual(path, want) {
			return true
		}
	}
	return false
}
