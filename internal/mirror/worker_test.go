package mirror

import (
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

// TestRestartAppliesWhatWasStored is the moment after a crash between the inbox's commit and the change.
func TestRestartAppliesWhatWasStored(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	before := newFixture(t, config)
	// Of now, since what is old is purged.
	w := newWorld(&world{regime: regimes[1], random: rand.New(rand.NewPCG(5, 6)), crowd: 4, now: time.Now().UnixMilli()}, 30)
	for _, e := range w.delivery() {
		stored, err := before.store.StoreEvent(t.Context(), store.Event{
			ID: e.id, Type: e.kind, UserID: e.person(), At: e.at, Body: e.body, State: store.EventPending, ReceivedAt: time.Now(),
		})
		if err != nil || stored == store.StoredConflict {
			t.Fatal(stored, err)
		}
	}
	if n := before.value(t, "SELECT count(*) FROM clerk.users"); n != "0" {
		t.Fatal("something was applied before the restart")
	}
	// Two servers start: they share the work, and each event takes effect once.
	after, beside := newFixture(t, config), newFixture(t, config)
	after.run(t)
	beside.run(t)
	after.eventually(t, "SELECT NOT EXISTS (SELECT FROM clerk.inbox WHERE state = 'pending')")
	if diff := w.difference(after.load(t)); diff != "" {
		t.Errorf("(-Clerk +mirror)\n%s", diff)
	}
	if n := after.value(t, "SELECT count(*) FROM clerk.inbox WHERE attempts > 0 OR state <> 'done'"); n != "0" {
		t.Errorf("%s events failed", n)
	}
	after.noDeadlock(t)
}

// TestWhatCannotBeAppliedNowIsAppliedLater keeps a row locked for longer than the database waits.
func TestWhatCannotBeAppliedNowIsAppliedLater(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	config.StatementTimeout = 200 * time.Millisecond
	f := newFixture(t, config).ours()
	f.receive(t, "msg_1", sample(t, "user.created"))
	blocker, err := f.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blocker.Exec(t.Context(), "SELECT FROM clerk.users FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	if got := f.receive(t, "msg_2", sample(t, "user.updated")).Result; got != Stored {
		t.Fatalf("with the user locked: %s", got)
	}
	if got := f.value(t, "SELECT state || ' ' || attempts || ' ' || (next_at > received_at + interval '0.9 s') || ' ' || (error <> '') FROM clerk.inbox WHERE id = 'msg_2'"); got != "pending 1 true true" {
		t.Errorf("inbox: %s", got)
	}
	if got := f.receive(t, "msg_2", sample(t, "user.updated")).Result; got != Duplicate {
		t.Errorf("sent again: %s", got)
	}
	// Nothing else is held up by it.
	if got := f.receive(t, "msg_3", sample(t, "organization.created")).Result; got != Applied {
		t.Errorf("an event beside it: %s", got)
	}
	f.run(t)
	f.clock.Add(2) // it is due, and fails again
	f.eventually(t, "SELECT attempts >= 2 FROM clerk.inbox WHERE id = 'msg_2'")
	if err := blocker.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.clock.Add(100)
	f.eventually(t, "SELECT state = 'done' AND error = '' FROM clerk.inbox WHERE id = 'msg_2'")
	if got := f.value(t, "SELECT last_name FROM clerk.users"); got != "King" {
		t.Errorf("last name %s, want King", got)
	}
}

func TestReceiveFailsOnlyWhereNothingIsStored(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Receive(gone, Message{ID: "msg_1", Body: sample(t, "organization.created"), Received: time.Now()}); err == nil {
		t.Error("a delivery whose sender had gone was said to be stored")
	}
	if n := f.value(t, "SELECT count(*) FROM clerk.inbox"); n != "0" {
		t.Errorf("%s stored", n)
	}
	f.store.Close()
	if _, err := f.Receive(t.Context(), Message{ID: "msg_1", Body: sample(t, "organization.created"), Received: time.Now()}); err == nil {
		t.Error("with the database closed a delivery was said to be stored")
	}
}

// TestStoredIsAppliedThoughTheSenderIsGone: what is answered takes effect, whatever becomes of the request.
func TestStoredIsAppliedThoughTheSenderIsGone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	ctx, cancel := context.WithCancel(t.Context())
	f.config.Now = func() time.Time { cancel(); return time.Now() } // asked for when the event is applied
	outcome, err := f.Receive(ctx, Message{ID: "msg_1", Body: sample(t, "organization.created"), Received: time.Now()})
	if err != nil || outcome.Result != Applied || ctx.Err() == nil {
		t.Errorf("%v, %v, %v", outcome, err, ctx.Err())
	}
	if got := f.value(t, "SELECT state FROM clerk.inbox"); got != "done" {
		t.Errorf("inbox: %s", got)
	}
}

