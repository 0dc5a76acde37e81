package clerk

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/auth"
)

var readRights = sync.OnceValues(func() (Rights, error) {
	text, err := os.ReadFile("testdata/roles.yml")
	if err != nil {
		return Rights{}, err
	}
	c, err := auth.ParseCatalogue(text)
	if err != nil {
		return Rights{}, err
	}
	var r Rights
	for _, p := range c.Permissions {
		r.Permissions = append(r.Permissions, Permission{p.Key, p.Name, p.Description})
	}
	for _, role := range c.Roles {
		r.Roles = append(r.Roles, Role{role.Key, role.Name, role.Description, role.Permissions})
	}
	return r, nil
})

// ours are the rights of testdata/roles.yml, which does not change with the permissions of a product.
func ours(t *testing.T) Rights {
	t.Helper()
	r, err := readRights()
	if err != nil {
		t.Fatal(err)
	}
	return Rights{Permissions: slices.Clone(r.Permissions), Roles: slices.Clone(r.Roles)}
}

func TestSystemPermissionsAreThoseOfTheCatalogue(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(auth.SystemPermissions(), systemKeys()); diff != "" {
		t.Error(diff)
	}
}

// reopen starts the local Clerk of a folder again, with these rights, and says
// which events that queued.
func reopen(t *testing.T, dir string, rights Rights, log *slog.Logger) (c *Clerk, events []string) {
	t.Helper()
	before, err := loadState(dir + "/clerk/state.json")
	if err != nil {
		t.Fatal(err)
	}
	if c, err = Open(Config{Dir: dir, Rights: rights, Logger: log}); err != nil {
		t.Fatal(err)
	}
	for _, m := range c.current.Load().Queue[len(before.Queue):] {
		var event struct {
			Data struct{ Key, ID string }
		}
		if err := json.Unmarshal([]byte(m.Body), &event); err != nil {
			t.Fatal(err)
		}
		name := event.Data.Key
		if name == "" {
			name = event.Data.ID
		}
		events = append(events, m.Type+" "+name)
	}
	return c, events
}

func TestAStartFollowsChangedRights(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	first := openIn(t, dir)
	admin, _ := first.current.Load().roleByKey("org:admin")
	guest, _ := first.current.Load().roleByKey("org:guest")
	read, _ := first.current.Load().permissionByKey("org:documents:delete")

	rights := ours(t)
	if _, events := reopen(t, dir, rights, nil); events != nil {
		t.Errorf("without a change: %q", events)
	}
	// Reports are new, deletion is gone, reading is called otherwise, guests are
	// gone and auditors are new.
	rights.Permissions = append(slices.DeleteFunc(rights.Permissions, func(p Permission) bool { return p.Key == read.Key }),
		Permission{"org:reports:export", "Export reports", ""})
	rights.Permissions[0].Name = "See documents"
	rights.Roles[0].Permissions = append(without(rights.Roles[0].Permissions, read.Key), "org:reports:export")
	rights.Roles[2] = Role{"org:auditor", "Auditor", "", []string{"org:reports:export"}}
	c, events := reopen(t, dir, rights, nil)
	want := []string{
		"permission.updated org:documents:read", "permission.created org:reports:export", "role.deleted " + guest.ID,
		"role.updated org:admin", "role.created org:auditor", "permission.deleted " + read.ID,
	}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("events (-want +got)\n%s", diff)
	}
	s := c.current.Load()
	now, _ := s.roleByKey("org:admin")
	if now.ID != admin.ID || now.CreatedAt != admin.CreatedAt || !slices.Contains(now.Permissions, "org:reports:export") ||
		slices.Contains(now.Permissions, read.Key) {
		t.Errorf("org:admin is %+v", now)
	}
	if _, again := reopen(t, dir, rights, nil); again != nil {
		t.Errorf("once more: %q", again)
	}
	// What comes back is another object: the one with the old id is gone for good.
	c, _ = reopen(t, dir, ours(t), nil)
	if back, _ := c.current.Load().permissionByKey(read.Key); back.ID == read.ID || back.ID == "" {
		t.Errorf("the permission that came back is %+v", back)
	}
	if members := c.current.Load().Memberships; !cmp.Equal(members, first.current.Load().Memberships) {
		t.Errorf("memberships are %+v", members)
	}
}

// A state that was written before rights came from outside is the same instance.
func TestAnOlderStateFollowsWithoutEvents(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	older := openIn(t, dir)
	if err := older.update(func(s *state) error { s.Rights = ""; return nil }); err != nil {
		t.Fatal(err)
	}
	c, events := reopen(t, dir, ours(t), nil)
	if events != nil || c.current.Load().Rights == "" {
		t.Errorf("%q, %q", events, c.current.Load().Rights)
	}
}

func TestARoleWithMembersIsKept(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	c := openIn(t, dir)
	a := serve(t, c)
	var out membershipOutput
	a.ok("PATCH", membershipsPath, object{"organization": "acme", "user": "max", "role": "org:guest"}, &out)
	rights := ours(t)
	rights.Roles = rights.Roles[:2]
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	c, events := reopen(t, dir, rights, log)
	if _, there := c.current.Load().roleByKey("org:guest"); !there || events != nil || !strings.Contains(text.String(), "still has members") || !strings.Contains(text.String(), "org:guest") {
		t.Errorf("events %q, log %s", events, text.String())
	}
	a = serve(t, c)
	a.ok("PATCH", membershipsPath, object{"organization": "acme", "user": "max", "role": "org:member"}, &out)
	if c, _ = reopen(t, dir, rights, log); len(c.current.Load().Roles) != 2 {
		t.Errorf("after the last guest: %+v", c.current.Load().Roles)
	}
}

func TestRightsThatCannotBe(t *testing.T) {
	t.Parallel()
	many := ours(t)
	for _, name := range strings.Fields("a b c d e f g h i j") {
		many.Roles = append(many.Roles, Role{Key: "org:" + name, Name: name})
	}
	weak := ours(t)
	weak.Roles[0].Permissions = nil
	unknown := ours(t)
	unknown.Roles[2].Permissions = []string{"org:no:such"}
	for want, rights := range map[string]Rights{
		"there is no org:member":      {Permissions: ours(t).Permissions, Roles: ours(t).Roles[:1]},
		"11 roles beside":             many,
		"org:admin does not hold":     weak,
		"org:guest holds org:no:such": unknown,
	} {
		if _, err := Open(Config{Dir: newDir(t), Rights: rights}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Without a word about roles it is as Clerk makes a new instance.
func TestANewInstanceHasClerksOwnRoles(t *testing.T) {
	t.Parallel()
	c, err := Open(Config{Dir: newDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	s := c.current.Load()
	if len(s.Roles) != 2 || len(s.Permissions) != 9 || !s.Roles[0].CreatorEligible || s.Roles[1].CreatorEligible {
		t.Errorf("%+v", s.Roles)
	}
}
