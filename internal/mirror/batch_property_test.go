package mirror

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// batchHistory is a world's events, and what a Backend API would have shown of its objects at the time of each, also of
// objects that are gone since.
func batchHistory(random *rand.Rand, r regime, prefix string) (sent []worldEvent, readings map[store.MirrorKind][]reading) {
	w := newHistory(random, r, prefix, 40)
	readings = map[store.MirrorKind][]reading{}
	for _, e := range w.events {
		switch c := e.change.(type) {
		case organizationChange:
			c.statement = authoritative(c.statement, c.version.EnvTS+random.Int64N(3000))
			readings[store.MirrorOrganizations] = append(readings[store.MirrorOrganizations], reading{c.statement, c})
		case userChange:
			c.statement = authoritative(c.statement, c.version.EnvTS+random.Int64N(3000))
			readings[store.MirrorUsers] = append(readings[store.MirrorUsers], reading{c.statement, c})
		case membershipChange:
			c.statement = authoritative(c.statement, c.version.EnvTS+random.Int64N(3000))
			readings[store.MirrorMemberships] = append(readings[store.MirrorMemberships], reading{c.statement, c})
		}
	}
	for kind, all := range readings {
		readings[kind] = slices.DeleteFunc(all, func(r reading) bool { return r.statement.tombAt > 0 }) // no list shows those
	}
	return w.delivery(), readings
}

// some takes up to so many of the readings, in any order.
func some(random *rand.Rand, readings []reading, most int) []reading {
	picked := slices.Clone(readings)
	random.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
	return picked[:min(len(picked), 1+random.IntN(most))]
}

// TestBackfillBatchesEndAsOneByOne applies readings of random worlds in batches, with events in between, to PostgreSQL, and one by
// one to the model: every column of every row is the same. One object may be in a batch several times, as of several times.
func TestBackfillBatchesEndAsOneByOne(t *testing.T) {
	t.Parallel()
	f, m := newFixture(t, dbtest.Config(t)), newModel()
	s := &sweep{Mirror: f.Mirror, changes: true, report: Report{Kinds: map[string]*KindReport{}}}
	inBatch, alone := map[store.MirrorKind]int{}, map[store.MirrorKind]int{}
	for i := range scale(18, 240) {
		random := rand.New(rand.NewPCG(21, uint64(i)))
		sent, readings := batchHistory(random, regimes[i%len(regimes)], fmt.Sprintf("p%03dx", i))
		for n, e := range sent {
			if random.IntN(4) > 0 {
				if err := e.change.apply(m); err != nil {
					t.Fatal(err)
				}
				f.receive(t, fmt.Sprintf("%s_%d", e.id, n), e.body)
			}
			if random.IntN(3) > 0 {
				continue
			}
			k := mirrored[[]int{0, 1, 3}[random.IntN(3)]]
			part := some(random, readings[k.name], 12)
			if len(part) == 0 {
				continue
			}
			f.applyPart(t, s, m, k, part, inBatch, alone)
		}
	}
	t.Logf("in batches %v, one by one after all %v", inBatch, alone)
	for kind := range batches {
		if inBatch[kind] == 0 {
			t.Errorf("no %s went in a batch", kind)
		}
	}
	if alone[store.MirrorMemberships] == 0 {
		t.Error("no batch was given up")
	}
	f.sameRows(t, m)
	f.sameDead(t, m)
	f.sameFacts(t, m)
}

