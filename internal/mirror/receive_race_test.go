package mirror

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// TestOneOfTwoBodiesUnderOneIDTakesEffect delivers both at the same time, about different organizations, so that nothing
// but the id can hold them up.
func TestOneOfTwoBodiesUnderOneIDTakesEffect(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	const messages = 100
	for i := range messages {
		results := make(chan Result, 2)
		var both sync.WaitGroup
		for _, which := range []string{"a", "b"} {
			body := bytes.ReplaceAll(sample(t, "organization.created"), []byte(acme), fmt.Appendf(nil, "org_%d%s", i, which))
			both.Go(func() { results <- f.receive(t, fmt.Sprint("msg_", i), body).Result })
		}
		both.Wait()
		if one, two := <-results, <-results; one == two || one != Applied && two != Applied || one != Conflict && two != Conflict {
			t.Fatalf("message %d: %s and %s, want one applied and one a conflict", i, one, two)
		}
	}
	got := f.value(t, `SELECT count(*) || ' ' || count(DISTINCT rtrim(o.id, 'ab')) || ' ' || bool_and(position(o.id::bytea IN i.body) > 0)
		FROM clerk.organizations AS o JOIN clerk.inbox AS i ON i.id = 'msg_' || substring(o.id FROM '\d+')`)
	if want := fmt.Sprintf("%d %[1]d true", messages); got != want {
		t.Errorf("organizations, messages that made one, of the body that stands: %s, want %s", got, want)
	}
	f.noDeadlock(t)
}

// TestSecondDeliveryWaitsForTheFirst holds the first one open after it was stored and before it is committed.
func TestSecondDeliveryWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	for _, commits := range []bool{true, false} {
		t.Run(fmt.Sprint("commits: ", commits), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, dbtest.Config(t)).ours()
			second := make(chan Result, 1)
			first := store.Event{ID: "msg_1", Type: "organization.updated", Body: []byte("{}"), ReceivedAt: time.Now()}
			err := f.store.Mirror(t.Context(), func(tx *store.MirrorTx) error {
				if fresh, err := tx.StoreDone(first, true, time.Now()); err != nil || !fresh {
					t.Errorf("%t, %v", fresh, err)
				}
				go func() { second <- f.receive(t, "msg_1", sample(t, "organization.created")).Result }()
				f.eventually(t, "SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
				if commits {
					return nil
				}
				return context.Canceled
			})
			want, rows := Conflict, "0"
			if !commits {
				want, rows = Applied, "1"
			}
			if (err == nil) != commits {
				t.Error(err)
			}
			if got := <-second; got != want {
				t.Errorf("the second is %s, want %s", got, want)
			}
			if got := f.value(t, "SELECT count(*) FROM clerk.organizations"); got != rows {
				t.Errorf("%s organizations, want %s", got, rows)
			}
		})
	}
}

// panicking is a change with a fault in it.
type panicking struct{}

func (panicking) person() string { return "" }

func (panicking) apply(tx ledger) error {
	_, err := tx.LockOrganization("org_half")
	panic(fmt.Sprint("secret of a person ", err))
}

// TestPanicBecomesADeadLetter, at delivery and at a worker's hands.
func TestPanicBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	e := store.Event{ID: "msg_1", Type: "user.created", Body: []byte("{}"), State: store.EventPending, ReceivedAt: time.Now()}
	if outcome, err := f.take(t.Context(), e, event{kind: e.Type, change: panicking{}}, nil); err != nil || outcome != Dead {
		t.Errorf("%s, %v", outcome, err)
	}
	if got := f.value(t, "SELECT state || attempts || error FROM clerk.inbox"); got != "dead1the server panicked at it" {
		t.Errorf("inbox: %s", got)
	}
	err := f.store.Mirror(t.Context(), func(tx *store.MirrorTx) error {
		return f.applyClaimed(tx, e, event{kind: e.Type, change: panicking{}})
	})
	if !isPermanent(err) {
		t.Errorf("a worker: %v", err)
	}
	if got := f.value(t, "SELECT count(*) FROM clerk.organizations"); got != "0" {
		t.Error("half of the change is there")
	}
	if said := f.logs.String(); !strings.Contains(said, "receive_race_test.go") || strings.Contains(said, "secret") {
		t.Errorf("logged without where, or with what was thrown: %s", said)
	}
}

