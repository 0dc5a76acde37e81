package clerk

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

const temporaryUsersPath = "/__clerk/control/v1/temporary-users"

// TestTemporaryUsersEndWithTheNextStart: they and their organizations are deleted when the folder is
// opened again, and nothing is that has their names.
func TestTemporaryUsersEndWithTheNextStart(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	first := openIn(t, dir)
	b := serveBackend(t, first)
	write := func(path string, body object) (made struct{ ID string }) {
		t.Helper()
		response, data := b.write(wantedChange{method: http.MethodPost, path: path, body: body})
		if err := json.Unmarshal(data, &made); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", path, response.StatusCode, data)
		}
		return made
	}
	var temporary userView
	b.ok("POST", temporaryUsersPath, object{"email": "probe@canary.example", "firstName": "Probe"}, &temporary)
	lasting := write("/users", object{"email_address": []string{"probe2@canary.example"}, "first_name": "Probe"})
	theirs := write("/organizations", object{"name": "canary", "created_by": temporary.ID})
	write("/organizations", object{"name": "canary", "created_by": lasting.ID, "private_metadata": object{"temporary": true}})
	write("/organizations/"+SeededAcme+"/memberships", object{"user_id": temporary.ID, "role": "org:admin"})
	write("/organizations/"+theirs.ID+"/memberships", object{"user_id": SeededAda, "role": "org:member"})
	b.refused(b.request("POST", temporaryUsersPath, object{"email": "nobody"}), http.StatusUnprocessableEntity, "form_param_format_invalid")
	b.refused(b.request("POST", temporaryUsersPath, object{"email": "ada@acme.example"}), http.StatusUnprocessableEntity, "form_identifier_exists")
	r := b.request("POST", temporaryUsersPath, object{"email": "other@canary.example"})
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	b.refused(r, http.StatusForbidden, "origin_invalid")

	second := openIn(t, dir)
	s := second.current.Load()
	if _, there := s.userByID(temporary.ID); there || len(s.Users) != len(seededUsers)+1 {
		t.Errorf("users are left: %+v", s.Users)
	}
	if _, there := s.organizationByID(theirs.ID); there || len(s.Organizations) != len(seededOrganizations)+1 {
		t.Errorf("organizations are left: %+v", s.Organizations)
	}
	if len(s.Memberships) != len(seededMemberships)+1 {
		t.Errorf("memberships are left: %+v", s.Memberships)
	}
	var last []string
	for _, m := range s.Queue[len(s.Queue)-2:] {
		last = append(last, m.Type)
	}
	if !slices.Equal(last, []string{"organization.deleted", "user.deleted"}) {
		t.Errorf("the last events are %v", last)
	}
	third := openIn(t, dir)
	if n := len(third.current.Load().Queue); n != len(s.Queue) {
		t.Errorf("another start tells of it again: %d events, want %d", n, len(s.Queue))
	}
}

func TestLiftedLimitsAreALease(t *testing.T) {
	t.Parallel()
	const leasePath = rateLimitPath + "/lease"
	var clock atomic.Int64
	clock.Store(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC).UnixMilli())
	c, err := Open(Config{Rights: ours(t), Dir: newDir(t), RateLimit: 7, Now: func() time.Time { return time.UnixMilli(clock.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	b := serveBackend(t, c)
	answered := func() (n int) {
		for range 12 { // more than the 7 of a window and than the 10 changes of one object
			w := wantedChange{method: http.MethodPatch, path: "/organizations/" + SeededAcme, body: object{"name": "Acme"}}
			if response, _ := b.write(w); response.StatusCode == http.StatusOK {
				n++
			}
		}
		return n
	}
	lease := func(method string, want int) {
		t.Helper()
		var view rateLimitView
		if b.ok(method, leasePath, object{}, &view); view.Requests != want {
			t.Errorf("%s: %+v, want %d", method, view, want)
		}
	}

	lease("POST", -1)
	if n := answered(); n != 12 {
		t.Errorf("%d of 12 answered under a lease", n)
	}
	clock.Add(9_999)
	lease("POST", -1) // renewed
	clock.Add(9_999)
	if n := answered(); n != 12 {
		t.Errorf("%d of 12 answered under a renewed lease", n)
	}
	clock.Add(1)
	if n := answered(); n != 7 {
		t.Errorf("%d answered after the lease, want 7", n)
	}
	lease("POST", -1)
	lease("DELETE", 7)
	clock.Add(10_000)
	if n := answered(); n != 7 {
		t.Errorf("%d answered after the end of a lease, want 7", n)
	}
	b.refused(b.request("POST", leasePath, nil), http.StatusUnsupportedMediaType, "unsupported_content_type")
}
