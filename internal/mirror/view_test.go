package mirror

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// reads returns the facts and how many statements that took.
func (f *fixture) reads(t testing.TB, organizationID, userID, sessionID, role string) (Facts, int) {
	t.Helper()
	ctx, count := store.WithStatementCount(t.Context())
	facts, err := f.Facts(ctx, organizationID, userID, sessionID, role)
	if err != nil {
		t.Fatal(err)
	}
	return facts, count()
}

// remembered waits until the facts come out of memory.
func (f *fixture) remembered(t testing.TB, organizationID, userID string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, statements := f.reads(t, organizationID, userID, "sess_1", ""); statements == 0 {
			return
		}
	}
	t.Fatal("the facts are never remembered")
}

// joined is a world with one member, all of it received.
func (f *fixture) joined(t testing.TB, prefix string) (*world, *worldMember) {
	t.Helper()
	w := newWorld(&world{
		regime: regimes[0], random: rand.New(rand.NewPCG(8, 8)), prefix: prefix, crowd: 2, now: time.Now().UnixMilli() - 60_000,
	}, 0)
	w.join(w.organizations[0], w.users[0])
	f.receiveAll(t, w)
	return w, w.members[0]
}

// receiveAll delivers what a world has said since the last time.
func (f *fixture) receiveAll(t testing.TB, w *world) {
	t.Helper()
	for _, e := range w.events {
		f.receive(t, e.id, e.body)
	}
	w.prefix += "n" // message ids are made of the prefix and the number
	w.events = nil
}

func TestFactsAreRemembered(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	w, m := f.joined(t, "f")
	if _, statements := f.reads(t, m.organization.id, m.user.id, "sess_1", ""); statements == 0 {
		t.Error("facts are remembered although nobody listens for changes")
	}
	f.run(t)
	f.remembered(t, m.organization.id, m.user.id)
	other, otherUser := w.organizations[1].id, w.users[1].id
	f.remembered(t, other, otherUser)

	w.tick(1)
	m.role, m.updated = "org:admin", w.now
	w.emitMember("updated", m)
	f.receiveAll(t, w)
	if facts, statements := f.reads(t, m.organization.id, m.user.id, "sess_1", ""); facts.Role != "org:admin" || statements == 0 {
		t.Errorf("after the role changed: %+v by %d statements", facts, statements)
	}
	if _, statements := f.reads(t, other, otherUser, "sess_1", ""); statements != 0 {
		t.Errorf("another organization's facts were forgotten")
	}
	f.remembered(t, m.organization.id, m.user.id)
	w.tick(1)
	w.remove(m)
	f.receiveAll(t, w)
	if facts, _ := f.reads(t, m.organization.id, m.user.id, "sess_1", ""); facts.Membership != MembershipEnded {
		t.Errorf("after the removal: %+v", facts)
	}
}

