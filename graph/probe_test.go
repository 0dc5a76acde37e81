package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/graph"
	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/probe"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// The marks of two organizations: in every text that they have.
const markA, markB = "canarya7k2", "canaryb9w4"

// probed are two organizations full of canaries, and everything that the schema offers for A to find B's.
type probed struct {
	*api
	conn  *pgx.Conn
	a, b  *auth.Viewer
	fresh int
	// theirDocument is one of B's documents.
	theirDocument string
}

func newProbed(t testing.TB) *probed {
	t.Helper()
	p := newProbedOver(t, dbtest.Config(t))
	for _, mark := range []string{markA, markB} {
		p.populate(p.store, mark)
	}
	return p
}

// newProbedOver has no organizations yet.
func newProbedOver(t testing.TB, config store.Config) *probed {
	t.Helper()
	p := &probed{
		api: newAPIOver(t, config, graph.NewSchema),
		a:   viewer("user_"+markA, "org_"+markA, "org:admin", everything...), b: viewer("user_"+markB, "org_"+markB, "org:admin", everything...),
	}
	conn, err := pgx.Connect(t.Context(), p.ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	p.conn = conn
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	return p
}

// populate gives an organization some of everything, through a store.
func (p *probed) populate(s *store.Store, mark string) {
	p.t.Helper()
	w, organizationID := dbtest.World{Store: s, OwnerURL: p.ownerURL}, "org_"+mark
	dbtest.Factories["Organization"](p.t, w, organizationID, mark)
	for _, typeName := range slices.Sorted(maps.Keys(dbtest.Factories)) {
		factory := dbtest.Factories[typeName]
		if typeName == "Organization" {
			continue
		}
		factory(p.t, w, organizationID, mark)
		for i := range 4 {
			factory(p.t, w, organizationID, fmt.Sprint(mark, "n", i))
		}
	}
	refused, agent := "CONFLICT", models.ImpersonatorAgent
	bulk := store.AuditEntry{
		Actor: models.Actor{UserID: "user_" + mark, ImpersonatorID: &organizationID, ImpersonatorType: &agent}, Action: "invitation.create", Outcome: models.OutcomeApplied,
		TargetType: "Organization", TargetID: organizationID, Items: []models.AuditItem{{TargetID: &organizationID, Outcome: models.OutcomeRefused, Code: &refused}},
	}
	if err := s.Mirror(p.t.Context(), func(tx *store.MirrorTx) error { return tx.WriteAudit(organizationID, bulk) }); err != nil {
		p.t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO clerk.organizations (id, name, slug, created_at, updated_at) VALUES ('org_%[1]s', '%[1]s copied', '%[1]s', 1, 1)`,
		`INSERT INTO clerk.users (id, created_at, updated_at) VALUES ('user_%[1]s', 1, 1)`,
		`INSERT INTO clerk.memberships (id, organization_id, user_id, role, created_at, updated_at) VALUES ('orgmem_%[1]s', 'org_%[1]s', 'user_%[1]s', 'org:admin', 1, 1)`,
		`INSERT INTO clerk.roles (id, key, name, permissions, created_at, updated_at) VALUES ('role_%[1]s', 'org:admin', 'Admin', '{org:documents:read}', 1, 1) ON CONFLICT DO NOTHING`,
	} {
		if _, err := p.conn.Exec(p.t.Context(), fmt.Sprintf(statement, mark)); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *probed) voice(as *auth.Viewer) probe.Voice {
	return func(_ context.Context, operation string, variables map[string]any) (probe.Answer, error) {
		body, err := json.Marshal(map[string]any{"query": operation, "variables": variables})
		if err != nil {
			return probe.Answer{}, err
		}
		recorder := p.post(as, body)
		return probe.Answer{Status: recorder.Code, Body: recorder.Body.Bytes()}, nil
	}
}

// make makes one more object of A.
func (p *probed) make(_ context.Context, typeName string) (string, error) {
	factory := dbtest.Factories[typeName]
	if factory == nil || typeName == "Organization" {
		return "", nil
	}
	p.fresh++
	mark := fmt.Sprint(markA, "f", p.fresh)
	return factory(p.t, dbtest.World{Store: p.store, OwnerURL: p.ownerURL}, "org_"+markA, mark), nil
}

// rowsOfB is a hash of every row of B in every table.
func (p *probed) rowsOfB(ctx context.Context) (all string, err error) {
	rows, _ := p.conn.Query(ctx, `SELECT format('SELECT ''%1$I.%2$I '' || count(*) || coalesce(md5(string_agg(r::text, ''|'' ORDER BY r::text)), '''') AS one FROM %1$I.%2$I AS r WHERE organization_id = ''org_%3$s''', n.nspname, c.relname, $1::text)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
		WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`, markB)
	queries, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(queries) < 5 {
		return "", fmt.Errorf("%q, %w", queries, err)
	}
	err = p.conn.QueryRow(ctx, `SELECT string_agg(one, ', ') FROM (`+strings.Join(queries, " UNION ALL ")+`) AS every`).Scan(&all)
	return all, err
}

func (p *probed) attack(probes int, seed uint64) *probe.Attack {
	return &probe.Attack{
		Schema: graph.DescribedSchema(), A: p.voice(p.a), B: p.voice(p.b), Depth: 4, Seed: seed, Probes: probes, Canaries: []string{markB}, Disjoint: true,
		Fresh: p.make, Fingerprint: p.rowsOfB,
		Texts: map[string]string{"role": "org:member", "slug": markA + "-slug", "email": markA + "@probe.example"},
	}
}

// probes is how many fields a test wants answered: the whole with TENANTRY_PROVE=1, otherwise a short run.
func probes(whole, short int) int {
	if share, err := strconv.ParseFloat(os.Getenv("TENANTRY_PROVE"), 64); err == nil && share > 0 {
		return int(share * float64(whole))
	}
	return short
}

// TestIsolation has one organization ask for another one's things in every way that the schema offers.
func TestIsolation(t *testing.T) {
	t.Parallel()
	p := newProbed(t)
	report, err := p.attack(probes(1_000_000, 50_000), 1).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: seed %d, %d operations, %d fields answered, %d answers compared", report, report.Seed, report.Operations, report.Probes, report.Pairs)
	for _, finding := range report.Findings {
		t.Error(finding)
	}
	for _, missed := range append(report.Fields.Missed, report.Positions.Missed...) {
		t.Errorf("not reached: %s", missed)
	}
}
