package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/gqltest"
	"github.com/tenantry/tenantry/internal/transport"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const acme, globex = "org_acme", "org_globex"

var (
	// everything are the permissions that the schema asks for.
	everything = graph.NamedPermissions(graph.DescribedSchema())

	ada    = viewer("user_ada", acme, "org:admin", everything...)
	gus    = viewer("user_gus", globex, "org:admin", everything...)
	guest  = viewer("user_guest", acme, "org:guest")
	nora   = &auth.Viewer{UserID: "user_nora", SessionID: "sess_nora"}
	nobody = &auth.Viewer{}
)

func viewer(userID, organizationID, role string, permissions ...string) *auth.Viewer {
	slices.Sort(permissions)
	return &auth.Viewer{UserID: userID, SessionID: "sess_" + userID, Organization: &auth.ActiveOrganization{
		ID: organizationID, Slug: organizationID[len("org_"):], Role: role, Permissions: permissions,
	}, FactorVerificationAge: &[2]int{0, 0}}
}

// api is the schema over a fresh database with two organizations, asked through the real transport.
type api struct {
	t        testing.TB
	store    *store.Store
	ownerURL string
	manager  *fakeManager
	// scoped is whether each transaction begins by saying whose it is.
	scoped     bool
	handler    http.Handler
	statements int
	// requestIDs makes the request ids; without it all are the same.
	requestIDs func() string
	// mutations counts the operations that were held to their entries in the audit log.
	mutations int
}

type viewerKey struct{}

func newAPI(t testing.TB) *api {
	t.Helper()
	return newAPIWith(t, graph.NewSchema)
}

// newAPIWith is newAPI with a schema of the test's own.
func newAPIWith(t testing.TB, newSchema func(*store.Store, graph.Manager) (graphql.ExecutableSchema, error)) *api {
	t.Helper()
	a := newAPIOver(t, dbtest.Config(t), newSchema)
	t.Cleanup(func() {
		if a.mutations > 0 {
			t.Logf("%d mutations held to their entries in the audit log", a.mutations)
		}
	})
	for _, organizationID := range []string{acme, globex} {
		dbtest.Organization(t, a.ownerURL, models.Organization{OrganizationID: organizationID, Name: organizationID[len("org_"):]})
	}
	for _, v := range []*auth.Viewer{ada, gus, guest} {
		dbtest.Member(t, a.ownerURL, models.Member{OrganizationID: v.Organization.ID, UserID: v.UserID, Role: v.Organization.Role})
	}
	dbtest.Invitation(t, a.ownerURL, models.Invitation{OrganizationID: acme, ID: "orginv_canary"})
	return a
}

// newAPIOver is the schema over a database with nothing in it.
func newAPIOver(t testing.TB, config store.Config, newSchema func(*store.Store, graph.Manager) (graphql.ExecutableSchema, error)) *api {
	t.Helper()
	a := &api{
		t: t, store: dbtest.OpenWith(t, config), ownerURL: dbtest.OwnerURL(config), manager: &fakeManager{},
		scoped: config.Scope == store.ScopeTransaction,
	}
	schema, err := newSchema(a.store, a.manager)
	if err != nil {
		t.Fatal(err)
	}
	a.handler = transport.New(schema, transport.Options{
		Authenticate: func(ctx context.Context, _ []string) (transport.Identify, error) {
			v, ok := ctx.Value(viewerKey{}).(*auth.Viewer)
			if !ok {
				return nil, errors.New("no viewer")
			}
			return func(ctx context.Context) (context.Context, error) {
				return graph.WithLoaders(graph.WithRequestID(auth.NewContext(ctx, v), transport.RequestID(ctx)), a.store), nil
			}, nil
		},
		NewRequestID: func() string {
			if a.requestIDs == nil {
				return "the-same-request-id"
			}
			return a.requestIDs()
		},
		Introspection: true,
		Logger:        slog.New(slog.DiscardHandler),
		Present:       graph.Present,
		CountStatements: func(ctx context.Context) (context.Context, func() int) {
			ctx, count := store.WithRequest(ctx)
			return ctx, func() int { a.statements = count(); return a.statements }
		},
	})
	return a
}

type variables = map[string]any

// ask sends an operation as somebody, and holds each mutation to leaving exactly one entry in the audit log if it reached the
// store, or to reaching the manager once, which is a fake here and whose entries are its own.
func (a *api) ask(as *auth.Viewer, query string, variables variables) gqltest.Answer {
	a.t.Helper()
	if !strings.HasPrefix(query, "mutation") {
		return a.send(as, query, variables)
	}
	answer, recorded := a.recorded(as, query, variables)
	if least, most := answer.Audited(); recorded < least || recorded > most {
		a.t.Errorf("%d entries in the audit log, want %d to %d: %s: %s", recorded, least, most, query, answer.Body)
	}
	a.mutations++
	return answer
}

// askInVain is ask for a mutation of which nothing reaches the store or the manager, though its answer does not show that.
func (a *api) askInVain(as *auth.Viewer, query string, variables variables) gqltest.Answer {
	a.t.Helper()
	answer, recorded := a.recorded(as, query, variables)
	if recorded != 0 {
		a.t.Errorf("%d entries in the audit log, want none: %s: %s", recorded, query, answer.Body)
	}
	return answer
}

func (a *api) recorded(as *auth.Viewer, query string, variables variables) (answer gqltest.Answer, recorded int) {
	a.t.Helper()
	before := a.audited() + len(a.manager.calls)
	answer = a.send(as, query, variables)
	return answer, a.audited() + len(a.manager.calls) - before
}

// send sends an operation with a fixed request id, so that two answers can be compared byte by byte.
func (a *api) send(as *auth.Viewer, query string, variables variables) gqltest.Answer {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		a.t.Fatal(err)
	}
	recorder := a.post(as, body)
	return gqltest.Read(a.t, recorder.Code, recorder.Body.Bytes())
}

// audited is how many entries the audit logs of all organizations have.
func (a *api) audited() (entries int) {
	a.t.Helper()
	owner, err := pgx.Connect(a.t.Context(), a.ownerURL)
	if err != nil {
		a.t.Fatal(err)
	}
	defer owner.Close(context.Background())
	if err := owner.QueryRow(a.t.Context(), "SELECT count(*) FROM audit_entries").Scan(&entries); err != nil {
		a.t.Fatal(err)
	}
	return entries
}

func (a *api) post(as *auth.Viewer, body []byte) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer of-the-test") // without one the body would have to be small
	recorder := httptest.NewRecorder()
	a.handler.ServeHTTP(recorder, request.WithContext(context.WithValue(request.Context(), viewerKey{}, as)))
	return recorder
}

// document stores a document of an organization.
func (a *api) document(organizationID, title string) *models.Document {
	a.t.Helper()
	return dbtest.Document(a.t, a.store.Org(organizationID), models.Document{Title: title, AuthorID: "user_ada"})
}

// benchmark measures an operation from the body to the answer, and reports how many SQL statements it takes.
func (a *api) benchmark(b *testing.B, query string, variables variables) {
	b.Helper()
	if got := a.ask(ada, query, variables); got.Code() != "" {
		b.Fatal(got.Body)
	}
	a.benchmarkAs(b, ada, query, variables)
}

// benchmarkAs is benchmark for anybody, who may be denied.
func (a *api) benchmarkAs(b *testing.B, as *auth.Viewer, query string, variables variables) {
	b.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		a.post(as, body)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(a.statements), "statements/op")
}
