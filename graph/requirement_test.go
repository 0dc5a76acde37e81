package graph_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/auth"
)

func TestViewerMay(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const query = `query($p: Permission!) { viewer { can(permission: $p) permissions } }`
	for name, test := range map[string]struct {
		as         *auth.Viewer
		permission string
		want       bool
	}{
		"held":                    {ada, "org:documents:delete", true},
		"held, without org:":      {ada, "documents:delete", true},
		"a system permission":     {ada, "org:sys_memberships:read", true},
		"not held":                {guest, "org:documents:read", false},
		"not held in this one":    {gus, "org:reports:export", false},
		"without an organization": {nora, "org:documents:read", false},
	} {
		if got := a.ask(test.as, query, variables{"p": test.permission}); got.At("viewer", "can") != test.want {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
	for _, malformed := range []string{"", "documents", "org:documents", "org:Documents:read", "org:a:b:c"} {
		if got := a.ask(ada, query, variables{"p": malformed}); got.Code() != "BAD_USER_INPUT" {
			t.Errorf("%q: %s", malformed, got.Body)
		}
	}
	if got := a.ask(nobody, query, variables{"p": "org:documents:read"}); got.Code() != "UNAUTHENTICATED" {
		t.Errorf("nobody: %s", got.Body)
	}
}

// What may be done is answered beforehand, by the same directives that are asked when it is done.
func TestViewerCan(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	document := a.document(acme, "canary")
	query := `query($id: ID!) { node(id: $id) { id ... on Document {
		viewerCan { update { allowed reason } delete { allowed reason } } author { viewerCan { remove { allowed reason } updateRole { allowed } } } } } }`
	may := map[string]any{"allowed": true, "reason": nil}
	no := func(reason string) map[string]any { return map[string]any{"allowed": false, "reason": reason} }
	reader := viewer("user_reader", acme, "org:reader", "org:documents:read", "org:documents:update")
	support, agent := impersonated(ada), impersonated(ada)
	agent.Actor.Type = "agent"
	for name, test := range map[string]struct {
		as                     *auth.Viewer
		update, remove, member map[string]any
	}{
		"admin":                {ada, may, may, may},
		"reader":               {reader, may, no("PERMISSION"), no("PERMISSION")},
		"impersonator":         {support, may, no("IMPERSONATION"), no("IMPERSONATION")},
		"agent":                {agent, may, no("IMPERSONATION"), no("IMPERSONATION")},
		"impersonating reader": {impersonated(reader), may, no("IMPERSONATION"), no("IMPERSONATION")},
	} {
		got := a.ask(test.as, query, variables{"id": document.GlobalID()})
		for what, pair := range map[string][2]any{
			"update": {got.At("node", "viewerCan", "update"), test.update},
			"delete": {got.At("node", "viewerCan", "delete"), test.remove},
			"remove": {got.At("node", "author", "viewerCan", "remove"), test.member},
		} {
			if diff := cmp.Diff(pair[1], pair[0]); diff != "" {
				t.Errorf("%s, %s (-want +got)\n%s", name, what, diff)
			}
		}
		did := a.ask(test.as, `mutation($id: ID!) { deleteDocument(input: {id: $id}) { deletedDocumentId } }`,
			variables{"id": a.document(acme, "another").GlobalID()})
		if allowed := test.remove["allowed"].(bool); allowed != (did.Code() == "") {
			t.Errorf("%s: said %v, and then %s", name, allowed, did.Body)
		}
		if len(did.Errors) > 0 && (test.remove["reason"] == "IMPERSONATION") != (did.Errors[0].Extensions["reason"] == "IMPERSONATION") {
			t.Errorf("%s: said %v, and then %s", name, test.remove["reason"], did.Body)
		}
	}
	if got := a.ask(gus, query, variables{"id": document.GlobalID()}); got.At("node") != nil || leaks(got) {
		t.Errorf("from another organization: %s", got.Body)
	}
}

// impersonated is somebody in whose name another one acts.
func impersonated(v *auth.Viewer) *auth.Viewer {
	acting := *v
	acting.Actor = &auth.Actor{Subject: "user_support"}
	return &acting
}

func TestImpersonation(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	support := impersonated(ada)
	got := a.ask(support, `mutation { createDocument(input: {title: "x", content: ""}) { document { id impersonatorId author { name } } } }`, nil)
	if got.At("createDocument", "document", "impersonatorId") != "user_support" || got.At("createDocument", "document", "author", "name") != "Name of ada" {
		t.Errorf("who really wrote it: %s", got.Body)
	}
	id := got.At("createDocument", "document", "id")
	got = a.ask(support, `mutation($id: ID!) { deleteDocument(input: {id: $id}) { deletedDocumentId } }`, variables{"id": id})
	if got.Code() != "FORBIDDEN" || got.Errors[0].Extensions["reason"] != "IMPERSONATION" {
		t.Errorf("deleting in another's name: %s", got.Body)
	}
	for word, want := range map[string]string{"": "PERSON", "agent": "AGENT", "Agent": "OTHER", "service": "OTHER"} {
		support.Actor.Type = word
		got = a.ask(support, `{ viewer { user { id } impersonator { id name } impersonatorType } }`, nil)
		if got.At("viewer", "impersonator", "id") != "user_support" || got.At("viewer", "user", "id") != "user_ada" || got.At("viewer", "impersonatorType") != want {
			t.Errorf("the viewer: %s, want %s", got.Body, want)
		}
	}
	got = a.ask(ada, `query($id: ID!) { viewer { impersonator { id } impersonatorType } document(id: $id) { impersonatorId } }`, variables{"id": id})
	if got.At("viewer", "impersonator") != nil || got.At("viewer", "impersonatorType") != nil || got.At("document", "impersonatorId") != "user_support" {
		t.Errorf("as herself: %s", got.Body)
	}
	if got := a.ask(gus, `query($id: ID!) { document(id: $id) { impersonatorId } }`, variables{"id": id}); got.At("document") != nil {
		t.Errorf("from another organization: %s", got.Body)
	}
}

// What a guarded field requires is said by its description, for every client that reads the schema.
func TestDescriptionsSayWhatIsRequired(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := a.ask(nobody, `{ mutation: __type(name: "Mutation") { fields { name description } } organization: __type(name: "Organization") { fields { name description } } query: __type(name: "Query") { fields { name description } } document: __type(name: "Document") { fields { name description } } }`, nil)
	var answer struct {
		Data map[string]struct {
			Fields []struct{ Name, Description string }
		}
	}
	if err := json.Unmarshal([]byte(got.Body), &answer); err != nil {
		t.Fatal(err)
	}
	descriptions := map[string]string{}
	for where, kind := range answer.Data {
		for _, field := range kind.Fields {
			descriptions[where+"."+field.Name] = field.Description
		}
	}
	for field, want := range map[string]string{
		"mutation.deleteDocument": "Deletes a document of the active organization, for good. Requires the permission org:documents:delete, that no impersonator or agent acts in the user's name.",
		"organization.members":    "Its present members, in the order of joining. Requires the permission org:sys_memberships:read.",
		"query.viewer":            "Who is asking, and what they may do. Null without a session; then there is an error with the code UNAUTHENTICATED. Requires a session.",
		"query.organization":      "The active organization. Requires an active organization.",
		"document.author":         "Who wrote it, also after they left. Null if the membership is not known yet, and where no user wrote it. Requires an active organization.",
		"document.title":          "1 to 200 characters.",
	} {
		if descriptions[field] != want {
			t.Errorf("%s is described as\n  %s\nwant\n  %s", field, descriptions[field], want)
		}
	}
}
