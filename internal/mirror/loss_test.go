package mirror

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestOneSweepRepairsWhatWasLost is P4 at length: one event in ten never comes, then one comparison makes the copy as
// Clerk is, without having to be told that it may end much.
func TestOneSweepRepairsWhatWasLost(t *testing.T) {
	t.Parallel()
	runs := scale(300, 200_000)
	each := (runs + len(regimes) - 1) / len(regimes)
	for i, r := range regimes {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			clerk, backend := newFakeBackend()
			wrong, ended := 0, 0
			for n := range each {
				w := newHistory(rand.New(rand.NewPCG(400+uint64(i), uint64(n))), r, "", 40)
				m := newModel()
				deliver(t, m, w.lossy(10), nil)
				repair(t, w, m)
				if want, got := w.compared(m); !reflect.DeepEqual(want, got) {
					wrong++
				}
				clerk.serve(w)
				report := sweepModel(t, m, clerk, backend, SweepOptions{})
				if diff := w.drift(m); diff != "" || report.Refused() > 0 {
					t.Fatalf("history %d: after the comparison (-Clerk +copy)\n%s\n%s", n, diff, describe(report))
				}
				for _, k := range mirrored {
					ended += report.Kinds[string(k.name)].Tombstoned
					for id, row := range m.summaries(k.name) {
						if row.NeedsRead {
							t.Fatalf("history %d: %s still has to be read", n, id)
						}
					}
				}
			}
			t.Logf("%d runs, %d wrong before the comparison, 0 after; it ended %d objects and refused none", each, wrong, ended)
			if wrong*10 <= each*3 || ended == 0 {
				t.Errorf("%d of %d were wrong before, and %d objects were ended: too easy", wrong, each, ended)
			}
		})
	}
}

// exodus is a world that loses more members at once than a comparison believes. It returns how many, and the events that
// come all the same.
func exodus(random *rand.Rand, prefix string) (w *world, lost int, sent []worldEvent) {
	w = newWorld(&world{regime: regimes[random.IntN(len(regimes))], random: random, prefix: prefix, crowd: 2}, 0)
	for len(w.users) < 30 {
		w.newUser(false)
	}
	for _, u := range w.users {
		w.join(w.organizations[0], u)
	}
	sent = w.delivery()
	lost = manyEnds + 1 + random.IntN(10)
	for _, m := range w.members[:lost] {
		w.tick(1)
		w.remove(m)
	}
	return w, lost, sent
}

// TestAnExodusIsRefused loses more than a comparison believes: it ends none of them, until somebody says that it may.
func TestAnExodusIsRefused(t *testing.T) {
	t.Parallel()
	clerk, backend := newFakeBackend()
	runs := scale(20, 2000)
	for n := range runs {
		w, lost, sent := exodus(rand.New(rand.NewPCG(500, uint64(n))), "")
		m := newModel()
		deliver(t, m, sent, nil)
		clerk.serve(w)
		if report := sweepModel(t, m, clerk, backend, SweepOptions{}); report.Refused() != lost || report.Kinds["memberships"].Tombstoned != 0 {
			t.Fatalf("%d were lost:\n%s", lost, describe(report))
		}
		if w.drift(m) == "" {
			t.Fatal("nothing was to be refused")
		}
		clerk.serve(w)
		if report := sweepModel(t, m, clerk, backend, SweepOptions{AllowMassDeletion: true}); report.Kinds["memberships"].Tombstoned != lost {
			t.Fatalf("%d were lost, with leave to end them:\n%s", lost, describe(report))
		}
		if diff := w.drift(m); diff != "" {
			t.Fatalf("run %d (-Clerk +copy)\n%s", n, diff)
		}
	}
	t.Logf("%d runs in which 11 to 20 of 30 members were gone: all refused, all ended with leave", runs)
}

// TestModelSweepsAsPostgres shows that the two proofs above are about the real comparison: rows and report are the same.
func TestModelSweepsAsPostgres(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	f.config.MinAge = DefaultMinAge
	for n := range len(regimes) + 1 {
		random, prefix := rand.New(rand.NewPCG(600, uint64(n))), fmt.Sprintf("p%02dx", n)
		var w *world
		var sent []worldEvent
		if n < len(regimes) {
			w = newHistory(random, regimes[n], prefix, 40)
			sent = w.lossy(5)
		} else {
			w, _, sent = exodus(random, prefix)
		}
		m := newModel()
		deliver(t, m, sent, nil)
		for i, e := range sent {
			f.receive(t, fmt.Sprintf("%s_%d", e.id, i), e.body)
		}
		clerk.serve(w)
		postgres := f.sweep(t, SweepOptions{})
		clerk.serve(w)
		if diff := gocmp.Diff(sweepAsPostgres(t, m, clerk), postgres.Kinds); diff != "" {
			t.Errorf("world %d: the report (-model +PostgreSQL)\n%s", n, diff)
		}
		if n == len(regimes) && postgres.Refused() == 0 {
			t.Error("nothing was refused")
		}
		f.sameRows(t, m)
		f.exec(t, "TRUNCATE clerk.organizations, clerk.users, clerk.memberships, clerk.roles, clerk.invitations, clerk.domains, "+
			"clerk.permissions, clerk.revoked_sessions, public.organizations, public.members, public.invitations")
	}
}

// sweepAsPostgres compares without a pause between the reads, as the fixture does.
func sweepAsPostgres(t testing.TB, m *model, clerk *fakeClerk) map[string]*KindReport {
	t.Helper()
	s := &modelSweep{
		model: m, backend: clerk.backendOver(inProcess{clerk}), minAge: DefaultMinAge, confirm: func() {},
		report: Report{Kinds: map[string]*KindReport{}},
	}
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.report.Kinds
}
