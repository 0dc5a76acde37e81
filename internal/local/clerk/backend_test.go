package clerk

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// backend asks the Backend API with the secret key.
type backend struct {
	api
	key  string
	seen map[string]bool
}

func openUnlimited(t *testing.T) *Clerk {
	t.Helper()
	c, err := Open(Config{Rights: ours(t), Dir: newDir(t), RateLimit: -1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serveBackend(t *testing.T, c *Clerk) backend {
	t.Helper()
	return backend{serve(t, c), c.SecretKey(), map[string]bool{}}
}

func (b backend) get(path string) *http.Request {
	b.t.Helper()
	r := b.request(http.MethodGet, backendPath+path, nil)
	r.Header.Set("Authorization", "Bearer "+b.key)
	return r
}

// read makes a request that must be answered 200 and decodes the answer.
func (b backend) read(path string, into any) http.Header {
	b.t.Helper()
	response, data := b.send(b.get(path))
	if response.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %d %s", path, response.StatusCode, data)
	}
	if err := json.Unmarshal(data, into); err != nil {
		b.t.Fatal(err)
	}
	return response.Header
}

// ids are those of a list's objects, in its order.
func (b backend) ids(path string) []string {
	b.t.Helper()
	var body list[struct{ ID string }]
	b.read(path, &body)
	ids := make([]string, len(body.Data))
	for i, item := range body.Data {
		ids[i] = item.ID
	}
	return ids
}

func TestBackendNeedsTheSecretKey(t *testing.T) {
	t.Parallel()
	b := serveBackend(t, openUnlimited(t))
	for path := range endpoints {
		r := b.get(path)
		r.Header.Del("Authorization")
		b.refused(r, 401, "authentication_invalid")
	}
	r := b.get("/nothing")
	r.Header.Del("Authorization")
	b.refused(r, 401, "authentication_invalid")
	b.refused(b.get("/nothing"), 404, "resource_not_found")
	b.refused(b.get(""), 404, "resource_not_found")
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
		r := b.request(method, backendPath+"/organizations", object{"name": "Initech"})
		r.Header.Set("Authorization", "Bearer "+b.key)
		b.refused(r, 404, "resource_not_found")
	}
}

// Who reads takes the Date for the moment of the answer, so an answer must not
// hold less than what there was at its Date.
func TestBackendAnswersAreNotOlderThanTheirDate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	var c *Clerk
	during := func() {}
	c, err := Open(Config{Rights: ours(t), Dir: newDir(t), Now: func() time.Time {
		at := now
		during()
		return at
	}})
	if err != nil {
		t.Fatal(err)
	}
	b := serveBackend(t, c)
	var once sync.Once
	during = func() {
		once.Do(func() {
			// A second goes by while the answer is made, and somebody leaves.
			now = now.Add(time.Second)
			acme, _ := c.current.Load().organization("acme")
			planck, _ := c.current.Load().user("max")
			if err := c.update(func(s *state) error { _, _, err := s.removeMembership(acme, planck, now); return err }); err != nil {
				t.Error(err)
			}
		})
	}
	var body list[object]
	header := b.read("/organizations/"+SeededAcme+"/memberships", &body)
	if date := header.Get("Date"); date != "Sun, 22 Nov 2026 10:00:00 GMT" || body.TotalCount != 1 {
		t.Errorf("Date %s with %d members", date, body.TotalCount)
	}
	response, _ := b.send(b.get("/nothing"))
	if date := response.Header.Get("Date"); date != "Sun, 22 Nov 2026 10:00:01 GMT" {
		t.Errorf("an error has the Date %s", date)
	}
}

func TestBackendSeesAChangeAtOnce(t *testing.T) {
	t.Parallel()
	b := serveBackend(t, openUnlimited(t))
	path := "/organizations/" + SeededAcme + "/memberships?user_id=" + seededID("user", "Nora")
	for range 3 {
		if ids := b.ids(path); len(ids) != 0 {
			t.Errorf("%v before joining", ids)
		}
		var out membershipOutput
		b.ok("POST", membershipsPath, object{"organization": "acme", "user": "nora", "role": "guest"}, &out)
		if diff := cmp.Diff([]string{out.Membership.ID}, b.ids(path)); diff != "" {
			t.Error(diff)
		}
		b.ok("PATCH", membershipsPath, object{"organization": "acme", "user": "nora", "role": "member"}, &out)
		var body list[membershipBody]
		b.read(path, &body)
		if m := body.Data[0]; m.Role != "org:member" || m.UpdatedAt != out.Membership.UpdatedAt || m.Organization.MembersCount != 3 {
			t.Errorf("%+v", m)
		}
		b.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "nora"}, &out)
	}
}

// An event and an answer about one object must not differ, or a mirror could
// not tell which of two versions it has.
func TestBackendAndEventsTellTheSame(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	told := map[string]any{}
	for _, m := range c.current.Load().Queue {
		var event struct{ Data object }
		if err := json.Unmarshal([]byte(m.Body), &event); err != nil {
			t.Fatal(err)
		}
		told[event.Data["id"].(string)] = event.Data
	}
	answered := map[string]any{}
	for _, path := range []string{"/organizations", "/organization_roles", "/organization_memberships", "/organization_permissions"} {
		var body list[object]
		b.read(path+"?limit=500", &body)
		for _, item := range body.Data {
			answered[item["id"].(string)] = item
		}
	}
	var users []object
	b.read("/users", &users)
	for _, item := range users {
		answered[item["id"].(string)] = item
	}
	if diff := cmp.Diff(told, answered); diff != "" || len(told) != seededEvents {
		t.Errorf("%d objects (-event +answer):\n%s", len(told), diff)
	}
}
