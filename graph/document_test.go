package graph_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

const pageWithAuthors = `query($first: Int) { organization { documents(first: $first) {
	nodes { id title author { id name role } } edges { cursor node { id author { name } } } pageInfo { hasNextPage endCursor } } } }`

// manyAuthors gives Acme documents, each by another author, and Globex some of the same people.
func (a *api) manyAuthors(documents int) {
	a.t.Helper()
	for i := range documents {
		author := fmt.Sprintf("user_author%d", i)
		name := fmt.Sprintf("Author %d", i)
		dbtest.Member(a.t, a.ownerURL, models.Member{OrganizationID: acme, UserID: author, Name: &name})
		elsewhere := "Elsewhere"
		dbtest.Member(a.t, a.ownerURL, models.Member{OrganizationID: globex, UserID: author, Name: &elsewhere})
		dbtest.Document(a.t, a.store.Org(acme), models.Document{Title: fmt.Sprint("By ", i), AuthorID: author})
	}
}

// The number of statements of a page does not grow with it.
func TestStatementsDoNotGrowWithThePage(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.manyAuthors(60)
	a.ask(ada, pageWithAuthors, variables{"first": 1}) // makes connections
	counts := map[int]int{}
	for _, first := range []int{1, 2, 25, 60} {
		got := a.ask(ada, pageWithAuthors, variables{"first": first})
		if got.Code() != "" || got.At("organization", "documents", "nodes", first-1, "author", "name") != fmt.Sprint("Author ", 60-first) ||
			got.At("organization", "documents", "edges", 0, "node", "author", "name") != "Author 59" {
			t.Fatalf("a page of %d: %s", first, got.Body)
		}
		counts[first] = a.statements
	}
	if counts[1] != counts[60] || counts[2] != counts[25] || counts[1] != counts[25] {
		t.Errorf("statements by page size: %v", counts)
	}
	t.Logf("statements by page size: %v", counts)
}

func TestDocumentMutations(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	created := a.ask(ada, `mutation { createDocument(input: {title: "One", content: "first"}) {
		document { id title content version author { name } createdAt updatedAt } documentEdge { cursor node { id } } } }`, nil)
	id := created.At("createDocument", "document", "id")
	if created.Code() != "" || created.At("createDocument", "document", "author", "name") != "Name of ada" || created.At("createDocument", "documentEdge", "node", "id") != id {
		t.Fatalf("created: %s", created.Body)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000000Z", created.At("createDocument", "document", "createdAt").(string)); err != nil {
		t.Error(err)
	}
	// The edge's cursor is one of the list.
	before := a.document(acme, "Newer")
	after := a.ask(ada, `query($after: String) { organization { documents(after: $after) { nodes { id } } } n: organization { documents(last: 1, before: $after) { nodes { id } } } }`,
		variables{"after": created.At("createDocument", "documentEdge", "cursor")})
	if after.At("organization", "documents", "nodes", 0) != nil || after.At("n", "documents", "nodes", 0, "id") != before.GlobalID() {
		t.Errorf("around the cursor: %s", after.Body)
	}

	const update = `mutation($id: ID!, $v: Int!, $title: String, $content: String) {
		updateDocument(input: {id: $id, expectedVersion: $v, title: $title, content: $content}) { document { title content version } } }`
	updated := a.ask(ada, update, variables{"id": id, "v": 1, "title": "Two"})
	if updated.At("updateDocument", "document", "title") != "Two" || updated.At("updateDocument", "document", "content") != "first" || updated.At("updateDocument", "document", "version") != 2.0 {
		t.Errorf("updated: %s", updated.Body)
	}
	stale := a.ask(ada, update, variables{"id": id, "v": 1, "title": "Three"})
	if stale.Code() != "CONFLICT" || stale.Errors[0].Extensions["currentVersion"] != 2.0 {
		t.Errorf("stale: %s", stale.Body)
	}
	foreign := a.ask(gus, update, variables{"id": id, "v": 2, "title": "Mine"})
	if foreign.Code() != "NOT_FOUND" {
		t.Errorf("from another organization: %s", foreign.Body)
	}

	const remove = `mutation($id: ID!) { deleteDocument(input: {id: $id}) { deletedDocumentId } }`
	if got := a.ask(gus, remove, variables{"id": id}); got.Code() != "NOT_FOUND" {
		t.Errorf("deleted from another organization: %s", got.Body)
	}
	if got := a.ask(ada, remove, variables{"id": id}); got.At("deleteDocument", "deletedDocumentId") != id {
		t.Errorf("deleted: %s", got.Body)
	}
	if got := a.ask(ada, remove, variables{"id": id}); got.Code() != "NOT_FOUND" {
		t.Errorf("deleted again: %s", got.Body)
	}
	if got := a.ask(ada, `query($id: ID!) { document(id: $id) { id } node(id: $id) { id } }`, variables{"id": id}); got.Code() != "" || got.At("document") != nil || got.At("node") != nil {
		t.Errorf("read afterwards: %s", got.Body)
	}
}

