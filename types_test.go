package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/gqltest"
	"github.com/tenantry/tenantry/internal/lint"
	"github.com/tenantry/tenantry/internal/transport"
	"github.com/tenantry/tenantry/store"
)

// Each type and table has what keeps organizations apart. To be run after adding one; the messages say what to write where.
func TestTypes(t *testing.T) {
	t.Parallel()
	for _, fault := range project(t, schemaText(t), nil).Faults(t) {
		t.Error(fault)
	}
}

// What one forgets is named, with what to write.
func TestLinterNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	written := schemaText(t)
	const note = `"A note of a test." type TestNote implements Node @inOrganization { "Its id." id: ID! }`
	for name, test := range map[string]struct {
		schema string
		sql    []string
		change func(p *lint.Project)
		want   []string
	}{
		"policy": {sql: []string{`CREATE TABLE public.test_notes (organization_id text COLLATE "C" NOT NULL, id uuid NOT NULL, PRIMARY KEY (organization_id, id))`}, want: []string{
			"public.test_notes is not fenced by organization: it has neither row level security nor a policy (fence). Write in its migration in store/migrations, or in a new one where that was released: CALL tenantry.own_table('public.test_notes');",
		}},
		"the comparison of a policy": {sql: []string{"CREATE POLICY titled ON public.documents AS RESTRICTIVE USING (title <> '')"}, want: []string{
			"public.documents has the policy titled, which does not begin with the comparison: where PostgreSQL is sharded, it is created again as permissive and opens other organizations' rows (policy-comparison). " +
				"Write in its migration in store/migrations, or in a new one where that was released: ALTER POLICY titled ON public.documents USING (organization_id = NULLIF(current_setting('tenantry.organization', true), '') AND (title <> ''::text));",
		}},
		"factory's table": {sql: []string{`CREATE TABLE public.test_notes (organization_id text COLLATE "C" NOT NULL, id uuid NOT NULL, PRIMARY KEY (organization_id, id))`, "CALL tenantry.own_table('public.test_notes')"}, want: []string{
			"no factory writes table public.test_notes: add one to Factories in internal/dbtest/nouns.go",
		}},
		"factory's mark": {sql: []string{"ALTER TABLE public.documents ADD COLUMN note text"}, want: []string{
			"no factory writes its mark into public.documents.note, so that nobody sees it leak: let one in internal/dbtest/nouns.go write mark",
		}},
		"a list of values": {sql: []string{"ALTER TABLE public.documents ADD COLUMN note text CHECK (note IN ('a', 'b'))"}},
		"key": {sql: []string{`CREATE TABLE public.test_notes (organization_id text COLLATE "C" NOT NULL, id uuid PRIMARY KEY)`, "CALL tenantry.own_table('public.test_notes')"}, want: []string{
			"public.test_notes has the constraint test_notes_pkey over the rows of all organizations",
		}},
		"index": {sql: []string{"DROP INDEX public.documents_by_creation"}, want: []string{
			"Organization.documents sorts all of the organization's rows for a page (first: 2): no index has its order. Write CREATE INDEX",
		}},
		"index of another order": {sql: []string{"DROP INDEX public.members_by_name, public.ever_members_by_name"}, want: []string{
			"Organization.members sorts all of the organization's rows for a page (first: 2, orderBy: NAME)",
			"Organization.members sorts all of the organization's rows for a page (first: 2, orderBy: NAME_DESC)",
		}},
		"index that leads with another column": {sql: []string{"CREATE INDEX by_author ON public.documents (author_id)"}, want: []string{
			"public.documents has the index public.by_author, which does not lead with organization_id (index). Write in its migration in store/migrations, or in a new one where that was released: DROP INDEX public.by_author; CREATE INDEX",
		}},
		"guard": {schema: strings.Replace(written, `type Document implements Node @hasPermission(permission: "org:documents:read")`, "type Document implements Node", 1), want: []string{
			"DocumentConnection.nodes leads to Document", "type Document implements Node and has no directive: node(id:) would let nobody reach it. Write @hasPermission",
		}},
		"null": {schema: strings.Replace(written, "author: Member\n", "author: Member!\n", 1), want: []string{"Document.author is guarded and not nullable: a denial would take its neighbours with it. Take the ! at the end of its type away"}},
		"permission": {schema: strings.Replace(written, `type Document implements Node @hasPermission(permission: "org:documents:read")`, `type Document implements Node @hasPermission(permission: "org:papers:view")`, 1), want: []string{
			"Document: org:papers:view is not in roles.yml; add it there, under permissions: org:papers:view: {name: ...}",
		}},
		"argument": {schema: strings.Replace(written, `document("The document's id." id: ID!): Document`, `document("The document's id." id: ID!, "Whose." organizationId: ID): Document`, 1), want: []string{
			"Query.document takes organizationId: the organization comes from the token, never from an argument",
		}},
		"factory": {change: func(p *lint.Project) { delete(p.Factories, "Document") }, want: []string{
			`type Document implements Node and has no factory: add "Document": func(t testing.TB, w World, organizationID, mark string) string { ... } to Factories in internal/dbtest/nouns.go`,
			"no factory writes table public.documents",
		}},
		"type of a factory": {change: func(p *lint.Project) { p.Factories["TestNote"] = p.Factories["Document"] }, want: []string{"Factories in internal/dbtest/nouns.go has TestNote, which does not implement Node"}},
		"node": {schema: written + note, change: func(p *lint.Project) {
			p.Factories["TestNote"] = func(testing.TB, dbtest.World, string, string) string { return "testnote_1" }
		}, want: []string{"node(id:) does not find the TestNote that its factory made: it answers", "Add the kind of TestNote to those that node knows in graph"}},
		"cap": {change: func(p *lint.Project) {
			ask := p.Ask
			p.Ask = func(s *store.Store) lint.Ask {
				return func(ctx context.Context, organizationID, role, query string) gqltest.Answer {
					return ask(s)(ctx, organizationID, role, strings.Replace(query, "documents(first: 101)", "documents(first: 100)", 1))
				}
			}
		}, want: []string{"Organization.documents has no cap: first: 101 is answered with"}},
		"fence of node": {change: func(p *lint.Project) {
			ask := p.Ask
			p.Ask = func(s *store.Store) lint.Ask {
				return func(ctx context.Context, organizationID, role, query string) gqltest.Answer {
					return ask(s)(ctx, "org_lint_ours", role, query)
				}
			}
		}, want: []string{"node(id:) gives the Document of another organization"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			switch test.schema {
			case "":
				test.schema = written
			case written:
				t.Fatal("the schema is as it was")
			}
			p := project(t, test.schema, test.sql)
			if test.change != nil {
				test.change(&p)
			}
			found := strings.Join(p.Faults(t), "\n")
			for _, want := range test.want {
				if !strings.Contains(found, want) {
					t.Errorf("%q is missing from\n%s", want, found)
				}
			}
			if test.want == nil && found != "" {
				t.Errorf("faults: %s", found)
			}
		})
	}
}

