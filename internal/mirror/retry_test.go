package mirror

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// misconfigured receives events as long as our instance is not the one of the samples, so that all are dead.
func (f *fixture) misconfigured(t *testing.T, events map[string][]byte) {
	t.Helper()
	f.config.InstanceID = func() string { return "ins_misconfigured" }
	for id, body := range events {
		if got := f.receive(t, id, body).Result; got != Dead {
			t.Fatalf("%s: %s", id, got)
		}
	}
	f.ours()
}

// TestRetriedDeadLettersAreAppliedByARunningServer within about the second that its workers sleep.
func TestRetriedDeadLettersAreAppliedByARunningServer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t))
	f.misconfigured(t, map[string][]byte{
		"msg_1": sample(t, "organization.created"), "msg_2": sample(t, "user.updated"), "msg_3": sample(t, "user.deleted"),
	})
	// What an older build could not read at all.
	f.exec(t, "UPDATE clerk.inbox SET type = '', user_id = '', event_at = 0 WHERE id <> 'msg_3'")
	f.run(t)
	began := time.Now()
	if err := f.store.RetryEvent(t.Context(), "msg_1"); err != nil {
		t.Fatal(err)
	}
	f.eventually(t, "SELECT state = 'done' AND type = 'organization.created' AND event_at = 1782900060003 AND error = '' FROM clerk.inbox WHERE id = 'msg_1'")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if got := f.value(t, "SELECT string_agg(state || attempts, ' ') FROM clerk.inbox WHERE id <> 'msg_1'"); got != "dead0 dead0" {
		t.Errorf("the others: %s", got)
	}
	if got := f.value(t, "SELECT count(*) FROM clerk.users"); got != "0" {
		t.Error("another dead letter took effect")
	}
	// The person behind what is readable now is forgotten with their deletion, whoever comes first.
	f.exec(t, "UPDATE clerk.inbox SET body = convert_to(replace(convert_from(body, 'UTF8'), $1, $2), 'UTF8') WHERE id = 'msg_2'", ada, bob)
	if armed, err := f.store.RetryDeadEvents(t.Context()); err != nil || armed != 2 {
		t.Fatal(armed, err)
	}
	f.eventually(t, "SELECT count(*) = 3 FROM clerk.inbox WHERE state = 'done'")
	if got := f.value(t, "SELECT dead AND first_name IS NULL FROM clerk.users"); got != "true" {
		t.Error("the deleted user is not")
	}
	if got := f.value(t, "SELECT type || ' ' || user_id || ' ' || (body IS NULL) FROM clerk.inbox WHERE id = 'msg_2'"); got != "user.updated "+bob+" true" {
		t.Errorf("inbox: %s", got)
	}
}

// TestStillUnusableIsDeadAgain: trying again is no way round what makes an event unusable.
func TestStillUnusableIsDeadAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, dbtest.Config(t)).ours()
	f.receive(t, "msg_1", []byte("{"))
	f.run(t)
	for range 2 {
		if armed, err := f.store.RetryDeadEvents(t.Context()); err != nil || armed != 1 {
			t.Fatal(armed, err)
		}
		f.eventually(t, "SELECT state = 'dead' AND attempts = 1 AND error <> '' FROM clerk.inbox")
	}
}

// TestReplicasShareTheWork starts two mirrors on one database; the second one's clock is ahead, which shows whose work
// was what.
func TestReplicasShareTheWork(t *testing.T) {
	t.Parallel()
	const events = 1200 // more than one batch
	config := dbtest.Config(t)
	f, other := newFixture(t, config), newFixture(t, config).ours()
	other.clock.Store(1000)
	f.misconfigured(t, map[string][]byte{"msg_0": sample(t, "organization.created")})
	f.exec(t, `INSERT INTO clerk.inbox (id, type, user_id, event_at, body, body_sha256, received_at, state, next_at, error)
		SELECT 'msg_' || n, type, user_id, event_at, convert_to(replace(convert_from(body, 'UTF8'), $1, 'org_' || n), 'UTF8'), body_sha256,
			received_at, 'dead', next_at, error
		FROM clerk.inbox, generate_series(1, $2::int - 1) AS n WHERE id = 'msg_0'`, acme, events)
	if armed, err := f.store.RetryDeadEvents(t.Context()); err != nil || armed != events {
		t.Fatal(armed, err)
	}
	f.run(t)
	other.run(t)
	f.eventually(t, "SELECT NOT EXISTS (SELECT FROM clerk.inbox WHERE state <> 'done')")
	if got := f.value(t, "SELECT count(*) FROM public.organizations"); got != fmt.Sprint(events) {
		t.Errorf("organizations: %s", got)
	}
	ahead := f.value(t, "SELECT count(*) FROM clerk.inbox WHERE done_at > now() + interval '500 s'")
	if ahead == "0" || ahead == fmt.Sprint(events) {
		t.Errorf("one of them did all: %s of %d are the second one's", ahead, events)
	}
	if n := f.value(t, "SELECT count(*) FROM clerk.inbox WHERE attempts > 0"); n != "0" {
		t.Errorf("%s were tried more than once", n)
	}
	if strings.Contains(f.logs.String()+other.logs.String(), "level=WARN") {
		t.Errorf("%s%s", f.logs, other.logs)
	}
	f.noDeadlock(t)
}
