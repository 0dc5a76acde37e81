package main

import (
	"net/http"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
)

// A ban holds from the webhook on for a token that lives, is shown to the organization, and ends with the next webhook. A lock
// is only shown.
func TestABanThroughTheLocalClerk(t *testing.T) {
	t.Parallel()
	p := start(t, dbtest.Dir(t))
	ada, max := p.token("ada", "acme"), p.token("max", "acme")
	shown := func() (banned, locked any) {
		t.Helper()
		got := p.ask(ada, `{ organization { members(search: "max") { nodes { banned deprovisioned locked } } } }`, nil)
		of, _ := got.At("organization", "members", "nodes", 0).(map[string]any)
		if of["deprovisioned"] != false {
			t.Errorf("shown: %s", got)
		}
		return of["banned"], of["locked"]
	}
	for _, step := range []struct {
		change         variables
		banned, locked bool
		status         int
	}{
		{variables{"locked": true}, false, true, 200},
		{variables{"banned": true}, true, true, 401},
		{variables{"banned": false, "locked": false}, false, false, 200},
	} {
		step.change["user"] = "max"
		p.control(http.MethodPatch, "users", step.change)
		if got := p.ask(max, `{ organization { documents(first: 1) { nodes { title } } } }`, nil); got.Status != step.status || len(got.Errors) > 0 != (step.status == 401) {
			t.Errorf("%v: %d %s", step.change, got.Status, got)
		}
		if banned, locked := shown(); banned != step.banned || locked != step.locked {
			t.Errorf("%v: shown banned %v, locked %v", step.change, banned, locked)
		}
	}
}
