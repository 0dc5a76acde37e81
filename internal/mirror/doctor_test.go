package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/internal/local/clerk"
	"github.com/tenantry/tenantry/store"
)

func examine(t *testing.T, d *Doctor) (Diagnosis, map[string]Finding) {
	t.Helper()
	diagnosis, err := d.Examine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Finding{}
	for _, f := range diagnosis.Findings {
		if f.Reason == "" || f.LookedAt == "" || f.Assumption == "" || f.Tenantry == "" {
			t.Errorf("a finding says too little: %+v", f)
		}
		found[f.Name] = f
	}
	if len(found) != len(checks) {
		t.Errorf("%d findings of %d checks", len(found), len(checks))
	}
	return diagnosis, found
}

func mustFind(t *testing.T, found map[string]Finding, want FindingResult, names ...string) {
	t.Helper()
	for _, name := range names {
		if f := found[name]; f.Result != want {
			t.Errorf("%s: %s, want %s (%s; looked at %s)", name, f.Result, want, f.Reason, f.LookedAt)
		}
	}
}

// allBut are the names of the checks that are not named.
func allBut(names ...string) (others []string) {
	for _, c := range checks {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+c.name+" ") {
			others = append(others, c.name)
		}
	}
	return others
}

func TestDoctorOfAClerkAsAssumed(t *testing.T) {
	t.Parallel()
	c := newClinic(t, faults{cascades: true, limited: true})
	c.populate()
	f := newFixture(t, store.Config{URL: dbtest.New(t)})
	diagnosis, found := examine(t, c.doctor(f, true))
	mustFind(t, found, Holds, allBut("secret-rotation")...)
	mustFind(t, found, NotChecked, "secret-rotation")
	if diagnosis.Dangerous() || !diagnosis.Wrote || len(diagnosis.LeftBehind) > 0 {
		t.Errorf("%+v", diagnosis)
	}
	if left := c.unchanged(); left != "" {
		t.Error(left)
	}
	// The same is then seen in the inbox alone.
	c.asked()
	written := c.written
	_, found = examine(t, c.doctor(f, false))
	mustFind(t, found, Holds, "event-instance", "event-time", "updated-organization", "updated-role", "user-cascade")
	// Bodies about a deleted user are gone by then, and those of invitations.
	mustFind(t, found, NotChecked, "token", "token-permissions", "updated-invitation", "organization-cascade")
	if c.written != written {
		t.Error("wrote without leave")
	}
}

// sick is one fault each, and what a doctor who may write makes of it.
var sick = map[string]struct {
	faults    faults
	wrong     []string
	dangerous bool
}{
	"no Date":                    {faults{noDate: true}, []string{"clock"}, true},
	"a clock ahead":              {faults{clockOff: time.Minute}, []string{"clock"}, true},
	"a clock behind":             {faults{clockOff: -10 * time.Second}, []string{"clock"}, true},
	"no keys":                    {faults{noKeys: true}, []string{"key-set"}, true},
	"keys of another instance":   {faults{otherKeys: true}, []string{"key-set"}, true},
	"events of another instance": {faults{instance: "ins_9"}, []string{"event-instance"}, true},
	"users in an envelope":       {faults{usersInEnvelope: true}, []string{"users-bare"}, true},
	"500 refused":                {faults{refuses500: true}, []string{"limit-500"}, true},
	"short pages":                {faults{shortPages: true}, []string{"limit-500"}, true},
	"another order":              {faults{descending: true}, []string{"order"}, true},
	"no total_count":             {faults{noTotal: true}, []string{"total-count"}, false},
	"a part of the memberships":  {faults{partial: true}, []string{"memberships-whole"}, true},
	"429 without Retry-After":    {faults{limitedSilent: true}, []string{"rate-limit"}, false},
	"no system permissions":      {faults{noSystemPermissions: true}, []string{"system-permissions"}, false},
	"no permission of documents": {faults{noDocuments: true}, []string{"schema-permissions"}, false},
	"system ones in tokens":      {faults{tokenSystem: true}, []string{"token-permissions"}, false},
	"long tokens":                {faults{tokenLife: 3600}, []string{"token"}, true},
	"seconds":                    {faults{seconds: true}, []string{"event-time"}, false},
	"organizations keep":         {faults{keeps: map[string]bool{"organization": true}}, []string{"updated-organization"}, false},
	"users keep":                 {faults{keeps: map[string]bool{"user": true}}, []string{"updated-user"}, false},
	"bans keep":                  {faults{keeps: map[string]bool{"banned": true}}, []string{"updated-ban"}, false},
	"locks keep":                 {faults{keeps: map[string]bool{"locked": true}}, []string{"updated-lock"}, false},
	"memberships keep":           {faults{keeps: map[string]bool{"organizationMembership": true}}, []string{"updated-membership"}, true},
	"roles keep":                 {faults{keeps: map[string]bool{"role": true}}, []string{"updated-role"}, true},
	"invitations keep":           {faults{keeps: map[string]bool{"organizationInvitation": true}}, []string{"updated-invitation"}, false},
	"deletions raise":            {faults{deletions: true}, []string{"deleted-updated"}, false},
	"the id returns":             {faults{sameID: true}, []string{"rejoin"}, false},
	"no cascades":                {faults{}, []string{"organization-cascade", "user-cascade"}, false},
}

