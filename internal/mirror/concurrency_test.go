package mirror

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// TestConcurrentSendersEndInClerksState sends the histories of several Clerks to one database, many deliveries at once.
func TestConcurrentSendersEndInClerksState(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	f.run(t)
	var worlds []*world
	var sent []worldEvent
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 18 {
		w := newWorld(&world{
			regime: regimes[i%len(regimes)], random: random, prefix: fmt.Sprintf("w%02dx", i), crowd: 4,
			now: time.Now().UnixMilli(), // what is old is purged
		}, 25)
		worlds, sent = append(worlds, w), append(sent, w.delivery()...)
	}
	random.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	f.send(t, sent)
	f.eventually(t, "SELECT NOT EXISTS (SELECT FROM clerk.inbox WHERE state = 'pending')")
	if dead := f.value(t, "SELECT count(*) FROM clerk.inbox WHERE state = 'dead'"); dead != "0" {
		t.Errorf("%s dead letters", dead)
	}
	if got, want := f.value(t, "SELECT count(*) FROM clerk.inbox WHERE state = 'done'"), len(sent); got == fmt.Sprint(want) {
		t.Errorf("%s of %s deliveries stored: none was a duplicate", got, fmt.Sprint(want))
	}
	for _, w := range worlds {
		for _, answer := range w.reads(f.load(t).only(w.prefix)) {
			if err := f.store.Mirror(t.Context(), func(tx *store.MirrorTx) error { return answer.apply(tx) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := f.load(t)
	for _, w := range worlds {
		if diff := w.difference(all.only(w.prefix)); diff != "" {
			t.Errorf("%s, %s (-Clerk +mirror)\n%s", w.prefix, w.name, diff)
		}
	}
	f.sameFacts(t, all)
	f.noDeadlock(t)
}

// sameFacts compares what SQL decides with what the functions decide.
func (f *fixture) sameFacts(t testing.TB, m *model) {
	t.Helper()
	for p := range m.publicMembers {
		got, err := f.Facts(t.Context(), p.organization, p.user, "sess_none", "")
		if err != nil {
			t.Fatal(err)
		}
		if want := m.facts(p.organization, p.user); !reflect.DeepEqual(got, want) {
			t.Errorf("facts of %v (-functions +SQL)\n%s", p, gocmp.Diff(want, got))
		}
	}
}

// send delivers with eight senders at once.
func (f *fixture) send(t testing.TB, sent []worldEvent) {
	t.Helper()
	queue := make(chan worldEvent)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for e := range queue {
				f.receive(t, e.id, e.body)
			}
		})
	}
	for _, e := range sent {
		queue <- e
	}
	close(queue)
	senders.Wait()
}

// only is the part of the copy that is of the world with that prefix.
func (m *model) only(prefix string) *model {
	part := newModel()
	for id, row := range m.organizations {
		put(part.organizations, prefix, id, id, row)
	}
	for id, row := range m.users {
		put(part.users, prefix, id, id, row)
	}
	for id, row := range m.memberships {
		put(part.memberships, prefix, id, id, row)
	}
	for id, row := range m.roles {
		put(part.roles, prefix, id, id, row)
	}
	for id, row := range m.invitations {
		put(part.invitations, prefix, id, id, row)
	}
	for id, row := range m.domains {
		put(part.domains, prefix, id, id, row)
	}
	for id, row := range m.permissions {
		put(part.permissions, prefix, id, id, row)
	}
	for id, row := range m.sessions {
		put(part.sessions, prefix, id, id, row)
	}
	for id, row := range m.publicOrganizations {
		put(part.publicOrganizations, prefix, id, id, row)
	}
	for p, row := range m.publicMembers {
		put(part.publicMembers, prefix, p.organization, p, row)
	}
	for id, row := range m.publicInvitations {
		put(part.publicInvitations, prefix, id, id, row)
	}
	return part
}

func put[K comparable, V any](into map[K]V, prefix, id string, key K, row V) {
	if _, name, _ := strings.Cut(id, "_"); strings.HasPrefix(name, prefix) {
		into[key] = row
	}
}

func (f *fixture) noDeadlock(t testing.TB) {
	t.Helper()
	f.exec(t, "SELECT pg_stat_clear_snapshot()")
	if n := f.value(t, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"); n != "0" {
		t.Errorf("%s deadlocks", n)
	}
}

// TestPostgresDecidesAsTheModel compares every column of every row, after the same deliveries in the same order. A third
// of them is lost, so that there are states that no complete delivery ends in.
func TestPostgresDecidesAsTheModel(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	m := newModel()
	for i := range 18 {
		w := newHistory(rand.New(rand.NewPCG(11, uint64(i))), regimes[i%len(regimes)], fmt.Sprintf("d%02dx", i), 20)
		sent := w.delivery()
		sent = sent[:len(sent)*2/3]
		deliver(t, m, sent, nil)
		for _, e := range sent {
			f.receive(t, e.id, e.body)
		}
	}
	f.sameRows(t, m)
	f.sameDead(t, m)
	f.sameFacts(t, m)
}

// sameRows compares all that the mirror keeps.
func (f *fixture) sameRows(t testing.TB, m *model) {
	t.Helper()
	got := f.load(t)
	for name, both := range map[string][2]any{
		"clerk.organizations":    {m.organizations, got.organizations},
		"clerk.users":            {m.users, got.users},
		"clerk.memberships":      {m.memberships, got.memberships},
		"clerk.roles":            {m.roles, got.roles},
		"clerk.invitations":      {m.invitations, got.invitations},
		"clerk.domains":          {m.domains, got.domains},
		"clerk.permissions":      {m.permissions, got.permissions},
		"clerk.revoked_sessions": {m.sessions, got.sessions},
		"public.organizations":   {m.publicOrganizations, got.publicOrganizations},
		"public.members":         {m.publicMembers, got.publicMembers},
		"public.invitations":     {m.publicInvitations, got.publicInvitations},
	} {
		if diff := gocmp.Diff(both[0], both[1], gocmp.AllowUnexported(pair{}), gocmp.Comparer(func(a, b []string) bool {
			return strings.Join(a, " ") == strings.Join(b, " ") // a bare row's permissions are nil in one of them
		})); diff != "" {
			t.Errorf("%s (-model +PostgreSQL)\n%s", name, diff)
		}
	}
}

// TestMembershipBesideDeletedUser runs both at the same time, many times: whichever comes second must see the first.
func TestMembershipBesideDeletedUser(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	for i := range 150 {
		w := newWorld(&world{regime: regimes[0], random: rand.New(rand.NewPCG(3, uint64(i))), prefix: fmt.Sprintf("b%03dx", i), crowd: 2}, 0)
		organization, user := w.organizations[0], w.users[0]
		for _, e := range w.events {
			f.receive(t, e.id, e.body) // the user's row is there, so that nothing but the lock on it can hold anybody up
		}
		w.join(organization, user)
		joined := w.events[len(w.events)-1]
		w.tick(1)
		user.tomb = w.emit("user.deleted", object{"id": user.id, "deleted": true})
		deleted := w.events[len(w.events)-1]

		var both sync.WaitGroup
		both.Go(func() { f.receive(t, joined.id, joined.body) })
		both.Go(func() { f.receive(t, deleted.id, deleted.body) })
		both.Wait()
	}
	f.eventually(t, "SELECT NOT EXISTS (SELECT FROM clerk.inbox WHERE state = 'pending')")
	if n := f.value(t, "SELECT count(*) FROM public.members WHERE left_at IS NULL OR name IS NOT NULL OR email IS NOT NULL"); n != "0" {
		t.Errorf("%s deleted users are still members or still named", n)
	}
	if n := f.value(t, "SELECT count(*) FROM public.members"); n != "150" {
		t.Errorf("%s members, want 150", n)
	}
	f.noDeadlock(t)
}

// hasty is the ledger without the lock on the user: it forgets it as soon as the row is read.
type hasty struct {
	*store.MirrorTx
	read func(id string) store.MirrorUser
}

func (h hasty) LockUser(id string) (store.MirrorUser, error) { return h.read(id), nil }

// TestWithoutTheLockADeletedUserStays shows what the lock on the user's row is for.
func TestWithoutTheLockADeletedUserStays(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	w := newWorld(&world{regime: regimes[0], random: rand.New(rand.NewPCG(4, 4)), crowd: 2}, 0)
	organization, user := w.organizations[0], w.users[0]
	w.join(organization, user)
	joined := w.events[len(w.events)-1]
	user.tomb = w.emit("user.deleted", object{"id": user.id, "deleted": true})
	deleted := w.events[len(w.events)-1]

	read := func(id string) (row store.MirrorUser) {
		err := f.store.Mirror(context.Background(), func(tx *store.MirrorTx) (err error) {
			row, err = tx.LockUser(id)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		f.receive(t, deleted.id, deleted.body) // in between
		return row
	}
	err := f.store.Mirror(t.Context(), func(tx *store.MirrorTx) error { return joined.change.apply(hasty{tx, read}) })
	if err != nil {
		t.Fatal(err)
	}
	if n := f.value(t, "SELECT count(*) FROM public.members WHERE left_at IS NULL"); n != "1" {
		t.Errorf("%s members: without the lock the deleted user was expected to stay one", n)
	}
}
