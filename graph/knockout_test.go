//go:build knockout

package graph_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// takeOffSecondBelt switches row level security off on every table that has it, behind the back of the start-up check.
func (p *probed) takeOffSecondBelt() {
	p.t.Helper()
	rows, _ := p.conn.Query(p.t.Context(), `SELECT c.oid::regclass::text FROM pg_class c WHERE relrowsecurity`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 4 {
		p.t.Fatal(tables, err)
	}
	for _, table := range tables {
		if _, err := p.conn.Exec(p.t.Context(), `ALTER TABLE `+table+` NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY`); err != nil {
			p.t.Fatal(err)
		}
	}
}

// TestKnockOut takes the belts off one by one: each holds alone, and without either the attack finds B's things. The first
// belt is the process's, so the cases come one after the other.
func TestKnockOut(t *testing.T) {
	defer store.WearFirstBelt(true)
	for _, test := range []struct {
		handle, rowSecurity bool
	}{{true, true}, {true, false}, {false, true}, {false, false}} {
		t.Run(fmt.Sprintf("handle %v, row level security %v", test.handle, test.rowSecurity), func(t *testing.T) {
			p := newProbed(t)
			if !test.rowSecurity {
				p.takeOffSecondBelt()
			}
			store.WearFirstBelt(test.handle)
			defer store.WearFirstBelt(true)
			report, err := p.attack(probes(100_000, 0), 1).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("| %v | %v | %d | %v | %d fields answered", test.handle, test.rowSecurity, report.Leaks, report.Kinds, report.Probes)
			if found := report.Leaks > 0; found != (!test.handle && !test.rowSecurity) {
				t.Errorf("%s: %v", report, report.Findings[:min(3, len(report.Findings))])
			}
			// Whether a change of another organization's object is tried in so short a run is chance.
			if seen := report.Kinds; !test.handle && !test.rowSecurity && (seen["leak"] == 0 || seen["difference"] == 0) {
				t.Errorf("without either belt only %v", seen)
			}
		})
	}
}

// TestKnockOutOfRestrictivePolicies creates all policies again as permissive, as sharded PostgreSQL
// does, after the start-up check and with the handle's filter off. Each policy holds alone. The
// control is the pair of before: beside a permissive true the comparison holds nothing back.
func TestKnockOutOfRestrictivePolicies(t *testing.T) {
	defer store.WearFirstBelt(true)
	for _, test := range []struct {
		name  string
		open  bool
		leaks bool
	}{{"the comparison in every policy", false, false}, {"the comparison beside a permissive true", true, true}} {
		t.Run(test.name, func(t *testing.T) {
			p := newProbed(t)
			if test.open {
				dbtest.OpenPermissivePolicies(t, p.ownerURL)
			}
			dbtest.MakePoliciesPermissive(t, p.ownerURL)
			store.WearFirstBelt(false)
			defer store.WearFirstBelt(true)
			report, err := p.attack(probes(100_000, 0), 1).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("| %s | %d | %v | %d fields answered", test.name, report.Leaks, report.Kinds, report.Probes)
			if found := report.Leaks > 0; found != test.leaks {
				t.Errorf("%s: %v", report, report.Findings[:min(3, len(report.Findings))])
			}
		})
	}
}

// TestKnockOutOfTwins: without either belt the worlds differ.
func TestKnockOutOfTwins(t *testing.T) {
	defer store.WearFirstBelt(true)
	twin := newTwin(t, 1, (*probed).takeOffSecondBelt)
	store.WearFirstBelt(false)
	report, err := twin.Run(t.Context(), 200)
	if err != nil {
		t.Fatal(err)
	}
	if report.Differences == 0 {
		t.Error("the worlds do not differ")
	}
	t.Logf("%d differences in %d operations", report.Differences, report.Operations)
}