func schemaText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// project is this one, with another schema and what was done to its database.
func project(t *testing.T, text string, statements []string) lint.Project {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: text})
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := auth.ParseCatalogue(rolesFile)
	if err != nil {
		t.Fatal(err)
	}
	config := dbtest.Config(t)
	conn, err := pgx.Connect(t.Context(), dbtest.OwnerURL(config))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return lint.Project{
		Schema: schema, Catalogue: catalogue, Database: config, Factories: maps.Clone(dbtest.Factories),
		Ask: func(s *store.Store) lint.Ask { return askAnything(t, s, schema, catalogue) },
	}
}

// askAnything sends queries as a member with every right that the schema names.
func askAnything(t *testing.T, s *store.Store, schema *ast.Schema, catalogue auth.Catalogue) lint.Ask {
	t.Helper()
	executable, err := graph.NewSchema(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	permissions := append(graph.NamedPermissions(schema), auth.SystemPermissions()...)
	for _, p := range catalogue.Permissions {
		permissions = append(permissions, p.Key)
	}
	slices.Sort(permissions)
	type viewerKey struct{}
	handler := transport.New(executable, transport.Options{
		Authenticate: func(ctx context.Context, _ []string) (transport.Identify, error) {
			viewer, ok := ctx.Value(viewerKey{}).(*auth.Viewer)
			if !ok {
				return nil, errors.New("no viewer")
			}
			return func(ctx context.Context) (context.Context, error) {
				return graph.WithLoaders(auth.NewContext(ctx, viewer), s), nil
			}, nil
		},
		Present: graph.Present, Logger: slog.New(slog.DiscardHandler),
	})
	return func(ctx context.Context, organizationID, role, query string) gqltest.Answer {
		viewer := &auth.Viewer{
			UserID: "user_of_the_linter", SessionID: "sess_of_the_linter", FactorVerificationAge: &[2]int{0, 0},
			Organization: &auth.ActiveOrganization{ID: organizationID, Slug: organizationID, Role: role, Permissions: slices.Compact(permissions)},
			Features:     scopedNames(schema, "feature"), Plans: scopedNames(schema, "plan"),
		}
		body, err := json.Marshal(map[string]string{"query": query})
		if err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(string(body)))
		request.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request.WithContext(context.WithValue(ctx, viewerKey{}, viewer)))
		return gqltest.Read(t, recorder.Code, recorder.Body.Bytes())
	}
}

// scopedNames are the features or plans that the schema asks for, both of the user and of the organization.
func scopedNames(schema *ast.Schema, kind string) (names []string) {
	note := func(directives ast.DirectiveList) {
		for _, directive := range directives.ForNames("hasPermission") {
			if argument := directive.Arguments.ForName(kind); argument != nil {
				name := argument.Value.Raw
				names = append(names, "ou:"+name[strings.LastIndexByte(name, ':')+1:])
			}
		}
	}
	for _, definition := range schema.Types {
		note(definition.Directives)
		for _, field := range definition.Fields {
			note(field.Directives)
		}
	}
	return names
}
