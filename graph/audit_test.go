package graph_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
)

// The log tells who did what, to whoever may read it.
func TestAuditLog(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	support := viewer("user_ada", acme, "org:admin", everything...)
	support.Actor = &auth.Actor{Subject: "user_support", Type: "agent"}
	created := a.ask(ada, `mutation { createDocument(input: {title: "One", content: "first"}) { document { id } } }`, nil)
	id := created.At("createDocument", "document", "id")
	const update = `mutation($id: ID!, $v: Int!, $title: String) { updateDocument(input: {id: $id, expectedVersion: $v, title: $title}) { document { version } } }`
	a.ask(support, update, variables{"id": id, "v": 1, "title": "Two"})
	a.ask(ada, update, variables{"id": id, "v": 1, "title": "Three"})
	for who, denied := range map[*auth.Viewer]string{guest: "FORBIDDEN", nora: "NO_ACTIVE_ORGANIZATION", nobody: "UNAUTHENTICATED"} {
		if got := a.ask(who, update, variables{"id": id, "v": 2, "title": "Mine"}); got.Code() != denied {
			t.Errorf("%s", got.Body)
		}
	}
	if got := a.ask(ada, update, variables{"id": id, "v": 2, "title": ""}); got.Code() != "BAD_USER_INPUT" {
		t.Errorf("%s", got.Body)
	}
	a.ask(gus, update, variables{"id": id, "v": 2, "title": "Mine"})

	const log = `query($first: Int, $after: String, $action: String, $actor: ID, $target: ID, $since: DateTime, $until: DateTime) { organization {
		auditLog(first: $first, after: $after, action: $action, actor: $actor, targetId: $target, since: $since, until: $until) {
			nodes { action outcome actor { name } actorId impersonatorId impersonatorType targetType targetId changes { field before after } items { code } requestId }
			edges { node { id at } } pageInfo { hasNextPage endCursor } totalCount } } }`
	type entry = map[string]any
	of := func(action, outcome string, impersonator any, changes ...any) entry {
		var impersonatorType any
		if impersonator != nil {
			impersonatorType = "AGENT"
		}
		if changes == nil {
			changes = []any{}
		}
		return entry{
			"action": action, "outcome": outcome, "actor": entry{"name": "Name of ada"}, "actorId": "user_ada", "impersonatorId": impersonator, "impersonatorType": impersonatorType,
			"targetType": "Document", "targetId": id, "changes": changes, "items": []any{}, "requestId": "the-same-request-id",
		}
	}
	want := []any{
		of("document.update", "REFUSED", nil),
		of("document.update", "APPLIED", "user_support", entry{"field": "title", "before": "One", "after": "Two"}),
		of("document.create", "APPLIED", nil, entry{"field": "title", "before": nil, "after": "One"},
			entry{"field": "content", "before": nil, "after": models.Digest("first")}),
	}
	all := a.ask(ada, log, nil)
	if diff := cmp.Diff(want, all.At("organization", "auditLog", "nodes")); diff != "" || all.Code() != "" {
		t.Errorf("%s\n%s", all.Body, diff)
	}
	first := a.ask(ada, log, variables{"first": 2})
	second := a.ask(ada, log, variables{"first": 2, "after": first.At("organization", "auditLog", "pageInfo", "endCursor")})
	if first.At("organization", "auditLog", "pageInfo", "hasNextPage") != true || first.At("organization", "auditLog", "nodes", 2) != nil ||
		!cmp.Equal(second.At("organization", "auditLog", "nodes"), any(want[2:])) {
		t.Errorf("pages: %s, %s", first.Body, second.Body)
	}
	at := all.At("organization", "auditLog", "edges", 1, "node", "at")
	adaID, gusID := a.memberOf(acme, "user_ada"), a.memberOf(globex, "user_gus")
	for name, test := range map[string]struct {
		filter variables
		total  float64
	}{
		"actor's user": {variables{"actor": "user_ada"}, 3}, "actor's member": {variables{"actor": adaID}, 3},
		"another organization's member": {variables{"actor": gusID}, 0}, "no member": {variables{"actor": models.GlobalID(models.KindMember, uuid.New())}, 0},
		"action": {variables{"action": "document.update"}, 2}, "actor": {variables{"actor": "user_gus"}, 0}, "target": {variables{"target": id}, 3},
		"since": {variables{"since": at}, 2}, "until": {variables{"until": at}, 1}, "several": {variables{"action": "document.update", "until": at}, 0},
	} {
		got := a.ask(ada, log, test.filter)
		nodes, _ := got.At("organization", "auditLog", "nodes").([]any)
		if got.At("organization", "auditLog", "totalCount") != test.total || float64(len(nodes)) != test.total {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
	for actor, total := range map[string]float64{gusID: 1, adaID: 0, "user_ada": 0} {
		if got := a.ask(gus, log, variables{"actor": actor}); got.Code() != "" || got.At("organization", "auditLog", "totalCount") != total {
			t.Errorf("the other organization's, of %s: %s", actor, got.Body)
		}
	}
	other := a.ask(gus, log, nil)
	if other.At("organization", "auditLog", "totalCount") != 1.0 || other.At("organization", "auditLog", "nodes", 0, "outcome") != "REFUSED" ||
		other.At("organization", "auditLog", "nodes", 0, "actor", "name") != "Name of gus" {
		t.Errorf("the other organization's: %s", other.Body)
	}
	if foreign := a.ask(gus, log, variables{"after": first.At("organization", "auditLog", "pageInfo", "endCursor")}); foreign.Code() != "BAD_USER_INPUT" {
		t.Errorf("with Acme's cursor: %s", foreign.Body)
	}
}

// The actors of a page are read together, and one who was never a member is nobody.
func TestAuditLogStatements(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.manyAuthors(30)
	dbtest.Document(t, a.store.Org(acme), models.Document{AuthorID: "user_stranger"})
	const log = `query($first: Int) { organization { auditLog(first: $first) { nodes { actor { name } actorId } } } }`
	a.ask(ada, log, variables{"first": 1}) // makes connections
	counts := map[int]int{}
	for _, first := range []int{2, 31} {
		got := a.ask(ada, log, variables{"first": first})
		if got.At("organization", "auditLog", "nodes", 0, "actor") != nil || got.At("organization", "auditLog", "nodes", 0, "actorId") != "user_stranger" ||
			got.At("organization", "auditLog", "nodes", first-1, "actor", "name") != fmt.Sprint("Author ", 31-first) {
			t.Fatalf("%s", got.Body)
		}
		counts[first] = a.statements
	}
	if counts[2] != counts[31] {
		t.Errorf("statements by page size: %v", counts)
	}
}

// A mutation takes one statement more than without the log, a refused one, too.
func TestAuditStatements(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ask(ada, `{ organization { auditLog { totalCount } } }`, nil) // makes connections
	asked := func(query string, variables variables) int {
		for range 2 { // the first may have to bring a connection to the organization
			before := time.Now()
			got := a.ask(ada, query, variables)
			t.Logf("%d statements in %v: %s", a.statements, time.Since(before), got.Body)
		}
		return a.statements
	}
	document := a.document(acme, "One")
	id := document.GlobalID()
	scope := 0
	if a.scoped {
		scope = 1 // SET LOCAL, in each transaction
	}
	for name, test := range map[string]struct {
		query     string
		variables variables
		want      int
	}{
		"createDocument": {`mutation { createDocument(input: {title: "x", content: ""}) { document { version } } }`, nil, 4 + scope},
		"a stale updateDocument": {
			`mutation($id: ID!) { updateDocument(input: {id: $id, expectedVersion: 9, title: "x"}) { document { version } } }`,
			variables{"id": id},
			4 + 4*scope,
		},
		"deleteDocument of none": {
			`mutation($id: ID!) { deleteDocument(input: {id: $id}) { deletedDocumentId } }`,
			variables{"id": "document_00000000000000000000000000"},
			4 + 4*scope,
		},
	} {
		if got := asked(test.query, test.variables); got != test.want {
			t.Errorf("%s: %d statements, want %d", name, got, test.want)
		}
	}
}
