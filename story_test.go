package main

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/gqltest"
)

// The main job from end to end: sign in, ask, be refused, be removed.
func TestStory(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	ada, max, gus := p.token("ada", "acme"), p.token("max", "acme"), p.token("gus", "globex")

	created := p.ask(ada, `mutation { createDocument(input: {title: "Plan", content: "Of Acme"}) {
		document { id title version author { name role } } documentEdge { cursor node { title } } } }`, nil)
	id, _ := created.At("createDocument", "document", "id").(string)
	if id == "" || created.At("createDocument", "document", "author", "name") != "Ada Lovelace" {
		t.Fatalf("Ada creates a document: %s", created)
	}

	read := p.ask(max, `query($id: ID!) { document(id: $id) { title content author { name } } }`, variables{"id": id})
	if read.At("document", "title") != "Plan" || read.At("document", "content") != "Of Acme" || len(read.Errors) > 0 {
		t.Errorf("Max reads it: %s", read)
	}
	forbidden := p.ask(max, `mutation($id: ID!) {
		updateDocument(input: {id: $id, expectedVersion: 1, title: "Max's plan"}) { document { title version } }
		deleteDocument(input: {id: $id}) { deletedDocumentId } }`, variables{"id": id})
	if forbidden.Code() != "FORBIDDEN" || len(forbidden.Errors) != 1 ||
		!reflect.DeepEqual(forbidden.Errors[0].Path, []any{"deleteDocument"}) ||
		forbidden.Errors[0].Extensions["permission"] != "org:documents:delete" ||
		forbidden.At("deleteDocument") != nil || forbidden.At("updateDocument", "document", "title") != "Max's plan" {
		t.Errorf("Max may update and not delete: %s", forbidden)
	}

	t.Run("another organization's document is one that never existed", func(t *testing.T) {
		absent := "document_" + strings.Repeat("0", 26)
		for _, query := range []string{
			`query($id: ID!) { document(id: $id) { id title content author { name } } }`,
			`query($id: ID!) { node(id: $id) { id ... on Document { title } } }`,
			`query($id: ID!) { nodes(ids: [$id]) { id ... on Document { title } } }`,
			`mutation($id: ID!) { updateDocument(input: {id: $id, expectedVersion: 2, title: "mine"}) { document { id } } }`,
			`mutation($id: ID!) { deleteDocument(input: {id: $id}) { deletedDocumentId } }`,
		} {
			foreign, never := p.ask(gus, query, variables{"id": id}), p.ask(gus, query, variables{"id": absent})
			if foreign.String() != never.String() {
				t.Errorf("%s\nforeign %s\nabsent  %s", query, foreign, never)
			}
			if strings.Contains(foreign.Body, "Max's plan") {
				t.Errorf("%s leaks: %s", query, foreign)
			}
		}
		if still := p.ask(ada, `query($id: ID!) { document(id: $id) { title version } }`, variables{"id": id}); still.At("document", "version") != 2.0 {
			t.Errorf("the document afterwards: %s", still)
		}
	})

	t.Run("Nora has no organization", func(t *testing.T) {
		nora := p.ask(p.token("nora", ""), `{ viewer { user { name } organization { id } permissions } organization { id } }`, nil)
		if nora.Code() != "NO_ACTIVE_ORGANIZATION" || nora.At("viewer", "user", "name") != "Nora Noether" || nora.At("organization") != nil {
			t.Errorf("Nora asks: %s", nora)
		}
	})

	t.Run("without org:documents:read nothing of a document", func(t *testing.T) {
		p.control(http.MethodPatch, "memberships", variables{"organization": "acme", "user": "max", "role": "org:guest"})
		defer p.control(http.MethodPatch, "memberships", variables{"organization": "acme", "user": "max", "role": "org:member"})
		guest := p.token("max", "acme")
		for _, query := range []string{
			`query($id: ID!) { document(id: $id) { title } }`,
			`query($id: ID!) { node(id: $id) { id ... on Document { title } } }`,
			`query($id: ID!) { nodes(ids: [$id]) { id ... on Document { title } } }`,
			`query($id: ID!) { organization { documents { nodes { title } edges { node { title } } totalCount } } n: node(id: $id) { id } }`,
			`mutation($id: ID!) { updateDocument(input: {id: $id, expectedVersion: 2, title: "x"}) { document { title } } }`,
			`mutation($id: ID!) { createDocument(input: {title: "x", content: "y"}) { document { title } documentEdge { node { title } } }
				deleteDocument(input: {id: $id}) { deletedDocumentId } }`,
		} {
			got := p.ask(guest, query, variables{"id": id})
			if got.Code() != "FORBIDDEN" || strings.Contains(got.Body, "plan") || strings.Contains(got.Body, `"title"`) || strings.Contains(got.Body, id) {
				t.Errorf("%s: %s", query, got)
			}
		}
	})

	t.Run("removed, and back", func(t *testing.T) {
		const query = `{ organization { name } viewer { permissions } }`
		kept := p.token("max", "acme")
		if before := p.ask(kept, query, nil); before.At("organization", "name") != "Acme" {
			t.Fatalf("before: %s", before)
		}
		p.control(http.MethodDelete, "memberships", variables{"organization": "acme", "user": "max"})
		refused := p.ask(kept, query, nil)
		for deadline := time.Now().Add(time.Second); refused.Code() == "" && time.Now().Before(deadline); {
			refused = p.ask(kept, query, nil)
		}
		if refused.Code() != "NO_ACTIVE_ORGANIZATION" || refused.Errors[0].Extensions["reason"] != "MEMBERSHIP_ENDED" || refused.At("organization") != nil {
			t.Errorf("removed, with the same token: %s", refused)
		}
		p.control(http.MethodPost, "memberships", variables{"organization": "acme", "user": "max", "role": "org:member"})
		if back := p.ask(p.token("max", "acme"), query, nil); back.At("organization", "name") != "Acme" {
			t.Errorf("joined again: %s", back)
		}
		if other := p.ask(gus, query, nil); other.At("organization", "name") != "Globex" {
			t.Errorf("Globex meanwhile: %s", other)
		}
	})
}

