package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

func delivery(id, body string) store.Event {
	return store.Event{
		ID: id, Type: "user.created", UserID: "user_1", At: 7, Body: []byte(body), State: store.EventPending, ReceivedAt: time.Now(),
	}
}

func finished(id string) store.Event {
	return store.Event{ID: id, Type: "user.created", UserID: "user_1", At: 7, State: store.EventDone}
}

func mustStore(t *testing.T, s *store.Store, e store.Event, want store.Stored) {
	t.Helper()
	if got, err := s.StoreEvent(t.Context(), e); err != nil || got != want {
		t.Errorf("%s: %s, %v, want %s", e.ID, got, err, want)
	}
}

func TestInboxTakesAMessageOnce(t *testing.T) {
	t.Parallel()
	config := dbtest.Config(t)
	s := dbtest.OpenWith(t, config)
	state := func(id string) string {
		return owner(t, config, "SELECT state || ' ' || attempts || ' ' || conflicts || ' ' || coalesce(length(body), -1) FROM clerk.inbox WHERE id = $1", id)
	}
	pending := delivery("msg_1", "\x00\xff")
	mustStore(t, s, pending, store.StoredNew)
	mustStore(t, s, pending, store.StoredBefore)
	mustStore(t, s, delivery("msg_1", "other"), store.StoredConflict)
	if got := state("msg_1"); got != "pending 0 1 2" {
		t.Errorf("after a duplicate and a conflict: %s", got)
	}
	// A dead message that comes again is tried again; one that is done is not.
	if err := s.BuryEvent(t.Context(), "msg_1", "unusable", time.Now()); err != nil {
		t.Fatal(err)
	}
	mustStore(t, s, delivery("msg_1", "other"), store.StoredConflict)
	if got := state("msg_1"); got != "dead 1 2 2" {
		t.Errorf("dead: %s", got)
	}
	mustStore(t, s, pending, store.StoredNew)
	if got := state("msg_1"); got != "pending 0 2 2" {
		t.Errorf("armed again: %s", got)
	}
	mirror(t, s, func(tx *store.MirrorTx) error { return tx.FinishEvent(finished("msg_1"), true, time.Now()) })
	mustStore(t, s, pending, store.StoredBefore)
	if err := errors.Join(s.BuryEvent(t.Context(), "msg_1", "late", time.Now()), s.PostponeEvent(t.Context(), "msg_1", "late", time.Now())); err != nil {
		t.Fatal(err)
	}
	if got := state("msg_1"); got != "done 0 2 2" {
		t.Errorf("done: %s", got)
	}
	ignored := delivery("msg_2", "secret")
	ignored.State = store.EventIgnored
	mustStore(t, s, ignored, store.StoredNew)
	mustStore(t, s, ignored, store.StoredBefore)
	mustStore(t, s, delivery("msg_2", "other"), store.StoredConflict)
	if got := state("msg_2"); got != "ignored 0 1 -1" {
		t.Errorf("ignored: %s", got)
	}
}

// TestEventsAreClaimedByOneAtATime holds one transaction open while others look for work.
func TestEventsAreClaimedByOneAtATime(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t)
	now := time.Now()
	for i := range 3 {
		e := delivery(fmt.Sprint("msg_", i), "{}")
		e.ReceivedAt = now.Add(time.Duration(i-3) * time.Second)
		mustStore(t, s, e, store.StoredNew)
	}
	next := func(tx *store.MirrorTx) string {
		e, found, err := tx.NextEvent(now)
		if err != nil || found && (string(e.Body) != "{}" || e.UserID != "user_1" || e.At != 7 || e.State != store.EventPending) {
			t.Errorf("%+v, %v", e, err)
		}
		return e.ID
	}
	claim := func(tx *store.MirrorTx, id string, want bool) {
		if got, err := tx.ClaimEvent(id); err != nil || got != want {
			t.Errorf("claim of %s: %t, %v", id, got, err)
		}
	}
	mirror(t, s, func(outer *store.MirrorTx) error {
		if got := next(outer); got != "msg_0" {
			t.Errorf("first %s", got)
		}
		mirror(t, s, func(inner *store.MirrorTx) error {
			claim(inner, "msg_0", false)
			claim(inner, "msg_1", true)
			claim(inner, "msg_none", false)
			return nil
		})
		mirror(t, s, func(inner *store.MirrorTx) error {
			if got := next(inner); got != "msg_1" {
				t.Errorf("second %s", got)
			}
			return inner.FinishEvent(finished("msg_1"), true, now)
		})
		return nil
	})
	if err := s.PostponeEvent(t.Context(), "msg_0", "later", now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	mirror(t, s, func(tx *store.MirrorTx) error {
		if got := next(tx); got != "msg_2" {
			t.Errorf("with one done and one postponed: %s", got)
		}
		return tx.FinishEvent(finished("msg_2"), true, now)
	})
	mirror(t, s, func(tx *store.MirrorTx) error {
		if got := next(tx); got != "" {
			t.Errorf("with nothing due: %s", got)
		}
		now = now.Add(2 * time.Second)
		if got := next(tx); got != "msg_0" {
			t.Errorf("once it is due: %s", got)
		}
		return nil
	})
}
