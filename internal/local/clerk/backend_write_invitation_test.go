package clerk

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const acceptPath = "/__clerk/control/v1/invitations/accept"

// invitationChanges invite to Globex, where Gus is the admin and, unless
// somebody removed her, Ada a member.
func invitationChanges() []wantedChange {
	const (
		list, bulk, revoke = "/organizations/{id}/invitations", "/organizations/{id}/invitations/bulk", "/organizations/{id}/invitations/{invitation}/revoke"
		created, revoked   = "organizationInvitation.created", "organizationInvitation.revoked"
	)
	of, none := "/organizations/"+SeededGlobex+"/invitations", "/organizations/org_none/invitations"
	max := seededID("user", "Max")
	post := http.MethodPost
	bob := object{"email_address": "bob@globex.example", "role": "org:member"}
	with := func(more object) object {
		all := object{"email_address": "new@globex.example", "role": "org:member"}
		for key, value := range more {
			all[key] = value
		}
		return all
	}
	var eleven []object
	for i := range 11 {
		eleven = append(eleven, with(object{"email_address": strings.Repeat("x", i+1) + "@globex.example"}))
	}
	return []wantedChange{
		{post, list, of, object{
			"email_address": "Bob@Globex.example", "role": "org:admin", "inviter_user_id": SeededGus, "redirect_url": "https://globex.example/join",
			"public_metadata": object{"desk": 3}, "private_metadata": object{"by": "crm"}, "expires_in_days": 7, "notify": false,
		}, 200, "", created},
		{post, list, of, bob, 400, "organization_invitation_not_unique", ""},
		{post, list, of, with(object{"email_address": "gus@globex.example"}), 400, "already_a_member_in_organization", ""},
		{post, list, of, with(object{"email_address": "nobody"}), 422, "form_param_format_invalid", ""},
		{post, list, of, with(object{"email_address": "Bob <b@globex.example>"}), 422, "form_param_format_invalid", ""},
		{post, list, of, with(object{"email_address": nil}), 422, "form_param_nil", ""},
		{post, list, of, with(object{"role": nil}), 422, "form_param_nil", ""},
		{post, list, of, with(object{"role": "org:owner"}), 404, "resource_not_found", ""},
		{post, list, of, with(object{"inviter_user_id": "user_none"}), 404, "resource_not_found", ""},
		{post, list, of, with(object{"inviter_user_id": max}), 403, "not_a_member_in_organization", ""}, // of Acme only
		{post, list, of, with(object{"expires_in_days": 0}), 422, "form_param_value_invalid", ""},
		{post, list, of, with(object{"expires_in_days": 366}), 422, "form_param_value_invalid", ""},
		{post, list, of, with(object{"redirect_url": "join"}), 422, "form_param_format_invalid", ""},
		{post, list, of, with(object{"public_metadata": "x"}), 422, "form_param_value_invalid", ""},
		{post, list, of, with(object{"notify": "no"}), 422, "form_param_value_invalid", ""},
		{post, list, of, with(object{"name": "Bob"}), 422, "form_param_unknown", ""},
		{post, list, none, bob, 404, "organization_not_found_or_unauthorized", ""},
		{post, revoke, "/organizations/" + SeededAcme + "/invitations/$inv:bob@globex.example/revoke", nil, 404, "resource_not_found", ""}, // the other organization
		{post, revoke, of + "/$inv:bob@globex.example/revoke", object{"requesting_user_id": max}, 403, "not_a_member_in_organization", ""},
		{post, revoke, of + "/$inv:bob@globex.example/revoke", object{"requesting_user_id": SeededGus}, 200, "", revoked},
		{post, revoke, of + "/$inv:bob@globex.example/revoke", nil, 404, "organization_invitation_not_pending", ""},
		{post, revoke, of + "/orginv_none/revoke", nil, 404, "resource_not_found", ""},
		{post, revoke, none + "/$inv:bob@globex.example/revoke", nil, 404, "organization_not_found_or_unauthorized", ""},
		{post, list, of, bob, 200, "", created}, // the first one is over
		{post, bulk, of + "/bulk", eleven[:10], 200, "", strings.TrimSpace(strings.Repeat(created+" ", 10))},
		{post, bulk, of + "/bulk", eleven, 422, "form_param_value_invalid", ""},
		{post, bulk, of + "/bulk", []object{}, 422, "form_param_value_invalid", ""},
		{post, bulk, of + "/bulk", with(nil), 400, "request_body_invalid", ""},
		{post, bulk, of + "/bulk", []object{with(nil), bob}, 400, "organization_invitation_not_unique", ""}, // and nobody is invited
		{post, bulk, of + "/bulk", []object{with(nil), with(nil)}, 400, "organization_invitation_not_unique", ""},
		{post, bulk, of + "/bulk", []object{with(nil), with(object{"email_address": "x"})}, 422, "form_param_format_invalid", ""},
		{post, bulk, of + "/bulk", []object{with(object{"name": "Bob"})}, 422, "form_param_unknown", ""},
		{post, bulk, none + "/bulk", []object{bob}, 404, "organization_not_found_or_unauthorized", ""},
	}
}

