package clerk

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPopulateIsAnInstanceThatWasInUse(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	c := openIn(t, dir)
	before := c.current.Load()
	if err := c.Populate(Population{Organizations: 12, Users: 9, MembersEach: 5}); err != nil {
		t.Fatal(err)
	}
	s := c.current.Load()
	if len(s.Organizations) != 14 || len(s.Users) != 13 || len(s.Memberships) != 64 {
		t.Errorf("%d organizations, %d users, %d memberships", len(s.Organizations), len(s.Users), len(s.Memberships))
	}
	if diff := cmp.Diff(before.Queue, s.Queue); diff != "" {
		t.Errorf("events tell of it:\n%s", diff)
	}
	ids, pairs, admins := map[string]bool{}, map[string]bool{}, map[string]int{}
	newest := time.Now().Add(-time.Hour).UnixMilli()
	for _, u := range s.Users[4:] {
		ids[u.ID] = true
		if u.CreatedAt > newest || u.UpdatedAt != u.CreatedAt {
			t.Errorf("%+v is not an hour old", u)
		}
	}
	for _, o := range s.Organizations[2:] {
		ids[o.ID] = true
		if o.CreatedAt > newest || !ids[o.CreatedBy] || !s.hasElevatedMember(o.ID) {
			t.Errorf("%+v: an hour old, made by its admin?", o)
		}
	}
	for _, m := range s.Memberships[4:] {
		ids[m.ID] = true
		pairs[m.OrganizationID+m.UserID] = true
		if m.Role == "org:admin" {
			admins[m.OrganizationID]++
		}
		if m.CreatedAt > newest {
			t.Errorf("%+v is not an hour old", m)
		}
	}
	if len(ids) != 9+12+60 || len(pairs) != 60 || len(admins) != 12 {
		t.Errorf("%d ids, %d pairs, %d organizations with an admin", len(ids), len(pairs), len(admins))
	}
	if diff := cmp.Diff(s, openIn(t, dir).current.Load()); diff != "" {
		t.Errorf("after a restart:\n%s", diff)
	}
	// It works as any other: its people have tokens, and changes are told.
	a := serve(t, c)
	mint(a, object{"user": "user-3", "organization": "organization-0"})
	var out membershipOutput
	a.ok("DELETE", membershipsPath, object{"organization": "organization-0", "user": "user-3"}, &out)
	if last := c.current.Load().Queue[seededEvents]; !strings.Contains(last.Body, out.Membership.ID) {
		t.Errorf("%+v", last)
	}
}

func TestPopulateRefuses(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	for _, p := range []Population{
		{Organizations: -1}, {Users: -1}, {MembersEach: -1}, {Organizations: 1, Users: 2, MembersEach: 3},
	} {
		if err := c.Populate(p); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
	if err := c.Populate(Population{Organizations: 1, Users: 2, MembersEach: 2}); err != nil {
		t.Fatal(err)
	}
	populated := c.current.Load()
	if err := c.Populate(Population{Organizations: 1, Users: 2, MembersEach: 2}); err == nil {
		t.Error("the second time is taken")
	}
	if c.current.Load() != populated {
		t.Error("a refused population changed the state")
	}
}

// A large state is written another way than a small one.
func TestALargeStateIsReadBack(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	c := openIn(t, dir)
	if err := c.Populate(Population{Organizations: 1, Users: readableMemberships, MembersEach: readableMemberships}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.current.Load(), openIn(t, dir).current.Load()); diff != "" {
		t.Errorf("after a restart:\n%s", diff)
	}
}