// Whatever can change facts is forgotten here at once, and on another server soon.
func TestEveryChangeIsForgotten(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	here, there := newFixture(t, config), newFixture(t, config)
	here.run(t)
	there.run(t)
	for name, change := range map[string]func(w *world, m *worldMember) func(Facts) bool{
		"role of the member": func(w *world, m *worldMember) func(Facts) bool {
			m.role, m.updated = "org:guest", w.now
			w.emitMember("updated", m)
			return func(f Facts) bool { return f.Role == "org:guest" }
		},
		"end of the membership": func(w *world, m *worldMember) func(Facts) bool {
			w.remove(m)
			return func(f Facts) bool { return f.Membership == MembershipEnded }
		},
		"end of the organization": func(w *world, m *worldMember) func(Facts) bool {
			w.emit("organization.deleted", object{"id": m.organization.id, "deleted": true})
			return func(f Facts) bool { return f.OrganizationDead }
		},
		"end of the user": func(w *world, m *worldMember) func(Facts) bool {
			w.emit("user.deleted", object{"id": m.user.id, "deleted": true})
			return func(f Facts) bool { return f.UserDead }
		},
		"ban": func(w *world, m *worldMember) func(Facts) bool {
			m.user.banned, m.user.updated = true, w.now
			w.emit("user.updated", w.userData(m.user))
			return func(f Facts) bool { return f.UserBarred }
		},
		"end of a ban": func(w *world, m *worldMember) func(Facts) bool {
			m.user.banned, m.user.updated = true, w.now
			w.emit("user.updated", w.userData(m.user))
			w.tick(1)
			m.user.banned, m.user.updated = false, w.now
			w.emit("user.updated", w.userData(m.user))
			return func(f Facts) bool { return !f.UserBarred }
		},
		"end of the session": func(w *world, m *worldMember) func(Facts) bool {
			w.emit("session.revoked", object{"id": "sess_1", "user_id": m.user.id})
			return func(f Facts) bool { return f.SessionRevoked }
		},
		"end of a session of nobody": func(w *world, _ *worldMember) func(Facts) bool {
			w.emit("session.revoked", object{"id": "sess_1"})
			return func(f Facts) bool { return f.SessionRevoked }
		},
		"what the role holds": func(w *world, _ *worldMember) func(Facts) bool {
			w.emit("role.created", object{
				"id": w.id("role_"), "key": "org:member", "name": "M", "permissions": []object{{"key": "org:x:y"}},
				"created_at": w.now, "updated_at": w.now,
			})
			return func(f Facts) bool { return strings.Join(f.RolePermissions, "") == "org:x:y" }
		},
	} {
		// One after the other: a role concerns everybody, and the sessions have one id.
		here.exec(t, "DELETE FROM clerk.revoked_sessions")
		here.exec(t, "DELETE FROM clerk.roles")
		w, m := here.joined(t, "e"+strings.ReplaceAll(name, " ", ""))
		here.remembered(t, m.organization.id, m.user.id)
		there.remembered(t, m.organization.id, m.user.id)
		w.tick(1)
		changed := change(w, m)
		here.receiveAll(t, w)
		if facts, _ := here.reads(t, m.organization.id, m.user.id, "sess_1", ""); !changed(facts) {
			t.Errorf("%s, here: %+v", name, facts)
		}
		deadline := time.Now().Add(20 * time.Second)
		for facts := (Facts{}); !changed(facts); time.Sleep(time.Millisecond) {
			if facts, _ = there.reads(t, m.organization.id, m.user.id, "sess_1", ""); time.Now().After(deadline) {
				t.Errorf("%s, there: %+v", name, facts)
				break
			}
		}
	}
}

// Without the connection on which changes are heard nothing is believed.
func TestABrokenConnectionEmptiesTheView(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	here, there := newFixture(t, config), newFixture(t, config)
	there.run(t)
	w, m := here.joined(t, "b")
	there.remembered(t, m.organization.id, m.user.id)
	const listeners = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_current_snapshot%' AND pid <> pg_backend_pid()"
	for range 3 {
		there.eventually(t, "SELECT count(*) = 1 "+listeners)
		there.exec(t, "SELECT pg_terminate_backend(pid) "+listeners)
		w.tick(1)
		m.role, m.updated = w.word("org:role"), w.now
		w.emitMember("updated", m)
		here.receiveAll(t, w)
		deadline := time.Now().Add(20 * time.Second)
		for facts := (Facts{}); facts.Role != m.role; time.Sleep(time.Millisecond) {
			if facts, _ = there.reads(t, m.organization.id, m.user.id, "sess_1", ""); time.Now().After(deadline) {
				t.Fatalf("%s is still %s", m.role, facts.Role)
			}
		}
		there.remembered(t, m.organization.id, m.user.id)
	}
	if !strings.Contains(there.logs.String(), "changes of other servers cannot be heard") {
		t.Error("it is not in the log")
	}
}

