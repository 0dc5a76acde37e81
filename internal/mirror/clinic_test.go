package mirror

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
	"golang.org/x/time/rate"
)

// faults are the ways in which a clinic's Clerk is not as assumed.
type faults struct {
	noDate, noKeys, otherKeys, noIssuer bool
	clockOff                            time.Duration
	usersInEnvelope                     bool
	shortPages, refuses500              bool
	descending, noTotal, partial        bool
	limited, limitedSilent              bool
	noSystemPermissions, noRoles        bool
	noDocuments                         bool

	keeps     map[string]bool // kinds of objects whose updated_at a change does not raise
	sameID    bool
	cascades  bool
	deletions bool // raise updated_at
	seconds   bool
	noTime    bool
	instance  string

	tokenLife    int
	tokenSystem  bool
	tokenNoOrg   bool
	refuse       func(method, path string) int  // a status, 0 for none
	loseAnswer   func(method, path string) bool // after the work is done
	extraHeaders map[string]string
}

// clinic is a Backend API with its writing half, and an issuer. Its events go to emit.
type clinic struct {
	*fakeClerk
	faults
	issuer  string
	emit    func(body []byte)
	last    int64
	counter int
	written int
}

func newClinic(t *testing.T, f faults) *clinic {
	t.Helper()
	c := &clinic{fakeClerk: newFakeClerk(t), faults: f}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kid := "ins_1"
		if c.otherKeys {
			kid = "ins_2"
		}
		if c.noIssuer || r.URL.Path != keySetPath || r.Header.Get("Authorization") != "" {
			http.NotFound(w, r)
			return
		}
		answerJSON(w, object{"keys": []object{{"kid": kid}}})
	}))
	t.Cleanup(issuer.Close)
	c.issuer = issuer.URL
	c.fail = c.answer
	if !f.noRoles {
		for i, key := range []string{"org:admin", "org:member"} {
			permissions := []object{{"id": "perm_1", "key": "org:documents:read"}}
			if !f.noSystemPermissions {
				permissions = append(permissions, object{"id": "perm_2", "key": "org:sys_memberships:read"})
			}
			c.lists["organization_roles"] = append(c.lists["organization_roles"], object{
				"id": fmt.Sprint("role_", i), "key": key, "name": "Secret" + key, "permissions": permissions, "created_at": int64(1000 + i), "updated_at": int64(1000 + i),
			})
		}
	}
	return c
}

// populate makes an organization with two members, whose names must never be shown.
func (c *clinic) populate() {
	c.set(func() {
		key := "documents:read" // as Clerk's examples have it, without org:
		if c.faults.noDocuments {
			key = "documents:write"
		}
		c.lists["organization_permissions"] = []object{{"id": "perm_1", "key": key, "created_at": 1, "updated_at": 1}}
		for i := range 2 {
			at := c.moment()
			o := object{"id": fmt.Sprint("org_seed", i), "name": "SecretOrganization", "created_at": at, "updated_at": at}
			u := object{"id": fmt.Sprint("user_seed", i), "first_name": "SecretName", "email_addresses": []object{{"email_address": "secret@acme.example"}}, "created_at": at, "updated_at": at}
			c.lists["organizations"], c.lists["users"] = append(c.lists["organizations"], o), append(c.lists["users"], u)
			c.lists["organization_memberships"] = append(c.lists["organization_memberships"], c.membership(o, u["id"].(string), "org:admin"))
		}
	})
}

func (c *clinic) doctor(f *fixture, write bool) *Doctor {
	heard := &hearing{next: http.DefaultTransport, names: map[string]string{}}
	carrier := newCarrier(BackendConfig{Transport: heard, AttemptTimeout: 2 * time.Second, Logger: quiet})
	carrier.budget = rate.NewLimiter(rate.Inf, 1)
	key := fakeKey
	probe := &Probe{
		api:    clerk.NewBackend(&clerk.BackendConfig{HTTPClient: &http.Client{Transport: carrier}, URL: &c.url, Key: &key}),
		writes: write, heard: heard,
	}
	asked := []string{"org:documents:read", "org:sys_memberships:read"}
	config := DoctorConfig{Probe: probe, Issuer: c.issuer, Permissions: asked, NoInbox: "there is no database", Patience: 20 * time.Second}
	if f != nil {
		config.Store, config.NoInbox = f.store, ""
		var mu sync.Mutex
		sent := 0
		c.emit = func(body []byte) {
			mu.Lock()
			defer mu.Unlock()
			sent++
			if _, err := f.Receive(context.Background(), Message{ID: fmt.Sprint("msg_clinic", sent), Body: body, Received: time.Now()}); err != nil {
				panic(err)
			}
		}
	}
	d := NewDoctor(config)
	d.poll = 5 * time.Millisecond
	return d
}

// moment is a time of the clinic's that never returns.
func (c *clinic) moment() int64 {
	if c.last == 0 {
		c.last = time.Now().Add(-time.Minute).UnixMilli()
	}
	c.last += 300 // apart, as requests within a budget are
	return c.last
}

func (c *clinic) id(kind string) string {
	c.counter++
	return fmt.Sprintf("%s_c%d", kind, c.counter)
}