// TestNoBodyOfADeletedUserStays runs events about a person beside the person's deletion: whichever comes second must see
// the first.
func TestNoBodyOfADeletedUserStays(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	for i := range 60 {
		var all sync.WaitGroup
		for _, name := range []string{"user.updated", "organizationMembership.created", "session.ended", "user.deleted"} {
			body := strings.NewReplacer(ada, fmt.Sprint("user_", i), bob, fmt.Sprint("user_", i), session, fmt.Sprint("sess_", i),
				"orgmem_", fmt.Sprint("orgmem_", i)).Replace(string(sample(t, name)))
			all.Go(func() { f.receive(t, fmt.Sprint("msg_", name, i), []byte(body)) })
		}
		all.Wait()
	}
	if got := f.value(t, "SELECT coalesce(string_agg(DISTINCT type || ' of ' || user_id, ', '), 'none') FROM clerk.inbox WHERE body IS NOT NULL AND type <> 'user.deleted'"); got != "none" {
		t.Errorf("bodies about deleted users: %s", got)
	}
	if got := f.value(t, "SELECT count(*) FROM clerk.inbox WHERE state = 'done'"); got != "240" {
		t.Errorf("%s events are done, want 240", got)
	}
}

// TestMirrorsShareTheWork lets two servers find what a third stored before it died. Each waits, at its first event, until
// the other has had one, too.
func TestMirrorsShareTheWork(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	died := newFixture(t, config)
	w := newWorld(&world{regime: regimes[1], random: rand.New(rand.NewPCG(8, 8)), crowd: 4, now: time.Now().UnixMilli()}, 30)
	for _, e := range w.events {
		_, err := died.store.StoreEvent(t.Context(), store.Event{
			ID: e.id, Type: e.kind, UserID: e.person(), At: e.at, Body: e.body, State: store.EventPending, ReceivedAt: time.Now(),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	died.store.Close()

	var mu sync.Mutex
	applied := [2]int{}
	met := make(chan struct{})
	var servers [2]*fixture
	for i := range servers {
		servers[i] = newFixture(t, config)
		servers[i].config.Observe = func(seen Observation) {
			mu.Lock()
			switch seen.Result {
			case Applied:
				if applied[i]++; applied[i] == 1 && applied[1-i] > 0 {
					close(met)
				}
			case Stored: // two events met at one object, and one of them is tried again
			default:
				t.Errorf("%s is %s", seen.Type, seen.Result)
			}
			mu.Unlock()
			<-met
		}
		servers[i].run(t)
	}
	select {
	case <-met:
	case <-time.After(20 * time.Second):
		close(met)
		t.Fatal("one of them did it all")
	}
	servers[0].eventually(t, "SELECT NOT EXISTS (SELECT FROM clerk.inbox WHERE state = 'pending')")
	if n := servers[0].value(t, "SELECT count(*) FROM clerk.inbox WHERE state <> 'done'"); n != "0" {
		t.Errorf("%s events failed", n)
	}
	if diff := w.difference(servers[0].load(t)); diff != "" {
		t.Errorf("(-Clerk +mirror)\n%s", diff)
	}
	mu.Lock()
	defer mu.Unlock()
	if applied[0]+applied[1] < len(w.events) {
		t.Logf("%v of %d seen so far", applied, len(w.events)) // told after the commit
	}
	if applied[0]+applied[1] > len(w.events) {
		t.Errorf("%v events applied, of %d: some twice", applied, len(w.events))
	}
}
