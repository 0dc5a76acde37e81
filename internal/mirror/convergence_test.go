package mirror

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/store"
)

// deliver applies events to a model one by one.
func deliver(t testing.TB, m *model, sent []worldEvent, after func(worldEvent)) {
	t.Helper()
	for _, e := range sent {
		if err := e.change.apply(m); err != nil {
			t.Fatalf("%s: %v", e.kind, err)
		}
		if after != nil {
			after(e)
		}
	}
}

func repair(t testing.TB, w *world, m *model) {
	t.Helper()
	for _, answer := range w.reads(m) {
		if err := answer.apply(m); err != nil {
			t.Fatal(err)
		}
	}
}

// difference is empty where the model is what it must be.
func (w *world) difference(m *model) string {
	want := w.reference()
	got := reference{
		organizations: maps.Clone(m.publicOrganizations), members: m.publicMembers,
		access: map[pair]string{}, roles: bare(m.roles, func(r *store.MirrorRole) *store.MirrorRow { return &r.MirrorRow }),
		moreReference: m.more(),
	}
	for id, o := range want.organizations {
		if o.DeletedAt != nil && w.ties > 0 {
			// Which of two names of one millisecond was the last can no longer be read: any will do.
			o.Name, o.Slug = got.organizations[id].Name, got.organizations[id].Slug
			want.organizations[id] = o
		}
	}
	for p, member := range want.members {
		if member.LeftAt != nil && w.ties > 0 && w.bare {
			// The same with the last role of who left, where the deletion did not show it. It gives nothing any more.
			member.Role = got.members[p].Role
			want.members[p] = member
		}
	}
	for p := range m.publicMembers {
		got.access[p] = m.access(p)
	}
	if reflect.DeepEqual(want, got) {
		return w.shownInvitations(m)
	}
	return cmp.Diff(want, got, cmp.AllowUnexported(reference{}, moreReference{}, pair{}))
}

// TestAnyOrderEndsInClerksState is the property that the mirror stands on: P1 and P2.
func TestAnyOrderEndsInClerksState(t *testing.T) {
	t.Parallel()
	const orders = 4
	for i, r := range regimes {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			histories := scale(150, 25_000)
			if i < usual {
				histories = scale(150, 250_000)
			}
			var more moreSeen
			for n := range histories {
				random := rand.New(rand.NewPCG(uint64(i), uint64(n)))
				w := newHistory(random, r, "", 10+random.IntN(30))
				more.add(w.more)
				for range orders {
					m, sent := newModel(), w.delivery()
					deliver(t, m, sent, nil)
					repair(t, w, m)
					if diff := w.difference(m); diff != "" {
						t.Fatalf("history %d: after %s\n(-Clerk +mirror)\n%s", n, kinds(sent), diff)
					}
				}
			}
			more.enough(t, histories)
			t.Logf("%d deliveries, 0 diverged", histories*orders)
		})
	}
}

// TestEveryOrderOfShortHistories leaves nothing to chance.
func TestEveryOrderOfShortHistories(t *testing.T) {
	t.Parallel()
	shortest, longest, wanted := choose(4, 7), choose(6, 8), scale(6_000, 10_000_000)
	permutations, histories := 0, 0
	for n := uint64(0); permutations < wanted; n++ {
		w := newHistory(rand.New(rand.NewPCG(7, n)), regimes[n%uint64(len(regimes))], "", longest)
		w.events = w.events[2:] // the first organization and user, so that they are silent
		if len(w.events) < shortest || len(w.events) > longest || len(w.members) < 1 {
			continue
		}
		histories++
		var first *model
		permute(w.events, func(sent []worldEvent) {
			permutations++
			m := newModel()
			deliver(t, m, sent, nil)
			if first == nil {
				first = m
			}
			if !reflect.DeepEqual(first.publicMembers, m.publicMembers) || !reflect.DeepEqual(first.publicOrganizations, m.publicOrganizations) {
				t.Fatalf("history %d: %s ends in another state\n%s", n, kinds(sent), cmp.Diff(first.publicMembers, m.publicMembers, cmp.AllowUnexported(pair{})))
			}
		})
	}
	t.Logf("%d permutations of %d histories of %d to %d events, 0 diverged", permutations, histories, shortest, longest)
}