// A read that began before a change of its pair is answered and not kept.
func TestAReadThatAChangeOvertookIsNotKept(t *testing.T) {
	t.Parallel()
	key := factsKey{couple{"org_1", "user_1"}, "sess_1", "org:admin"}
	for name, test := range map[string]struct {
		change store.Change
		kept   bool
	}{
		"the pair":             {store.Change{OrganizationID: "org_1", UserID: "user_1"}, false},
		"the user":             {store.Change{UserID: "user_1"}, false},
		"the organization":     {store.Change{OrganizationID: "org_1"}, false},
		"the session":          {store.Change{SessionID: "sess_1", UserID: "user_1"}, false},
		"a role":               {store.Change{Role: true}, false},
		"another member":       {store.Change{OrganizationID: "org_1", UserID: "user_2"}, true},
		"another organization": {store.Change{OrganizationID: "org_2", UserID: "user_1"}, true},
		"another session":      {store.Change{SessionID: "sess_2", UserID: "user_1"}, true},
	} {
		v := newView()
		v.Changed(nil, time.Now().Add(time.Hour))
		read := func(context.Context, factsKey) (Facts, error) {
			v.Changed([]store.Change{test.change}, time.Now().Add(time.Hour))
			return Facts{Role: "org:old"}, nil
		}
		if facts, err := v.facts(t.Context(), key, read); err != nil || facts.Role != "org:old" {
			t.Fatal(facts, err)
		}
		if _, kept := v.known["user_1"][key]; kept != test.kept {
			t.Errorf("%s: kept is %v", name, kept)
		}
		v.keep(key, Facts{})
		v.forget([]store.Change{test.change})
		if _, kept := v.known["user_1"][key]; kept != test.kept {
			t.Errorf("%s, afterwards: kept is %v", name, kept)
		}
	}
}

// A connection that breaks and is made again while a read begins leaves nothing behind that may be wrong.
func TestABreakAmidAReadIsSeen(t *testing.T) {
	t.Parallel()
	v, key := newView(), factsKey{couple{"org_1", "user_1"}, "sess_1", ""}
	var truth atomic.Int64
	read := func(context.Context, factsKey) (Facts, error) { return Facts{Role: fmt.Sprint(truth.Load())}, nil }
	reading, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for reading.Err() == nil {
				_, _ = v.facts(reading, key, read)
			}
		})
	}
	soon := func() time.Time { return time.Now().Add(time.Hour) }
	for n := range int64(scale(3000, 100_000)) {
		v.Changed(nil, soon())
		v.distrust()
		truth.Store(n) // a change that is never told
		v.Changed(nil, soon())
		if facts, err := v.facts(t.Context(), key, read); err != nil || facts.Role != fmt.Sprint(n) {
			t.Fatalf("after break %d the facts are of %s, %v", n, facts.Role, err)
		}
	}
	stop()
	readers.Wait()
}

func TestTheViewIsBounded(t *testing.T) {
	t.Parallel()
	v := newView()
	for i := range viewSize + 1 {
		v.keep(factsKey{couple{"org_1", fmt.Sprint("user_", i)}, "", ""}, Facts{})
	}
	if v.size != 1 || len(v.known) != 1 {
		t.Errorf("%d of %d", v.size, len(v.known))
	}
}

// While events change everything, what is remembered is what the database says, once it is quiet.
func TestTheViewEndsInWhatTheDatabaseSays(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	here, there := newFixture(t, config), newFixture(t, config)
	here.run(t)
	there.run(t)
	w := newWorld(&world{
		regime: regimes[1], random: rand.New(rand.NewPCG(9, 9)), prefix: "v", crowd: 6, now: time.Now().UnixMilli() - 3_600_000,
	}, 150)
	asking, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for asking.Err() == nil {
			for _, f := range []*fixture{here, there} {
				for _, m := range w.members {
					_, _ = f.Facts(asking, m.organization.id, m.user.id, "sess_1", "")
				}
			}
		}
	}()
	here.send(t, w.delivery())
	here.eventually(t, "SELECT NOT EXISTS (SELECT FROM clerk.inbox WHERE state = 'pending')")
	time.Sleep(trustFor) // what the other server is behind at most
	stop()
	<-done
	for _, f := range []*fixture{here, there} {
		for _, m := range w.members {
			f.remembered(t, m.organization.id, m.user.id)
			got, _ := f.reads(t, m.organization.id, m.user.id, "sess_1", "")
			want, err := f.readFacts(t.Context(), factsKey{couple{m.organization.id, m.user.id}, "sess_1", ""})
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("remembered %+v, the database has %+v, %v", got, want, err)
			}
		}
	}
}