func (c *clinic) membership(organization object, user, role string) object {
	at := c.moment()
	return object{
		"id": c.id("orgmem"), "role": role, "organization": organization, "created_at": at, "updated_at": at,
		"public_user_data": object{"user_id": user, "first_name": "SecretName", "identifier": "secret@acme.example"},
	}
}

// event sends one, some milliseconds after what it tells of.
func (c *clinic) event(kind string, data object) {
	if c.emit == nil {
		return
	}
	at := c.last + 2
	e := object{"object": "event", "type": kind, "instance_id": cmp.Or(c.faults.instance, "ins_1"), "data": data, "timestamp": at}
	if c.seconds {
		e["timestamp"] = at / 1000
	}
	if c.noTime {
		delete(e, "timestamp")
	}
	body, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	c.emit(body)
}

// touch raises updated_at, unless a fault keeps it.
func (c *clinic) touch(kind string, o object) {
	at := c.moment()
	if !c.keeps[kind] {
		o["updated_at"] = at
	}
}

// answer is the clinic's own part of the API; false leaves the rest to the fake below. It is called with its lock.
func (c *clinic) answer(w http.ResponseWriter, r *http.Request) bool {
	c.now = time.Now().UnixMilli()
	switch {
	case c.noDate:
		w.Header()["Date"] = nil
	case c.clockOff != 0:
		w.Header().Set("Date", time.Now().Add(c.clockOff).UTC().Format(http.TimeFormat))
	}
	for name, value := range c.extraHeaders {
		w.Header().Set(name, value)
	}
	where := strings.TrimPrefix(r.URL.Path, "/v1")
	if c.limited || c.limitedSilent {
		if !c.limitedSilent {
			w.Header().Set("Retry-After", "0")
		}
		c.limited, c.limitedSilent = false, false
		c.fakeClerk.refuse(w, http.StatusTooManyRequests)
		return true
	}
	if c.faults.refuse != nil {
		if status := c.faults.refuse(r.Method, where); status != 0 {
			w.WriteHeader(status)
			answerJSON(w, object{"errors": []object{{"code": "some_code", "message": "secret words"}}})
			return true
		}
	}
	if r.Method == http.MethodGet {
		return c.read(w, r, strings.Split(where, "/")[1:])
	}
	c.written++
	var in object
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		panic(err)
	}
	out := c.write(r.Method, strings.Split(where, "/")[1:], in)
	switch {
	case c.loseAnswer != nil && c.loseAnswer(r.Method, where):
		w.WriteHeader(http.StatusBadGateway)
	case out == nil:
		c.fakeClerk.refuse(w, http.StatusNotFound)
	default:
		answerJSON(w, out)
	}
	return true
}

func (c *clinic) read(w http.ResponseWriter, r *http.Request, segments []string) bool {
	name, query := segments[0], r.URL.Query()
	if len(segments) == 4 && segments[2] == "invitations" {
		answerJSON(w, c.lists["invitations"][find(c.lists["invitations"], segments[3])])
		return true
	}
	if len(segments) > 1 {
		return false
	}
	if name == "jwks" && c.noKeys {
		answerJSON(w, object{"keys": []object{}})
		return true
	}
	if name == "jwks" {
		return false
	}
	all := slices.Clone(c.lists[name])
	if name == "organizations" {
		for _, o := range all {
			o["members_count"] = len(c.members(func(m object) bool { return m["organization"].(object)["id"] == o["id"] }))
		}
	}
	if q := query.Get("query"); q != "" {
		all = slices.DeleteFunc(all, func(o object) bool { return !strings.Contains(fmt.Sprint(o), q) })
	}
	total := len(all)
	switch {
	case c.refuses500 && query.Get("limit") == "500":
		c.fakeClerk.refuse(w, http.StatusUnprocessableEntity)
		return true
	case c.descending:
		slices.Reverse(all)
	case c.shortPages && total > 1:
		all = all[:total-1]
	case c.partial && name == "organization_memberships":
		all = all[:total/2]
		total = len(all)
	}
	bare := name == "users" && !c.usersInEnvelope
	switch {
	case bare:
		answerJSON(w, append([]object{}, all...))
	case c.noTotal:
		answerJSON(w, object{"data": append([]object{}, all...)})
	default:
		answerJSON(w, object{"data": append([]object{}, all...), "total_count": total})
	}
	return true
}

func (c *clinic) members(of func(object) bool) (found []object) {
	for _, m := range c.lists["organization_memberships"] {
		if of(m) {
			found = append(found, m)
		}
	}
	return found
}

// token is a session token; the doctor does not verify it.
func (c *clinic) token(organization any) string {
	part := func(o object) string {
		raw, _ := json.Marshal(o)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	claims := object{"iss": c.issuer, "iat": 1000, "exp": 1000 + cmp.Or(c.tokenLife, 60), "v": 2}
	if !c.tokenNoOrg {
		o := object{"id": organization, "rol": "admin"}
		if c.tokenSystem {
			claims["fea"] = "o:sys_memberships"
		}
		claims["o"] = o
	}
	return part(object{"kid": "ins_1"}) + "." + part(claims) + ".c2ln"
}
