package mirror

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// Two names of one millisecond: only a read can tell.
func TestContradictionsAreRead(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	at := time.Now().Add(-time.Minute).UnixMilli()
	for i, name := range []string{"Right", "Wrong"} {
		body := fmt.Sprintf(`{"type":"organization.updated","instance_id":"ins_1","timestamp":%d,"data":{"id":"org_1","name":%q,`+
			`"created_at":%d,"updated_at":%d}}`, at+int64(i), name, at, at)
		f.receive(t, "msg_"+name, []byte(body))
	}
	if f.value(t, "SELECT name || needs_read FROM clerk.organizations") != "Wrongtrue" {
		t.Fatal("no contradiction was noted")
	}
	clerk.lists["organizations"] = []object{{"id": "org_1", "name": "Right", "created_at": at, "updated_at": at}}
	f.run(t)
	f.eventually(t, "SELECT name = 'Right' AND NOT needs_read FROM clerk.organizations")
	f.eventually(t, "SELECT name = 'Right' FROM public.organizations")
}

// A membership that waits for a read and is not there is ended, after the second read only.
func TestContradictionOfWhatIsGone(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	f.config.ConfirmAfter = time.Minute
	clerk.crowd(2)
	f.config.MinAge = time.Hour // the comparison itself ends nothing
	f.sweep(t, SweepOptions{})
	f.exec(t, "UPDATE clerk.memberships SET needs_read = true WHERE id = 'orgmem_000000'")
	clerk.set(func() { clerk.lists["organization_memberships"] = clerk.lists["organization_memberships"][1:] })
	gone := map[string]time.Time{}
	for _, step := range []struct {
		wait int64
		dead string
	}{{0, "0"}, {30, "0"}, {60, "1"}} {
		f.clock.Add(step.wait)
		if err := f.readWaiting(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		if dead := f.value(t, "SELECT count(*) FROM clerk.memberships WHERE dead"); dead != step.dead {
			t.Errorf("%d s later %s are ended, want %s", step.wait, dead, step.dead)
		}
	}
}

func TestSweepsWhenDue(t *testing.T) {
	t.Parallel()
	url := dbtest.New(t)
	f, clerk := newFixture(t, store.Config{URL: url}), newFakeClerk(t)
	clerk.crowd(3)
	instance := ""
	f.config.Backend, f.config.SweepEvery, f.config.SweepAtStart = clerk.backend(), time.Hour, true
	f.config.InstanceID = func() string { return instance }
	started := f.config.Now()
	due := func(want bool, why string) {
		t.Helper()
		if got, err := f.due(t.Context(), started); err != nil || got != want {
			t.Errorf("%s: due is %v, %v", why, got, err)
		}
	}
	due(false, "before our instance is known")
	instance = "ins_1"
	due(true, "at the start of an empty copy")
	f.config.SweepAtStart = false
	due(false, "at the start with a Clerk that tells everything")
	if err := f.sweepOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.config.SweepAtStart = true
	due(false, "just done, by whichever server")
	f.clock.Add(3700)
	due(true, "an hour later")
	clerk.fail = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/users" {
			return false
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	if err := f.sweepOnce(t.Context()); err == nil {
		t.Error("a comparison without users succeeded")
	}
	due(true, "one that was cut off")
	if f.value(t, "SELECT count(*) FROM clerk.users WHERE NOT dead") != "3" {
		t.Error("an outage of Clerk ended users")
	}
}

func TestRunFillsAnEmptyCopy(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(3)
	f.config.SweepEvery, f.config.SweepAtStart = time.Hour, true
	f.run(t)
	f.eventually(t, "SELECT count(*) = 3 FROM public.members")
	f.eventually(t, "SELECT count(*) = 1 FROM clerk.sweeps WHERE finished_at IS NOT NULL")
}