func TestDoctorSeesEachFault(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	failed := map[string]bool{}
	t.Run("faults", func(t *testing.T) {
		for name, test := range sick {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test.faults.cascades = name != "no cascades"
				c := newClinic(t, test.faults)
				c.populate()
				f := newFixture(t, store.Config{URL: dbtest.New(t)})
				diagnosis, found := examine(t, c.doctor(f, true))
				mustFind(t, found, DoesNotHold, test.wrong...)
				for _, other := range allBut(test.wrong...) {
					if found[other].Result == DoesNotHold {
						t.Errorf("%s does not hold either: %s", other, found[other].Reason)
					}
				}
				if diagnosis.Dangerous() != test.dangerous {
					t.Errorf("dangerous: %t", diagnosis.Dangerous())
				}
				if left := c.unchanged(); left != "" {
					t.Error(left)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, w := range test.wrong {
					failed[w] = true
				}
			})
		}
	})
	for _, c := range checks {
		if c.name != "secret-rotation" && !failed[c.name] {
			t.Errorf("%s was never seen to fail", c.name)
		}
	}
}

func TestDoctorSaysWhatItCouldNotCheck(t *testing.T) {
	t.Parallel()
	// An empty instance.
	c := newClinic(t, faults{noRoles: true})
	_, found := examine(t, c.doctor(nil, false))
	mustFind(t, found, NotChecked, "order", "memberships-whole", "system-permissions")
	mustFind(t, found, Holds, "clock", "key-set", "users-bare", "limit-500", "total-count")
	// One that shows nothing but its keys, without a database and without leave to write.
	c = newClinic(t, faults{noIssuer: true, refuse: func(_, path string) int {
		if path == "/jwks" {
			return 0
		}
		return http.StatusForbidden
	}})
	_, found = examine(t, c.doctor(nil, false))
	mustFind(t, found, NotChecked, allBut("clock")...)
	for _, name := range []string{"event-time", "updated-role", "rejoin", "user-cascade"} {
		if !strings.Contains(found[name].Reason, "there is no database") {
			t.Errorf("%s does not say why: %s", name, found[name].Reason)
		}
	}
	if !strings.Contains(found["token"].Reason, "--write") {
		t.Errorf("token: %s", found["token"].Reason)
	}
}

// In a trial that Clerk refuses in parts the rest is checked, and the reason is Clerk's code and nothing else of it.
func TestDoctorSaysWhatWasRefused(t *testing.T) {
	t.Parallel()
	for at, want := range map[string][]string{
		"POST /users":              {"updated-user", "updated-ban", "updated-lock", "updated-organization", "updated-membership", "updated-role", "updated-invitation", "token", "rejoin"},
		"POST /organizations":      {"updated-user", "updated-ban", "updated-lock", "updated-organization", "updated-membership", "updated-role", "updated-invitation", "token", "rejoin"},
		"POST /organization_roles": {"updated-role"},
		"POST /sessions":           {"token", "token-permissions"},
		"POST /memberships":        {"updated-membership", "rejoin"},
		"PATCH /memberships":       {"updated-membership"},
		"DELETE /memberships":      {"rejoin"},
		"POST /invitations":        {"updated-invitation"},
		"PATCH /users":             {"updated-user"},
	} {
		method, part, _ := strings.Cut(at, " ")
		c := newClinic(t, faults{refuse: func(m, path string) int {
			whole := regexp.MustCompile("^" + part + "$|^/organizations/[a-z0-9_]+" + part + "(/user_c[0-9]+)?$|^" + part + "/[a-z0-9_]+$")
			if m == method && whole.MatchString(path) {
				return http.StatusUnprocessableEntity
			}
			return 0
		}})
		c.populate()
		_, found := examine(t, c.doctor(nil, true))
		mustFind(t, found, NotChecked, want...)
		for _, name := range want {
			if !strings.Contains(found[name].Reason, "422, some_code") || strings.Contains(found[name].Reason, "secret words") {
				t.Errorf("%s, %s: %s", at, name, found[name].Reason)
			}
		}
		if left := c.unchanged(); left != "" {
			t.Errorf("%s: %s", at, left)
		}
	}
}

