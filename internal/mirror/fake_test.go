package mirror

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
	"golang.org/x/time/rate"

	"github.com/tenantry/tenantry/internal/spectest"
)

const fakeKey = "sk_test_fake"

// fakeClerk is the reading half of a Backend API over HTTP, with the objects of a world or others.
type fakeClerk struct {
	url string

	mu       sync.Mutex
	instance string
	// lists are in the order of creation; ids find in them.
	lists map[string][]object
	// now is Clerk's time, in milliseconds.
	now int64
	// fail, if given, answers in the API's place where it returns true.
	fail     func(w http.ResponseWriter, r *http.Request) bool
	requests []string
}

func newFakeClerk(t testing.TB) *fakeClerk {
	t.Helper()
	f := &fakeClerk{instance: "ins_1", lists: map[string][]object{}, now: time.Now().UnixMilli()}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL + "/v1"
	return f
}

// serve makes the API that of a world, as it is now.
func (f *fakeClerk) serve(w *world) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists, f.requests = map[string][]object{}, nil
	f.now = w.now + 10*time.Minute.Milliseconds()
	for _, o := range w.organizations {
		if o.tomb == 0 {
			f.lists["organizations"] = append(f.lists["organizations"], w.organizationData(o, true))
		}
	}
	for _, u := range w.users {
		if u.tomb == 0 {
			f.lists["users"] = append(f.lists["users"], w.userData(u))
		}
	}
	for _, r := range w.roles {
		if r.tomb == 0 {
			f.lists["organization_roles"] = append(f.lists["organization_roles"], w.roleData(r))
		}
	}
	for _, p := range w.more.permissions {
		if p.tomb == 0 {
			f.lists["organization_permissions"] = append(f.lists["organization_permissions"], p.data())
		}
	}
	for _, i := range w.more.invitations {
		if i.organization.tomb == 0 {
			data := i.data()
			delete(data, "user_id") // which only the event of the acceptance has
			f.lists["organization_invitations"] = append(f.lists["organization_invitations"], data)
		}
	}
	for _, d := range w.more.domains {
		if d.tomb == 0 && d.organization.tomb == 0 {
			f.lists["organization_domains"] = append(f.lists["organization_domains"], d.data())
		}
	}
	for _, m := range w.members {
		if w.member(m.organization, m.user) == m {
			f.lists["organization_memberships"] = append(f.lists["organization_memberships"], w.memberData(m))
		}
	}
}

func (f *fakeClerk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r.URL.RequestURI())
	w.Header().Set(spectest.HeaderStandIn, "it shows what the mirror reads, and no more")
	w.Header().Set("Date", time.UnixMilli(f.now).UTC().Format(http.TimeFormat))
	if f.fail != nil && f.fail(w, r) {
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+fakeKey || r.Method != http.MethodGet {
		f.refuse(w, http.StatusUnauthorized)
		return
	}
	segments := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	all := f.lists[segments[0]]
	switch {
	case segments[0] == "jwks":
		answerJSON(w, object{"keys": []object{{"kid": f.instance}}})
	case len(segments) == 1:
		f.page(w, r, all, segments[0] == "users")
	case len(segments) == 2:
		if i := find(all, segments[1]); i >= 0 {
			answerJSON(w, all[i])
			return
		}
		f.refuse(w, http.StatusNotFound)
	case find(all, segments[1]) < 0:
		f.refuse(w, http.StatusNotFound)
	case segments[2] == "invitations":
		invitations := f.lists["organization_invitations"]
		if i := find(invitations, segments[3]); i >= 0 && invitations[i]["organization_id"] == segments[1] {
			answerJSON(w, invitations[i])
			return
		}
		f.refuse(w, http.StatusNotFound)
	case segments[2] == "domains":
		f.page(w, r, slices.DeleteFunc(slices.Clone(f.lists["organization_domains"]), func(d object) bool {
			return d["organization_id"] != segments[1]
		}), false)
	default: // the memberships of an organization
		f.page(w, r, slices.DeleteFunc(slices.Clone(f.lists["organization_memberships"]), func(m object) bool {
			return m["organization"].(object)["id"] != segments[1] ||
				r.URL.Query().Get("user_id") != m["public_user_data"].(object)["user_id"]
		}), false)
	}
}

func find(all []object, id string) int {
	return slices.IndexFunc(all, func(o object) bool { return o["id"] == id })
}

func (f *fakeClerk) page(w http.ResponseWriter, r *http.Request, all []object, bare bool) {
	limit, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("limit"), "10"))
	offset, _ := strconv.Atoi(cmp.Or(r.URL.Query().Get("offset"), "0"))
	if order := r.URL.Query().Get("order_by"); order != "" && order != "+created_at" {
		f.refuse(w, http.StatusUnprocessableEntity)
		return
	}
	from := min(offset, len(all))
	part := append([]object{}, all[from:min(from+limit, len(all))]...)
	if bare {
		answerJSON(w, part)
		return
	}
	answerJSON(w, object{"data": part, "total_count": len(all)})
}

func (f *fakeClerk) refuse(w http.ResponseWriter, status int) {
	w.WriteHeader(status)
	answerJSON(w, object{"errors": []object{{"code": "some_code", "message": "secret words"}}})
}

func answerJSON(w http.ResponseWriter, body any) { _ = json.NewEncoder(w).Encode(body) }

// asked returns the requests since the last call.
func (f *fakeClerk) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.requests
	f.requests = nil
	return asked
}

func (f *fakeClerk) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// backend is a Backend without a budget, so that tests do not wait.
func (f *fakeClerk) backend() *Backend { return f.backendOver(http.DefaultTransport) }

func (f *fakeClerk) backendOver(transport http.RoundTripper) *Backend {
	c := newCarrier(BackendConfig{Transport: transport, AttemptTimeout: 2 * time.Second, Logger: quiet})
	c.budget = rate.NewLimiter(rate.Inf, 1)
	key := fakeKey
	return &Backend{api: clerk.NewBackend(&clerk.BackendConfig{HTTPClient: &http.Client{Transport: c}, URL: &f.url, Key: &key})}
}
