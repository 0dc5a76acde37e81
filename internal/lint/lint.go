// Package lint says of a project's types what is missing for their isolation, and what to write where: in the schema, in the
// tables, in the factories. It reads the executable schema and the catalog of a migrated database, so that a type that a
// user adds is looked at as ours are. Only tests use it; it knows neither resolvers nor HTTP.
package lint

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/gqltest"
	"github.com/tenantry/tenantry/store"
)

// Project is what is looked at.
type Project struct {
	// Schema is schema.graphqls as it was written.
	Schema    *ast.Schema
	Catalogue auth.Catalogue
	// Database is a migrated one without rows.
	Database  store.Config
	Factories map[string]dbtest.Factory
	// Ask returns what sends queries to the executable schema over a store.
	Ask func(s *store.Store) Ask
}

// Ask sends a query as a member of an organization who has every right, in this role.
type Ask func(ctx context.Context, organizationID, role, query string) gqltest.Answer

const ours, theirs = "org_lint_ours", "org_lint_theirs"

// Faults returns one message for each fault, sorted: what is wrong and what to write where. Where the database is not safe to
// serve from, nothing is made and asked.
func (p Project) Faults(t testing.TB) []string {
	t.Helper()
	examination, err := store.Examine(t.Context(), p.Database)
	if err != nil {
		t.Fatal(err)
	}
	found := append(SchemaFaults(p.Schema, p.Catalogue), TableFaults(examination)...)
	found = append(found, factoryNames(p.Schema, p.Factories)...)
	if !examination.Dangerous() {
		found = append(found, p.liveFaults(t)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// liveFaults are those that show when objects are made and asked for.
func (p Project) liveFaults(t testing.TB) []string {
	t.Helper()
	ownerURL := dbtest.OwnerURL(p.Database)
	conn, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	world := dbtest.World{Store: dbtest.OpenWith(t, p.Database), OwnerURL: ownerURL}
	objects := p.make(t, world, ours)
	p.make(t, world, theirs)
	found, err := rowFaults(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	live := living{Project: p, ask: p.Ask(world.Store), conn: conn, objects: objects}
	found = append(found, live.nodeFaults(t.Context())...)
	return append(found, live.connectionFaults(t.Context())...)
}

// living is a project with an object of each type in an organization, and others in another one.
type living struct {
	Project
	ask  Ask
	conn *pgx.Conn
	// objects are the global ids, by type.
	objects map[string]string
}

// faults collects messages.
type faults []string

func (f *faults) report(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func sorted(types map[string]*ast.Definition) []*ast.Definition {
	definitions := make([]*ast.Definition, 0, len(types))
	for _, definition := range types {
		if !definition.BuiltIn && !strings.HasPrefix(definition.Name, "__") {
			definitions = append(definitions, definition)
		}
	}
	slices.SortFunc(definitions, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	return definitions
}