func TestBackoffDoublesUpToAnHour(t *testing.T) {
	t.Parallel()
	for attempts, want := range map[int]time.Duration{
		0: time.Second, 1: 2 * time.Second, 5: 32 * time.Second, 11: 2048 * time.Second, 12: time.Hour, 13: time.Hour, 1 << 40: time.Hour,
	} {
		if got := backoff(attempts); got != want {
			t.Errorf("after %d attempts: %s, want %s", attempts, got, want)
		}
	}
}

func TestPurgeKeepsThirtyDaysAndWhatIsPendingAndADayOfSessions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	f.receive(t, "msg_done", sample(t, "organization.created"))
	f.receive(t, "msg_ignored", sample(t, "session.created"))
	f.receive(t, "msg_dead", []byte("{"))
	f.receive(t, "msg_pending", sample(t, "organization.created"))
	f.exec(t, "UPDATE clerk.inbox SET state = 'pending', next_at = now() + interval '1 year' WHERE id = 'msg_pending'")
	f.exec(t, "UPDATE clerk.inbox SET received_at = now() - interval '30 days 1 hour'")
	for id, age := range map[string]time.Duration{"sess_old": 25 * time.Hour, "sess_young": 23 * time.Hour} {
		f.exec(t, "INSERT INTO clerk.revoked_sessions (id, revoked_at) VALUES ($1, $2)", id, time.Now().Add(-age).UnixMilli())
	}
	f.receive(t, "msg_young", sample(t, "organization.updated"))
	f.exec(t, "UPDATE clerk.inbox SET received_at = now() - interval '29 days 23 hours' WHERE id = 'msg_young'")
	f.run(t)
	f.eventually(t, "SELECT string_agg(id, ' ' ORDER BY id) = 'msg_pending msg_young' FROM clerk.inbox")
	f.eventually(t, "SELECT string_agg(id, ' ') = 'sess_young' FROM clerk.revoked_sessions")
	// The copy does not depend on the inbox: a message from before is merely applied again.
	if got := f.receive(t, "msg_done", sample(t, "organization.created")).Result; got != Applied && got != Stored {
		t.Errorf("a purged message: %s", got)
	}
	f.eventually(t, "SELECT state = 'done' FROM clerk.inbox WHERE id = 'msg_done'") // a worker may have been faster
	if got := f.value(t, "SELECT name FROM public.organizations"); got != "Acme Laboratories" {
		t.Errorf("a purged message took the newer name away: %s", got)
	}
}

// TestManyDeadLettersHoldNothingUp stores more unusable events than there are workers, beside good ones.
func TestManyDeadLettersHoldNothingUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	good := sample(t, "organization.created")
	var senders sync.WaitGroup
	for i := range 200 {
		senders.Go(func() {
			body := append([]byte{}, good...)
			if i%10 > 0 {
				body = fmt.Appendf(nil, `{"type": "organization.created", "timestamp": 1782900060003, "data": {"id": %d}}`, i)
			} else {
				body = []byte(strings.ReplaceAll(string(body), acme, fmt.Sprint("org_", i)))
			}
			f.receive(t, fmt.Sprint("msg_", i), body)
		})
	}
	senders.Wait()
	if got := f.value(t, "SELECT count(*) FILTER (WHERE state = 'dead') || ' ' || count(*) FILTER (WHERE state = 'done') FROM clerk.inbox"); got != "180 20" {
		t.Errorf("dead and done: %s", got)
	}
}
