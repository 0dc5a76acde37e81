package graph_test

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/gqltest"
	"github.com/tenantry/tenantry/store"
)

const (
	hundredNodes = `query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Document { title } } }`
	hundredEdges = `{ organization { documents(first: 100) { edges { cursor node { title } } nodes { title } } } }`
)

// hundred are the ids of 100 documents of Acme.
func (a *api) hundred() variables {
	a.t.Helper()
	ids := make([]string, 100)
	for i := range ids {
		ids[i] = a.document(acme, fmt.Sprint("canary ", i)).GlobalID()
	}
	return variables{"ids": ids}
}

// Of 100 documents that the viewer may not read each has an error at its path. In nodes that is decided once; for the node
// of an edge each is asked, because to remember it would cost as much (BenchmarkDecision).
func TestHundredDenied(t *testing.T) {
	t.Parallel()
	var checks, directives atomic.Int64
	a := newAPIWith(t, graph.NewSchemaThatCounts(&checks, &directives))
	ids := a.hundred()

	got := a.ask(guest, hundredNodes, ids)
	wantDenials(t, got, func(i int) []any { return []any{"nodes", float64(i)} })
	if list, ok := got.At("nodes").([]any); !ok || len(list) != 100 || checks.Load() != 1 {
		t.Errorf("%d of 100, decided %d times: %.300s", len(list), checks.Load(), got.Body)
	}

	got = a.ask(guest, hundredEdges, nil)
	if len(got.Errors) != 101 || got.At("organization", "documents", "nodes") != nil || got.At("organization", "documents", "edges", 99, "cursor") == nil {
		t.Fatalf("%d errors: %.300s", len(got.Errors), got.Body)
	}
	ofEdges := got
	ofEdges.Errors = nil
	for _, e := range got.Errors {
		if !reflect.DeepEqual(e.Path, []any{"organization", "documents", "nodes"}) {
			ofEdges.Errors = append(ofEdges.Errors, e)
		}
	}
	wantDenials(t, ofEdges, func(i int) []any { return []any{"organization", "documents", "edges", float64(i), "node"} })
	if directives.Load() != 101 {
		t.Errorf("the edges and the list of nodes asked %d times", directives.Load())
	}
	if got := a.ask(ada, hundredNodes, ids); got.Code() != "" || got.At("nodes", 99, "title") != "canary 99" {
		t.Errorf("as Ada, who may: %.300s", got.Body)
	}
	if got := a.ask(gus, hundredNodes, ids); got.Code() != "" || leaks(got) {
		t.Errorf("from another organization: %.300s", got.Body)
	}
}

// wantDenials fails unless there are 100 errors, one at each path, and nothing of Acme's documents.
func wantDenials(t *testing.T, got gqltest.Answer, at func(i int) []any) {
	t.Helper()
	var paths [][]any
	for _, e := range got.Errors {
		paths = append(paths, e.Path)
		if e.Extensions["code"] != "FORBIDDEN" || e.Extensions["permission"] != "org:documents:read" {
			t.Fatalf("%v", e)
		}
	}
	if len(paths) != 100 || leaks(got) {
		t.Fatalf("%d errors: %.300s", len(paths), got.Body)
	}
	for i := range 100 {
		if !containsPath(paths, at(i)) {
			t.Errorf("no error at %v", at(i))
		}
	}
}

// BenchmarkHundredNodes is a list of 100 documents, denied and allowed.
func BenchmarkHundredNodes(b *testing.B) {
	a := newAPI(b)
	ids := a.hundred()
	b.Run("denied", func(b *testing.B) { a.benchmarkAs(b, guest, hundredNodes, ids) })
	b.Run("allowed", func(b *testing.B) { a.benchmarkAs(b, ada, hundredNodes, ids) })
}

// BenchmarkGuardedField is one document, asked for through @hasPermission and with that directive open.
func BenchmarkGuardedField(b *testing.B) {
	for name, newSchema := range map[string]func(*store.Store, graph.Manager) (graphql.ExecutableSchema, error){
		"guarded": graph.NewSchema, "unguarded": graph.NewSchemaWithoutHasPermission,
	} {
		b.Run(name, func(b *testing.B) {
			a := newAPIWith(b, newSchema)
			id := variables{"id": a.document(acme, "One").GlobalID()}
			a.benchmarkAs(b, ada, `query($id: ID!) { document(id: $id) { id title } }`, id)
		})
	}
}