// A document's author is named after leaving, and is nobody where the membership is not known.
func TestAuthorAfterLeaving(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	left, name := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), "Left Behind"
	dbtest.Member(t, a.ownerURL, models.Member{OrganizationID: acme, UserID: "user_left", Name: &name, LeftAt: &left})
	byLeft := dbtest.Document(t, a.store.Org(acme), models.Document{AuthorID: "user_left"})
	byNobody := dbtest.Document(t, a.store.Org(acme), models.Document{AuthorID: "user_gus"}) // a member elsewhere
	got := a.ask(ada, `query($a: ID!, $b: ID!) { a: document(id: $a) { author { name leftAt } } b: document(id: $b) { title author { name } } organization { members { nodes { name } totalCount } } }`,
		variables{"a": byLeft.GlobalID(), "b": byNobody.GlobalID()})
	if got.At("a", "author", "name") != "Left Behind" || got.At("a", "author", "leftAt") != "2026-05-01T00:00:00.000000Z" ||
		got.At("b", "title") == nil || got.At("b", "author") != nil || got.At("organization", "members", "totalCount") != 2.0 {
		t.Errorf("%s", got.Body)
	}
}

// A document that no user wrote has no author, and nobody is looked for.
func TestDocumentOfNobody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	title := "Welcome"
	if _, err := a.store.Org(acme).CreateDocument(t.Context(), models.Actor{}, store.DocumentInput{Title: &title}); err != nil {
		t.Fatal(err)
	}
	const query = `{ organization { documents { nodes { title%s } } } }`
	a.ask(ada, fmt.Sprintf(query, ""), nil)
	bare := a.statements
	got := a.ask(ada, fmt.Sprintf(query, " author { name }"), nil)
	if got.Code() != "" || got.At("organization", "documents", "nodes", 0, "title") != title || got.At("organization", "documents", "nodes", 0, "author") != nil {
		t.Errorf("%s", got.Body)
	}
	if a.statements != bare {
		t.Errorf("%d statements with the author, %d without", a.statements, bare)
	}
	if other := a.ask(gus, fmt.Sprintf(query, ""), nil); other.At("organization", "documents", "nodes", 0) != nil {
		t.Errorf("another organization: %s", other.Body)
	}
}

// An organization that the copy of Clerk has not seen yet is known by its token.
func TestOrganizationBeforeItsWebhook(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	early := viewer("user_early", "org_early", "org:admin", everything...)
	got := a.ask(early, `{ viewer { user { id name } organization { id name slug } membership { role } permissions }
		organization { name documents { nodes { id } totalCount } members { totalCount } } node(id: "org_early") { id } other: node(id: "org_acme") { id } }`, nil)
	if got.Code() != "" || got.At("viewer", "organization", "name") != "early" || got.At("organization", "documents", "totalCount") != 0.0 ||
		got.At("node", "id") != "org_early" || got.At("other") != nil || got.At("viewer", "user", "name") != nil {
		t.Errorf("%s", got.Body)
	}
}

func BenchmarkPageOf25DocumentsWithAuthors(b *testing.B) {
	a := newAPI(b)
	a.manyAuthors(30)
	a.benchmark(b, pageWithAuthors, variables{"first": 25})
}

func BenchmarkOneDocument(b *testing.B) {
	a := newAPI(b)
	document := a.document(acme, "One")
	a.benchmark(b, `query($id: ID!) { document(id: $id) { id title content version } }`, variables{"id": document.GlobalID()})
}

// A member of whom only a token told so far can be pointed to, without a name, and is in no list.
func TestProvisionalMember(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	fresh := viewer("user_fresh", acme, "org:member", everything...)
	const list = `{ organization { members { nodes { id } totalCount } } }`
	before := a.ask(fresh, list, nil)
	member := dbtest.Member(t, a.ownerURL, models.Member{OrganizationID: acme, UserID: "user_fresh", Role: "org:member", Provisional: true})
	created := a.ask(fresh, `mutation { createDocument(input: {title: "First", content: ""}) { document { author { id name email role leftAt } } } }`, nil)
	author, _ := created.At("createDocument", "document", "author").(map[string]any)
	if author == nil || author["id"] != member.GlobalID() || author["name"] != nil || author["email"] != nil || author["role"] != "org:member" || author["leftAt"] != nil {
		t.Errorf("the author: %s", created.Body)
	}
	node := a.ask(ada, `query($id: ID!) { node(id: $id) { id ... on Member { name role } } }`, variables{"id": member.GlobalID()})
	if node.Code() != "" || node.At("node", "role") != "org:member" || node.At("node", "name") != nil {
		t.Errorf("by id: %s", node.Body)
	}
	if other := a.ask(gus, `query($id: ID!) { node(id: $id) { id } }`, variables{"id": member.GlobalID()}); other.At("node") != nil {
		t.Errorf("of another organization: %s", other.Body)
	}
	if after := a.ask(fresh, list, nil); after.Code() != "" || after.Body != before.Body {
		t.Errorf("the list was %s and is %s", before.Body, after.Body)
	}
	if own := a.ask(fresh, `{ viewer { membership { role } } }`, nil); own.At("viewer", "membership", "role") != "org:member" {
		t.Errorf("viewer.membership: %s", own.Body)
	}
	// The row itself grants nothing: what the viewer may do is the viewer's.
	if denied := a.ask(viewer("user_fresh", acme, "org:member"), `mutation { createDocument(input: {title: "x", content: ""}) { document { id } } }`, nil); denied.Code() != "FORBIDDEN" {
		t.Errorf("without a permission: %s", denied.Body)
	}
}
