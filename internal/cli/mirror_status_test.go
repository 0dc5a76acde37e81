package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tenantry/tenantry/store"
)

func TestMirrorStatus(t *testing.T) {
	t.Parallel()
	own := newOwnClerk(t)
	env := own.withoutKeys() // the database is enough
	o := run(t, env, "mirror", "status")
	for _, want := range []string{"0 pending, 0 dead letters", "comparing  no", "never yet", "no events in the last 24 hours"} {
		if o.code != 0 || o.stderr != "" || !strings.Contains(o.stdout, want) {
			t.Errorf("of an empty copy: exit %d, stderr %q, want %q in\n%s", o.code, o.stderr, want, o.stdout)
		}
	}
	if o := run(t, own.env, "mirror", "backfill"); o.code != 0 {
		t.Fatal(o.stderr)
	}
	now := time.Now()
	for id, e := range map[string]store.Event{
		"msg_1": {Type: "user.created", State: store.EventPending, ReceivedAt: now.Add(-time.Hour)},
		"msg_2": {Type: "odd\x1b[2J", State: store.EventDead, ReceivedAt: now},
		"msg_3": {Type: "role.created", State: store.EventDead, ReceivedAt: now.Add(-25 * time.Hour)},
	} {
		e.ID, e.Body = id, []byte("{}")
		if _, err := own.store.StoreEvent(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	o = run(t, env, "mirror", "status")
	for _, want := range []string{
		"1 pending, the oldest for 1h0m", ", 2 dead letters", "22 rows otherwise, 0 of them left alone",
		"memberships    4     0     0\n", "memberships      4        0          0      0\n", "user.created        pending  1\n", `odd\u001b[2J`,
	} {
		if o.code != 0 || o.stderr != "" || !strings.Contains(o.stdout, want) {
			t.Errorf("exit %d, stderr %q, want %q in\n%s", o.code, o.stderr, want, o.stdout)
		}
	}
	if strings.Contains(o.stdout, "role.created") || strings.Contains(o.stdout, "\x1b") {
		t.Errorf("an event of the day before, or a control character:\n%s", o.stdout)
	}

	var got struct {
		Inbox struct {
			Pending, Dead int
			OldestPending time.Time
		}
		Events         []store.EventCount
		Rows           []store.RowCount
		Comparing      bool
		Unfinished     *struct{}
		LastComparison struct {
			StartedAt, FinishedAt time.Time
			Drift, Refused        int
			Kinds                 map[string]struct{ Missing int }
		}
	}
	o = run(t, env, "mirror", "status", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &got); err != nil || o.code != 0 || o.stderr != "" {
		t.Fatalf("exit %d, %v, stdout %s, stderr %s", o.code, err, o.stdout, o.stderr)
	}
	last := got.LastComparison
	if got.Inbox.Pending != 1 || got.Inbox.Dead != 2 || now.Sub(got.Inbox.OldestPending).Round(time.Minute) != time.Hour ||
		len(got.Events) != 2 || len(got.Rows) != 7 || got.Rows[1] != (store.RowCount{Kind: "users", Live: 4}) || got.Comparing || got.Unfinished != nil ||
		last.Drift != 22 || last.Refused != 0 || last.Kinds["users"].Missing != 4 || last.FinishedAt.Before(last.StartedAt) {
		t.Errorf("as JSON: %s", o.stdout)
	}
}