func TestDoctorJudgesOnlyOurInstancesEvents(t *testing.T) {
	t.Parallel()
	other := newClinic(t, faults{instance: "ins_2", seconds: true, cascades: true, keeps: map[string]bool{"role": true, "organization": true}})
	other.populate()
	f := newFixture(t, store.Config{URL: dbtest.New(t)})
	f.config.InstanceID = func() string { return "ins_2" } // its own server took them
	examine(t, other.doctor(f, true))
	c := newClinic(t, faults{})
	c.populate()
	_, found := examine(t, c.doctor(f, false))
	mustFind(t, found, NotChecked, "event-instance", "event-time", "updated-role", "updated-organization", "rejoin",
		"organization-cascade", "user-cascade", "deleted-updated")
	if !strings.Contains(found["event-instance"].Reason, "another instance") {
		t.Error(found["event-instance"].Reason)
	}
}

// A user whose organization was deleted before has no membership that could be deleted with them.
func TestCascadesOfWhatIsDeadAlready(t *testing.T) {
	t.Parallel()
	e := &evidence{kids: []string{"ins_1"}, inbox: newLens(nil, "")}
	e.inbox.events = map[string]seenEvent{
		"1": {kind: "organizationMembership.created", at: 1000, id: "orgmem_1", organizationID: "org_1", userID: "user_1", body: true, instance: "ins_1"},
		"2": {kind: "organization.deleted", at: 5000, id: "org_1", body: true, instance: "ins_1"},
		"3": {kind: "user.deleted", at: 9000, id: "user_1", userID: "user_1", body: true, instance: "ins_1"},
	}
	if got := checkUserCascade(e); got.result != NotChecked {
		t.Errorf("user: %+v", got)
	}
	if got := checkOrganizationCascade(e); got.result != DoesNotHold {
		t.Errorf("organization: %+v", got)
	}
}

// Deliveries are not there at once: the doctor waits for those that must come.
func TestDoctorWaitsForEvents(t *testing.T) {
	t.Parallel()
	c := newClinic(t, faults{cascades: true})
	c.populate()
	f := newFixture(t, store.Config{URL: dbtest.New(t)})
	d := c.doctor(f, true)
	deliver, queue, done := c.emit, make(chan []byte, 100), make(chan struct{})
	c.emit = func(body []byte) { queue <- body }
	go func() {
		defer close(done)
		for body := range queue {
			time.Sleep(20 * time.Millisecond)
			deliver(body)
		}
	}()
	_, found := examine(t, d)
	close(queue)
	<-done
	mustFind(t, found, Holds, "event-time", "event-instance", "updated-organization", "updated-role")
	if reason := found["updated-organization"].Reason; !strings.Contains(reason, "in 1 events") {
		t.Errorf("did not wait: %s", reason)
	}
	// A server to which nothing is delivered.
	c = newClinic(t, faults{})
	c.populate()
	d = c.doctor(newFixture(t, store.Config{URL: dbtest.New(t)}), true)
	c.emit, d.config.Patience = nil, 20*time.Millisecond
	_, found = examine(t, d)
	mustFind(t, found, NotChecked, "event-time", "event-instance", "organization-cascade", "user-cascade")
	mustFind(t, found, Holds, "updated-organization", "rejoin", "token")
}

func TestDoctorShowsNobody(t *testing.T) {
	t.Parallel()
	c := newClinic(t, faults{cascades: true, extraHeaders: map[string]string{"X-RateLimit-Limit": "100", "X-RateLimit-Policy": "SecretPolicy"}})
	c.populate()
	f := newFixture(t, store.Config{URL: dbtest.New(t)})
	var said []string
	d := c.doctor(f, true)
	d.config.Progress = func(text string) { said = append(said, text) }
	diagnosis, found := examine(t, d)
	shown, err := json.Marshal(diagnosis)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"Secret", "secret@", "@example.com", fakeKey, "c2ln", "user_", "org_"} {
		if text := string(shown) + strings.Join(said, " "); strings.Contains(strings.ReplaceAll(text, "secret-rotation", ""), secret) {
			t.Errorf("shows %q: %s", secret, text)
		}
	}
	if reason := found["rate-limit"].Reason; !strings.Contains(reason, "X-Ratelimit-Limit 100") {
		t.Errorf("rate-limit: %s", reason)
	}
	mustFind(t, found, NotChecked, "rate-limit")
}

func TestDoctorWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{http.StatusUnauthorized: ErrUnauthorized, http.StatusServiceUnavailable: ErrBackendUnavailable} {
		c := newClinic(t, faults{refuse: func(string, string) int { return status }, extraHeaders: map[string]string{"Retry-After": "0"}})
		if _, err := c.doctor(nil, true).Examine(t.Context()); !errors.Is(err, want) || c.written > 0 {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestProbeWritesOnlyWithLeave(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"sk_live_1", "", "whatever"} {
		if _, err := NewProbe(BackendConfig{URL: "http://clerk.example", SecretKey: key}, true); err == nil {
			t.Errorf("%q is written with", key)
		}
	}
	c := newClinic(t, faults{})
	p, err := NewProbe(BackendConfig{URL: c.url, SecretKey: fakeKey}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodPut} {
		if _, err := p.ask(t.Context(), method, "/users/user_1", nil, nil); err == nil {
			t.Errorf("%s was sent", method)
		}
	}
	if asked := c.asked(); len(asked) > 0 {
		t.Errorf("asked %v", asked)
	}
}

func TestDoctorOfTheLocalClerk(t *testing.T) {
	t.Parallel()
	local, err := clerk.Open(clerk.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(local.Handler())
	t.Cleanup(server.Close)
	probe, err := NewProbe(BackendConfig{URL: server.URL + "/__clerk/backend/v1", SecretKey: local.SecretKey(), Logger: quiet}, false)
	if err != nil {
		t.Fatal(err)
	}
	diagnosis, found := examine(t, NewDoctor(DoctorConfig{Probe: probe, Issuer: server.URL + "/__clerk", NoInbox: "none"}))
	mustFind(t, found, Holds, "clock", "key-set", "users-bare", "limit-500", "order", "total-count", "memberships-whole", "system-permissions")
	if diagnosis.Dangerous() || diagnosis.Wrote {
		t.Errorf("%+v", diagnosis)
	}
}

// A trial that ends at any of its requests, because its user ends it, because Clerk fails, or because the answer is lost,
// leaves nothing.
func TestDoctorLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	whole := newClinic(t, faults{})
	whole.populate()
	examine(t, whole.doctor(nil, true))
	if whole.written < 15 {
		t.Fatalf("a trial of %d writes only", whole.written)
	}
	for n := 1; n <= whole.written; n++ {
		ctx, stop := context.WithCancel(t.Context())
		c := newClinic(t, faults{})
		c.populate()
		c.loseAnswer = func(string, string) bool {
			if c.written == n {
				stop()
			}
			return false
		}
		if _, err := c.doctor(nil, true).Examine(ctx); n < 15 && !errors.Is(err, context.Canceled) {
			t.Errorf("ended at write %d: %v", n, err)
		}
		stop()
		if left := c.unchanged(); left != "" {
			t.Errorf("ended at write %d: %s", n, left)
		}
		// Each request was heard to its end, so that nothing had to be searched for.
		if asked := strings.Join(c.asked(), " "); strings.Contains(asked, "query=") {
			t.Errorf("ended at write %d, and lost an answer: %s", n, asked)
		}
		c = newClinic(t, faults{})
		c.populate()
		c.loseAnswer = func(method, _ string) bool { return c.written == n && method != http.MethodDelete }
		diagnosis, err := c.doctor(nil, true).Examine(t.Context())
		if left := c.unchanged(); err != nil || left != "" || len(diagnosis.LeftBehind) > 0 {
			t.Errorf("the answer to write %d lost: %v, %s, %v", n, err, left, diagnosis.LeftBehind)
		}
	}
}

func TestDoctorTriesToRemoveAgain(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	c := newClinic(t, faults{refuse: func(method, path string) int {
		if method == http.MethodDelete && asked[path] < 2 {
			asked[path]++
			return http.StatusServiceUnavailable
		}
		return 0
	}})
	c.populate()
	diagnosis, _ := examine(t, c.doctor(nil, true))
	if left := c.unchanged(); left != "" || len(diagnosis.LeftBehind) > 0 {
		t.Errorf("%s, %v", left, diagnosis.LeftBehind)
	}
}

func TestDoctorNamesWhatItCouldNotRemove(t *testing.T) {
	t.Parallel()
	c := newClinic(t, faults{refuse: func(method, path string) int {
		if method == http.MethodDelete && !strings.Contains(path, "memberships") {
			return http.StatusForbidden
		}
		return 0
	}})
	c.populate()
	diagnosis, _ := examine(t, c.doctor(nil, true))
	if left := strings.Join(diagnosis.LeftBehind, ", "); strings.Count(left, "user user_c") != 2 || !strings.Contains(left, "organization org_c") ||
		!strings.Contains(left, "role role_c") || len(diagnosis.LeftBehind) != 4 {
		t.Errorf("left behind: %s", left)
	}
}