func TestBackendWritesInvitations(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	b.tryWrites(c, invitationChanges())
	b.tryWrites(c, []wantedChange{{
		"POST", "/organizations/{id}/invitations", "/organizations/" + SeededGlobex + "/invitations",
		object{"email_address": "a@b.example", "role": "org:member", "inviter_user_id": SeededAda},
		403, "missing_organization_permission", "",
	}})
	of := "/organizations/" + SeededGlobex + "/invitations"
	for _, test := range []struct {
		path  string
		count int
	}{
		{of, 12},
		{of + "?status=pending", 11},
		{of + "?status=pending&status=revoked", 12},
		{of + "?status=accepted", 0},
		{of + "?status=expired", 0},
		{of + "?email_address=BOB@globex.example", 2},
		{"/organization_invitations?query=xxxxxxxxxx", 1},
		{"/organization_invitations?status=revoked", 1},
		{"/organizations/" + SeededAcme + "/invitations", 0},
	} {
		var all list[invitationBody]
		b.read(test.path, &all)
		if all.TotalCount != test.count || len(all.Data) != min(test.count, defaultLimit) {
			t.Errorf("%s: %d of %d, want %d", test.path, len(all.Data), all.TotalCount, test.count)
		}
	}
	if ids := b.ids(of + "?order_by=email_address&limit=2"); len(ids) != 2 || ids[0] != named(c, "$inv:bob@globex.example") {
		t.Errorf("by address: %q", ids)
	}
	var one toldInvitation
	b.read(of+"/"+c.current.Load().Invitations[0].ID, &one)
	seven := one.CreatedAt + 7*24*time.Hour.Milliseconds()
	if one.Status != statusRevoked || one.EmailAddress != "bob@globex.example" || one.ExpiresAt != seven || *one.InviterID != SeededGus ||
		one.PublicInviterData.Identifier != "gus@globex.example" || one.RoleName != "Admin" || one.UpdatedAt <= one.CreatedAt || one.PublicOrganizationData.ID != "" {
		t.Errorf("%+v", one)
	}
	b.refused(b.get("/organizations/"+SeededAcme+"/invitations/"+one.ID), 404, "resource_not_found")
	b.refused(b.get(of+"/orginv_none"), 404, "resource_not_found")
	b.refused(b.get("/organizations/org_none/invitations/"+one.ID), 404, "organization_not_found_or_unauthorized")
	var counted struct {
		Pending int `json:"pending_invitations_count"`
	}
	b.read("/organizations/"+SeededGlobex+"?include_members_count=true", &counted)
	if counted.Pending != 11 {
		t.Errorf("%d are pending", counted.Pending)
	}
	// Deleting the organization takes them along, and nobody else's.
	b.write(wantedChange{method: "POST", path: "/organizations/" + SeededAcme + "/invitations", body: object{"email_address": "a@b.example", "role": "org:member"}})
	b.write(wantedChange{method: "DELETE", path: "/organizations/" + SeededGlobex})
	if left := c.current.Load().Invitations; len(left) != 1 || left[0].OrganizationID != SeededAcme {
		t.Errorf("left: %+v", left)
	}
}

