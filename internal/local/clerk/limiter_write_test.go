package clerk

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func openLimited(t *testing.T) (*Clerk, *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	c, err := Open(Config{Rights: ours(t), Dir: newDir(t), RateLimit: 10_000, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return c, &now
}

// answered counts the writes answered before the first 429, and gives its
// Retry-After.
func (b backend) answered(w wantedChange, most int) (count int, retryAfter string) {
	b.t.Helper()
	for ; count < most; count++ {
		response, data := b.write(w)
		if response.StatusCode == http.StatusTooManyRequests {
			if !strings.Contains(string(data), "too_many_requests") {
				b.t.Errorf("%s", data)
			}
			return count, response.Header.Get("Retry-After")
		}
	}
	return count, ""
}

func TestChangesOfOneObjectAreLimited(t *testing.T) {
	t.Parallel()
	c, now := openLimited(t)
	b := serveBackend(t, c)
	acme, globex := "/organizations/"+SeededAcme, "/organizations/"+SeededGlobex
	rename := wantedChange{method: "PATCH", path: acme, body: object{"name": "Acme"}}
	metadata := wantedChange{method: "PATCH", path: acme + "/metadata", body: object{"public_metadata": object{"a": 1}}}
	if count, _ := b.answered(metadata, 4); count != 4 {
		t.Errorf("%d changes of metadata", count)
	}
	if count, wait := b.answered(rename, 20); count != 6 || wait != "10" { // metadata count, too
		t.Errorf("%d changes, then Retry-After %q", count, wait)
	}
	// Another organization, and a member of this one, are other objects.
	if count, _ := b.answered(wantedChange{method: "PATCH", path: globex, body: object{"name": "Globex"}}, 5); count != 5 {
		t.Errorf("%d changes of the other organization", count)
	}
	if count, _ := b.answered(wantedChange{method: "PATCH", path: acme + "/memberships/" + SeededAda, body: object{"role": "org:admin"}}, 20); count != 10 {
		t.Errorf("%d changes of a member", count)
	}
	*now = now.Add(10 * time.Second)
	if count, _ := b.answered(rename, 20); count != 10 {
		t.Errorf("%d changes ten seconds later", count)
	}
	// Who lifts the limit of everything lifts these.
	var view rateLimitView
	b.ok("POST", "/__clerk/control/v1/rate-limit", object{"requests": -1}, &view)
	if count, _ := b.answered(rename, 20); count != 20 {
		t.Errorf("%d changes without a limit", count)
	}
}

func TestInvitationsAreLimited(t *testing.T) {
	t.Parallel()
	c, now := openLimited(t)
	b := serveBackend(t, c)
	refused := wantedChange{method: "POST", path: "/organizations/" + SeededAcme + "/invitations", body: object{"role": "org:member"}} // they count
	if count, wait := b.answered(refused, 300); count != 250 || wait != strconv.Itoa(60*60) {
		t.Errorf("%d invitations, then Retry-After %q", count, wait)
	}
	bulk := wantedChange{method: "POST", path: "/organizations/" + SeededGlobex + "/invitations/bulk", body: []object{}}
	if count, _ := b.answered(bulk, 300); count != 50 {
		t.Errorf("%d bulks", count)
	}
	*now = now.Add(time.Hour)
	if count, _ := b.answered(refused, 1); count != 1 {
		t.Error("an hour later it is still refused")
	}
}

func TestLimitersAreForgotten(t *testing.T) {
	t.Parallel()
	var n narrowLimits
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for i := range manyLimiters {
		n.take(ofOneObject, strconv.Itoa(i), now)
	}
	n.take(ofInvitations, "", now)
	n.take(ofOneObject, "one more", now.Add(10*time.Second))
	if len(n.all) != 2 {
		t.Errorf("%d limiters", len(n.all))
	}
}
