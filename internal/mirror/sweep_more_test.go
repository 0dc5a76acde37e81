package mirror

import (
	"slices"
	"testing"
)

// invite gives the API's only organization some, each with a status and the time of its last update.
func (f *fakeClerk) invite(status map[string]string, updated int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists["organization_invitations"] = nil
	for _, id := range []string{"orginv_1", "orginv_2", "orginv_3", "orginv_4"} {
		if status[id] != "" {
			f.lists["organization_invitations"] = append(f.lists["organization_invitations"], object{
				"id": id, "email_address": id + "@acme.example", "role": "org:member", "status": status[id], "organization_id": "org_1",
				"created_at": 1_782_900_000_000, "updated_at": updated,
			})
		}
	}
}

// What a comparison makes of invitations: it learns how they ended, undoes no end, and looks for pending ones only.
func TestSweepOfInvitations(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(1)
	const statuses = "SELECT string_agg(id || ' ' || status || CASE WHEN dead THEN ' dead' ELSE '' END, ', ' ORDER BY id) FROM clerk.invitations"
	for _, step := range []struct {
		what    string
		lists   map[string]string
		updated int
		drift   int
		want    string
	}{
		{"all are new", map[string]string{"orginv_1": "pending", "orginv_2": "pending", "orginv_3": "pending"}, 1_782_900_000_000, 3 + 3, // and what the crowd is
			"orginv_1 pending, orginv_2 pending, orginv_3 pending"},
		{
			"one expired, of which no event tells",
			map[string]string{"orginv_1": "expired", "orginv_2": "pending", "orginv_3": "pending"},
			1_782_900_000_000, 0,
			"orginv_1 expired, orginv_2 pending, orginv_3 pending",
		},
		{"one was accepted", map[string]string{"orginv_1": "expired", "orginv_2": "accepted", "orginv_3": "pending"}, 1_782_900_005_000, 1 + 2, // all were updated
			"orginv_1 expired, orginv_2 accepted, orginv_3 pending"},
		{
			"an answer that is behind",
			map[string]string{"orginv_1": "expired", "orginv_2": "pending", "orginv_3": "pending"},
			1_782_900_005_000, 0,
			"orginv_1 expired, orginv_2 accepted, orginv_3 pending",
		},
		{
			"only what is pending is missed",
			map[string]string{},
			1_782_900_005_000, 1,
			"orginv_1 expired, orginv_2 accepted, orginv_3 pending dead",
		},
	} {
		clerk.invite(step.lists, step.updated)
		clerk.asked()
		report := f.sweep(t, SweepOptions{})
		if got := f.value(t, statuses); got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
		if report.Drift() != step.drift {
			t.Errorf("%s:\n%s", step.what, describe(report))
		}
	}
	if asked := clerk.asked(); !slices.Contains(asked, "/v1/organizations/org_1/invitations/orginv_3") || len(asked) != 8+2 {
		t.Errorf("asked: %v", asked)
	}
	if found := f.verify(t); found.Drift() != 0 {
		t.Errorf("verify finds\n%s", describe(found))
	}
}

// Domains and permissions that are gone are ended, each after the reads that it has; another organization's stay.
func TestSweepOfDomainsAndPermissions(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(1)
	const at = 1_782_900_000_000
	other := object{"id": "org_2", "name": "Two", "created_at": at, "updated_at": at}
	domain := func(id, organization string) object {
		return object{"id": id, "organization_id": organization, "name": id, "enrollment_mode": "manual_invitation", "created_at": at, "updated_at": at}
	}
	permission := func(id string) object {
		return object{"id": id, "key": "org:documents:" + id, "name": id, "description": "", "type": "user", "created_at": at, "updated_at": at}
	}
	clerk.set(func() {
		clerk.lists["organizations"] = append(clerk.lists["organizations"], other)
		clerk.lists["organization_domains"] = []object{domain("orgdmn_1", "org_1"), domain("orgdmn_2", "org_2")}
		clerk.lists["organization_permissions"] = []object{permission("perm_1"), permission("perm_2")}
	})
	f.sweep(t, SweepOptions{})
	clerk.set(func() {
		clerk.lists["organization_domains"] = clerk.lists["organization_domains"][1:]
		clerk.lists["organization_permissions"] = clerk.lists["organization_permissions"][:1]
	})
	report := f.sweep(t, SweepOptions{})
	if report.Kinds["domains"].Tombstoned != 1 || report.Kinds["permissions"].Tombstoned != 1 || report.Drift() != 2 {
		t.Errorf("one of each is gone:\n%s", describe(report))
	}
	if left := f.value(t, "SELECT string_agg(id, ' ' ORDER BY id) FROM (SELECT id FROM clerk.domains WHERE NOT dead UNION ALL SELECT id FROM clerk.permissions WHERE NOT dead) AS r"); left != "orgdmn_2 perm_1" {
		t.Errorf("left: %s", left)
	}
}

// The settled status wins in whichever order it comes, also where its version is the lower one.
func TestASettledInvitationStaysSo(t *testing.T) {
	t.Parallel()
	at := int64(1_782_900_000_000)
	pending := invitationChange{statement: authoritative(live("orginv_1", at, at+5, 0, rankRead, "p"), at+9), organizationID: "org_1", status: "pending"}
	accepted := invitationChange{statement: live("orginv_1", at, at+5, at+6, rankEvent, "a"), organizationID: "org_1", status: "accepted", userID: "user_1"}
	for name, order := range map[string][]invitationChange{"accepted last": {pending, accepted}, "accepted first": {accepted, pending}} {
		m := newModel()
		for _, c := range order {
			if err := c.apply(m); err != nil {
				t.Fatal(err)
			}
		}
		if row := m.invitations["orginv_1"]; row.Status != "accepted" || row.UserID != "user_1" || row.MirrorVersion != accepted.version || row.NeedsRead {
			t.Errorf("%s: %+v", name, row)
		}
	}
}

// What is dead with its organization is no drift, whether or not Clerk tells of each; a sweep ends it all the same.
func TestVerifyPassesOverWhatIsDeadWithItsOrganization(t *testing.T) {
	t.Parallel()
	f, clerk := newSweepFixture(t)
	clerk.crowd(5)
	clerk.set(func() {
		clerk.lists["organization_invitations"] = []object{{
			"id": "orginv_1", "organization_id": "org_1", "email_address": "a@b.example", "role": "org:member", "status": "pending", "created_at": 2, "updated_at": 2,
		}}
	})
	f.sweep(t, SweepOptions{})
	clerk.set(func() { clerk.lists["organization_invitations"] = nil })
	clerk.set(func() { clerk.lists["organizations"], clerk.lists["organization_memberships"] = nil, nil })
	if found := f.verify(t); found.Kinds["organizations"].Extra != 1 || found.Kinds["memberships"].Extra != 5 || found.Kinds["invitations"].Extra != 1 {
		t.Errorf("of a deletion that nobody told of, verify finds\n%s", describe(found))
	}
	f.receive(t, "msg_gone", []byte(`{"type":"organization.deleted","timestamp":1795600000000,"data":{"id":"org_1","deleted":true}}`))
	if found := f.verify(t); found.Drift() != 0 {
		t.Errorf("of one that was told of, verify finds\n%s", describe(found))
	}
	if report := f.sweep(t, SweepOptions{}); report.Kinds["memberships"].Tombstoned != 5 || report.Kinds["invitations"].Tombstoned != 1 {
		t.Errorf("a sweep ends\n%s", describe(report))
	}
}