func permute(events []worldEvent, visit func([]worldEvent)) {
	var swap func(int)
	swap = func(k int) {
		if k == len(events) {
			visit(events)
			return
		}
		for i := k; i < len(events); i++ {
			events[k], events[i] = events[i], events[k]
			swap(k + 1)
			events[k], events[i] = events[i], events[k]
		}
	}
	swap(0)
}

// TestNobodyComesBack is P3: after a deletion was applied nothing older that arrives later gives access, whatever has
// not arrived yet.
func TestNobodyComesBack(t *testing.T) {
	t.Parallel()
	const orders = 4
	histories := scale(40, 25_000)
	for i, r := range regimes {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			removals := 0
			for n := range histories {
				random := rand.New(rand.NewPCG(100+uint64(i), uint64(n)))
				w := newHistory(random, r, "", 10+random.IntN(30))
				for range orders {
					c := comeback{model: newModel(), world: w, gone: map[string]int64{}, sessions: map[string]bool{}}
					deliver(t, c.model, w.delivery(), func(e worldEvent) {
						if who := c.after(e); who != "" {
							t.Fatalf("history %d: after %s, %s", n, e.kind, who)
						}
					})
					removals += c.removals
				}
			}
			if removals < histories*orders {
				t.Fatalf("only %d removals in %d deliveries", removals, histories*orders)
			}
			t.Logf("%d deliveries, %d removals, 0 came back at any prefix", histories*orders, removals)
		})
	}
}

// comeback watches a delivery for what lives again.
type comeback struct {
	*model
	world    *world
	gone     map[string]int64
	sessions map[string]bool
	removals int
}

// after says what is back once that event was applied; "" for nothing.
func (c *comeback) after(e worldEvent) string {
	if id, at := deletion(e.change); at > 0 {
		c.gone[id] = max(c.gone[id], at)
		c.removals++
	}
	for id := range c.gone {
		if d, p := c.domains[id], c.permissions[id]; d.CreatedAt > 0 && !dead(d.MirrorRow) || p.CreatedAt > 0 && !dead(p.MirrorRow) {
			return id + " is back"
		}
	}
	if ended, over := e.change.(sessionChange); over {
		c.sessions[ended.ID] = true
	}
	for id := range c.sessions {
		if _, revoked := c.model.sessions[id]; !revoked {
			return "session " + id + " lives again"
		}
	}
	for _, member := range c.world.members {
		p := pair{member.organization.id, member.user.id}
		if reason := c.world.barred(p, c.gone, c.model); reason != "" && c.access(p) != "" {
			return fmt.Sprintf("%v has access again: %s", p, reason)
		}
	}
	return ""
}

// deletion is what an event deletes, and when; 0 for none.
func deletion(c change) (id string, at int64) {
	switch c := c.(type) {
	case organizationChange:
		return c.id, c.tombAt
	case userChange:
		return c.id, c.tombAt
	case membershipChange:
		return c.id, c.tombAt
	case domainChange:
		return c.id, c.tombAt
	case permissionChange:
		return c.id, c.tombAt
	}
	return "", 0
}

// barred says why the pair may have no access, knowing which deletions were delivered; "" if it may.
func (w *world) barred(p pair, gone map[string]int64, m *model) string {
	if gone[p.organization] > 0 || gone[p.user] > 0 {
		return "its organization or user was deleted"
	}
	for i := len(w.members) - 1; i >= 0; i-- {
		member := w.members[i]
		if member.organization.id != p.organization || member.user.id != p.user {
			continue
		}
		if gone[member.id] >= member.created && m.memberships[member.id].UserID != "" { // a bare deletion may not say whose
			return "its membership was deleted"
		}
		if m.memberships[member.id].CreatedAt >= member.created {
			return "" // a newer membership than any deleted one arrived
		}
	}
	return ""
}

func kinds(events []worldEvent) string {
	text := ""
	for _, e := range events {
		id, _ := deletion(e.change)
		text += fmt.Sprintf("\n  %s %s at %d", e.kind, id, e.at)
	}
	return text
}
