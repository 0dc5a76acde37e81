package clerk

import (
	"encoding/json"
	"testing"
)

// A ban and a lock are told by user.updated and shown by the Backend API; who is banned gets no token, who is locked does.
func TestBanAndLock(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	rec := receive(t, c.WebhookSecret(), nil)
	run(t, c, rec.url)
	settle(t, c)
	a := serve(t, c)
	for _, step := range []struct {
		change         object
		banned, locked bool
		status         int
	}{
		{object{"user": "max", "banned": true}, true, false, 403},
		{object{"user": "max", "locked": true}, true, true, 403},
		{object{"user": "max", "banned": false}, false, true, 200},
		{object{"user": "max", "locked": false}, false, false, 200},
	} {
		before := c.current.Load().Users[1].UpdatedAt
		var out restrictionOutput
		a.ok("PATCH", "/__clerk/control/v1/users", step.change, &out)
		if out.User != "max" || out.Banned != step.banned || out.Locked != step.locked || !out.Delivered {
			t.Errorf("%v: %+v", step.change, out)
		}
		deliveries := rec.deliveries()
		event := deliveries[len(deliveries)-1].event(t)
		var data userBody
		if err := json.Unmarshal(event.Data, &data); err != nil {
			t.Fatal(err)
		}
		if event.Type != "user.updated" || data.Banned != step.banned || data.Locked != step.locked || data.UpdatedAt <= before {
			t.Errorf("%v: %s %+v", step.change, event.Type, data)
		}
		if _, _, err := c.token(tokenRequest{UserID: data.ID, Version: 2}); (err == nil) != (step.status == 200) {
			t.Errorf("%v: a token: %v", step.change, err)
		}
	}
}
