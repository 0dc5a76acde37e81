package lint

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// factoryNames holds that each type that implements Node has a factory.
func factoryNames(schema *ast.Schema, factories map[string]dbtest.Factory) []string {
	var found faults
	nodes := map[string]bool{}
	for _, definition := range schema.PossibleTypes["Node"] {
		nodes[definition.Name] = true
		if factories[definition.Name] == nil {
			found.report("type %[1]s implements Node and has no factory: add \"%[1]s\": func(t testing.TB, w World, organizationID, mark string) string { ... } to Factories in internal/dbtest/nouns.go. It makes one in an organization, with mark in every text that people write, and returns its global id",
				definition.Name)
		}
	}
	for name := range factories {
		if !nodes[name] {
			found.report("Factories in internal/dbtest/nouns.go has %s, which does not implement Node: write type %s implements Node in schema.graphqls", name, name)
		}
	}
	return found
}

// mark is in every text that a factory is given here.
const mark = "lintmark"

// make has each factory make an object in an organization and returns their ids.
func (p Project) make(t testing.TB, world dbtest.World, organizationID string) map[string]string {
	t.Helper()
	objects := map[string]string{}
	for i, name := range slices.Sorted(maps.Keys(p.Factories)) {
		objects[name] = p.Factories[name](t, world, organizationID, fmt.Sprintf("%s%d%s", mark, i, organizationID[len("org_lint_"):]))
	}
	return objects
}

// nodeFaults holds that node finds each object in its organization, and in no other.
func (l living) nodeFaults(ctx context.Context) []string {
	var found faults
	for _, name := range slices.Sorted(maps.Keys(l.objects)) {
		definition := l.Schema.Types[name]
		if definition == nil || !slices.Contains(definition.Interfaces, "Node") {
			continue // which factoryNames says
		}
		role := way{asked: definition.Directives}.role(&ast.FieldDefinition{})
		query := fmt.Sprintf("{ node(id: %q) { __typename id } }", l.objects[name])
		answer := l.ask(ctx, ours, role, query)
		if answer.At("node", "__typename") != name || answer.At("node", "id") != l.objects[name] {
			found.report("node(id:) does not find the %s that its factory made: it answers %s. Add the kind of %s to those that node knows in graph, and let its factory return the object's global id",
				name, brief(answer.Body), name)
		}
		if answer := l.ask(ctx, theirs, role, query); answer.At("node") != nil {
			found.report("node(id:) gives the %s of another organization: %s. Let what loads it in graph ask the handle r.org(ctx)", name, brief(answer.Body))
		}
	}
	return found
}