func TestAnInvitationIsAccepted(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	for _, slug := range []string{SeededAcme, SeededGlobex} {
		b.write(wantedChange{method: "POST", path: "/organizations/" + slug + "/invitations", body: object{
			"email_address": "NORA@example.com", "role": "org:admin", "public_metadata": object{"desk": 3}, "private_metadata": object{"by": "crm"},
		}})
	}
	before := c.current.Load()
	var out membershipOutput
	b.ok("POST", acceptPath, object{"organization": "acme", "user": "nora"}, &out)
	s := c.current.Load()
	nora := seededID("user", "Nora")
	m, is := s.membershipOf(SeededAcme, nora)
	if !is || m.ID != out.Membership.ID || m.Role != "org:admin" || string(m.PublicMetadata) != `{"desk":3}` || string(m.PrivateMetadata) != `{"by":"crm"}` {
		t.Errorf("%+v, told %+v", m, out)
	}
	var accepted struct {
		Type string         `json:"type"`
		Data toldInvitation `json:"data"`
	}
	queued := s.Queue[len(before.Queue):]
	if len(queued) != 2 || queued[1].Type != "organizationMembership.created" || !strings.Contains(queued[1].Body, m.ID) {
		t.Fatalf("events %+v", queued)
	}
	if err := json.Unmarshal([]byte(queued[0].Body), &accepted); err != nil {
		t.Fatal(err)
	}
	if accepted.Type != "organizationInvitation.accepted" || accepted.Data.Status != statusAccepted || accepted.Data.UserID != nora ||
		accepted.Data.PublicOrganizationData.Name != "Acme" || accepted.Data.UpdatedAt <= accepted.Data.CreatedAt {
		t.Errorf("%+v", accepted)
	}
	// The other organization's invitation waits.
	if _, is := s.membershipOf(SeededGlobex, nora); is || s.Invitations[1].Status != statusPending {
		t.Errorf("%+v", s.Invitations)
	}
	for _, test := range []struct {
		organization, user string
		code, says         string
	}{
		{"acme", "nora", "organization_invitation_not_pending", "accepted"},
		{"acme", "gus", "resource_not_found", "Nobody has invited gus@globex.example"},
		{"acme", "bob", "resource_not_found", "POST /users"},
		{"initech", "nora", "organization_not_found_or_unauthorized", "Known: acme"},
	} {
		long := b.refused(b.request("POST", acceptPath, object{"organization": test.organization, "user": test.user}), 404, test.code)
		if !strings.Contains(long, test.says) {
			t.Errorf("%+v: %s", test, long)
		}
	}
	b.refused(b.request("POST", acceptPath, object{"user": "nora"}), 422, "form_param_nil")
	if diff := cmp.Diff(s, c.current.Load()); diff != "" {
		t.Errorf("refusals changed something:\n%s", diff)
	}
}

func TestAnInvitationExpires(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	c, err := Open(Config{Rights: ours(t), Dir: newDir(t), RateLimit: -1, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	b := serveBackend(t, c)
	of := "/organizations/" + SeededAcme + "/invitations"
	invite := wantedChange{"POST", "/organizations/{id}/invitations", of, object{"email_address": "nora@example.com", "role": "org:member", "expires_in_days": 1}, 200, "", "organizationInvitation.created"}
	b.tryWrites(c, []wantedChange{invite})
	expired := named(c, "$inv:nora@example.com")
	statuses := func(status string) []string { return b.ids(of + "?status=" + status) }
	if diff := cmp.Diff([]string{expired}, statuses("pending")); diff != "" {
		t.Error(diff)
	}
	now = now.Add(25 * time.Hour)
	if diff := cmp.Diff([]string{expired}, statuses("expired")); diff != "" || len(statuses("pending")) != 0 {
		t.Errorf("a day later: %s", diff)
	}
	b.refused(b.request("POST", acceptPath, object{"organization": "acme", "user": "nora"}), 404, "organization_invitation_not_pending")
	b.tryWrites(c, []wantedChange{
		{"POST", "/organizations/{id}/invitations/{invitation}/revoke", of + "/" + expired + "/revoke", nil, 404, "organization_invitation_not_pending", ""},
		invite,
	})
	if diff := cmp.Diff([]string{named(c, "$inv:nora@example.com")}, statuses("pending")); diff != "" {
		t.Errorf("invited again: %s", diff)
	}
}

func TestARoleOfInvitationsIsNotDeleted(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	of, guest := "/organizations/"+SeededAcme+"/invitations", "/organization_roles/"+seededID("role", "Guest")
	b.tryWrites(c, []wantedChange{
		{"POST", "/organizations/{id}/invitations", of, object{"email_address": "nora@example.com", "role": "org:guest"}, 200, "", "organizationInvitation.created"},
		{"DELETE", "/organization_roles/{id}", guest, nil, 422, "organization_role_assigned_members", ""},
		{"PATCH", "/organization_roles/{id}", guest, object{"key": "org:visitor"}, 200, "", "role.updated"},
		{"POST", "/organizations/{id}/invitations/{invitation}/revoke", of + "/$inv:nora@example.com/revoke", nil, 200, "", "organizationInvitation.revoked"},
		{"DELETE", "/organization_roles/{id}", guest, nil, 200, "", "role.deleted"},
	})
	var all list[invitationBody]
	b.read(of, &all)
	if all.Data[0].Role != "org:visitor" || all.Data[0].RoleName != "org:visitor" {
		t.Errorf("%+v", all.Data[0])
	}
}