// What a frontend does with a list: page after page to the end and back.
func TestPages(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	ada := p.token("ada", "acme")
	const query = `query($first: Int, $after: String, $last: Int, $before: String) { organization { documents(first: $first, after: $after, last: $last, before: $before) {
		totalCount nodes { title author { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`
	titles := func(a gqltest.Answer) (all []string) {
		nodes, _ := a.At("organization", "documents", "nodes").([]any)
		for _, node := range nodes {
			all = append(all, node.(map[string]any)["title"].(string))
		}
		return all
	}
	info := func(a gqltest.Answer, name string) any { return a.At("organization", "documents", "pageInfo", name) }

	var forwards []string
	var page gqltest.Answer
	for after := any(nil); ; after = info(page, "endCursor") {
		page = p.ask(ada, query, variables{"first": 7, "after": after})
		forwards = append(forwards, titles(page)...)
		if info(page, "hasPreviousPage") != (after != nil) {
			t.Errorf("hasPreviousPage after %v: %s", after, page)
		}
		if info(page, "hasNextPage") != true {
			break
		}
	}
	if len(forwards) != 31 || forwards[0] != "Acme field notes 30" || forwards[29] != "Acme field notes 1" || forwards[30] != "Welcome to Acme" {
		t.Fatalf("forwards: %q", forwards)
	}
	var backwards []string
	for before := any(nil); ; before = info(page, "startCursor") {
		page = p.ask(ada, query, variables{"last": 7, "before": before})
		backwards = append(titles(page), backwards...)
		if info(page, "hasPreviousPage") != true {
			break
		}
	}
	if !reflect.DeepEqual(forwards, backwards) {
		t.Errorf("backwards %q", backwards)
	}
	if first := p.ask(ada, query, nil); len(titles(first)) != 25 || first.At("organization", "documents", "totalCount") != 31.0 {
		t.Errorf("the first page: %s", first)
	}
	if other := p.ask(p.token("ada", "globex"), query, variables{"first": 100}); len(titles(other)) != 4 || strings.Contains(other.Body, "Acme") {
		t.Errorf("in the other organization: %s", other)
	}
}