// applyPart applies one batch to both. What is refused in one must be in the other.
func (f *fixture) applyPart(t *testing.T, s *sweep, m *model, k kind, part []reading, inBatch, alone map[store.MirrorKind]int) {
	t.Helper()
	changed, rest, err := s.applyBatches(t.Context(), k, part)
	if err != nil {
		t.Fatal(err)
	}
	inBatch[k.name] += changed
	alone[k.name] += len(rest)
	refused := 0
	for _, r := range rest {
		if err := s.applyOne(t.Context(), r.change); isPermanent(err) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range part {
		if err := r.change.apply(m); isPermanent(err) {
			refused--
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if refused != 0 {
		t.Errorf("%s: %d more were refused than one by one", k.name, refused)
	}
}

// TestBackfillBatchesBesideOtherWriters lets batches of readings and eight senders of events write the same rows at the same time:
// in the end the copy is as Clerk is, and nobody waited for each other in a circle.
func TestBackfillBatchesBesideOtherWriters(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	f.run(t)
	s := &sweep{Mirror: f.Mirror, changes: true, report: Report{Kinds: map[string]*KindReport{}}}
	var sent []worldEvent
	readings := map[store.MirrorKind][]reading{}
	random := rand.New(rand.NewPCG(22, 1))
	m := newModel()
	for i := range scale(9, 90) {
		events, more := batchHistory(random, regimes[i%usual], fmt.Sprintf("q%03dx", i))
		sent = append(sent, events...)
		for kind, r := range more {
			readings[kind] = append(readings[kind], r...)
		}
	}
	var sending sync.WaitGroup
	sending.Go(func() { f.send(t, sent) })
	for _, i := range []int{3, 1, 0, 3, 1} {
		k := mirrored[i]
		random.Shuffle(len(readings[k.name]), func(a, b int) {
			readings[k.name][a], readings[k.name][b] = readings[k.name][b], readings[k.name][a]
		})
		_, rest, err := s.applyBatches(t.Context(), k, readings[k.name])
		if err != nil {
			t.Error(err)
		}
		if _, _, err := s.applyAll(t.Context(), rest); err != nil {
			t.Error(err)
		}
	}
	sending.Wait()
	f.eventually(t, "SELECT NOT EXISTS (SELECT FROM clerk.inbox WHERE state = 'pending')")
	// In which order they came has no say, so the model may have them in any.
	deliver(t, m, sent, nil)
	for _, of := range readings {
		for _, r := range of {
			if err := r.change.apply(m); err != nil && !isPermanent(err) {
				t.Fatal(err)
			}
		}
	}
	f.sameAccess(t, m)
	f.noDeadlock(t)
}

// sameAccess compares what requests are judged by and what they read of living members.
func (f *fixture) sameAccess(t testing.TB, m *model) {
	t.Helper()
	got := f.load(t)
	for p, want := range m.publicMembers {
		if g := got.publicMembers[p]; (g.LeftAt == nil) != (want.LeftAt == nil) || got.access(p) != m.access(p) ||
			g.LeftAt == nil && (g.Role != want.Role || text(deref(g.Name)) != text(deref(want.Name))) {
			t.Errorf("%v: %q %+v, want %q %+v", p, got.access(p), g, m.access(p), want)
		}
	}
	if len(got.publicMembers) != len(m.publicMembers) {
		t.Errorf("%d members, want %d", len(got.publicMembers), len(m.publicMembers))
	}
}

// A batch that needs what it did not lock is given up whole, and its readings go alone.
func TestBatchIsGivenUpWhole(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	at := int64(1_782_900_000_000)
	of := func(id string) statement { return authoritative(live(id, at, at, 0, rankRead, id), at) }
	users := []reading{}
	for _, id := range []string{"user_b", "user_a"} {
		users = append(users, reading{of(id), userChange{statement: of(id)}})
	}
	strange := reading{of("user_a"), userChange{statement: of("user_c")}} // of whom the batch has no lock
	gone := reading{of("user_b"), userChange{statement: deleted("user_b", at+1)}}
	other := reading{of("org_a"), organizationChange{statement: of("org_b")}}
	for what, test := range map[string]struct {
		kind kind
		part []reading
	}{
		"a user without a lock": {usersKind, append(slices.Clone(users), strange)}, "a deletion": {usersKind, append(slices.Clone(users), gone)},
		"an organization without a lock": {mirrored[0], []reading{{of("org_a"), organizationChange{statement: of("org_a")}}, other}},
	} {
		if err := f.applyBatch(context.Background(), test.kind, test.part); !errors.Is(err, errNotInBatch) {
			t.Errorf("%s: %v", what, err)
		}
		if n := f.value(t, "SELECT (SELECT count(*) FROM clerk.users) + (SELECT count(*) FROM clerk.organizations)"); n != "0" {
			t.Errorf("%s: %s rows are left of it", what, n)
		}
		s := &sweep{Mirror: f.Mirror}
		if changed, rest, err := s.applyBatches(t.Context(), test.kind, test.part); err != nil || changed != 0 || len(rest) != len(test.part) {
			t.Errorf("%s: %d merged, %d left, %v", what, changed, len(rest), err)
		}
	}
}
