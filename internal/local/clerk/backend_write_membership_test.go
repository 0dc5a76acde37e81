package clerk

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// membershipChanges let Nora join Acme, rise, and leave; Globex is there to be
// confused with it.
func membershipChanges() []wantedChange {
	const (
		list, one, metadata       = "/organizations/{id}/memberships", "/organizations/{id}/memberships/{user}", "/organizations/{id}/memberships/{user}/metadata"
		created, updated, deleted = "organizationMembership.created", "organizationMembership.updated", "organizationMembership.deleted"
	)
	acme, globex := "/organizations/"+SeededAcme, "/organizations/"+SeededGlobex
	of, none := acme+"/memberships", "/organizations/org_none/memberships"
	nora, max := seededID("user", "Nora"), seededID("user", "Max")
	post, patch, remove := http.MethodPost, http.MethodPatch, http.MethodDelete
	return []wantedChange{
		{post, list, of, object{"user_id": nora, "role": "org:member", "public_metadata": object{"desk": 3}, "private_metadata": nil}, 200, "", created},
		{post, list, of, object{"user_id": nora, "role": "org:admin"}, 400, "already_a_member_in_organization", ""},
		{post, list, of, object{"user_id": "user_none", "role": "org:member"}, 404, "resource_not_found", ""},
		{post, list, of, object{"user_id": SeededGus, "role": "org:owner"}, 404, "resource_not_found", ""},
		{post, list, of, object{"user_id": SeededGus}, 422, "form_param_nil", ""},
		{post, list, of, object{"role": "org:member"}, 422, "form_param_nil", ""},
		{post, list, of, object{"user_id": SeededGus, "role": 1}, 422, "form_param_value_invalid", ""},
		{post, list, of, object{"user_id": SeededGus, "role": "org:member", "name": "Gus"}, 422, "form_param_unknown", ""},
		{post, list, none, object{"user_id": SeededGus, "role": "org:member"}, 404, "organization_not_found_or_unauthorized", ""},
		{patch, one, of + "/" + nora, object{"role": "org:admin"}, 200, "", updated},
		{patch, one, of + "/" + nora, object{"role": "org:owner"}, 404, "resource_not_found", ""},
		{patch, one, of + "/" + nora, object{}, 422, "form_param_nil", ""},
		{patch, one, of + "/" + SeededGus, object{"role": "org:member"}, 404, "resource_not_found", ""}, // of Globex
		{patch, one, none + "/" + nora, object{"role": "org:member"}, 404, "organization_not_found_or_unauthorized", ""},
		{patch, metadata, of + "/" + nora + "/metadata", object{"public_metadata": object{"desk": nil, "floor": 2}, "private_metadata": object{"a": object{}}}, 200, "", updated},
		{patch, metadata, of + "/" + nora + "/metadata", object{"public_metadata": 1}, 422, "form_param_value_invalid", ""},
		{patch, metadata, of + "/" + SeededGus + "/metadata", object{"public_metadata": object{}}, 404, "resource_not_found", ""},
		{patch, metadata, none + "/" + nora + "/metadata", object{"public_metadata": object{}}, 404, "organization_not_found_or_unauthorized", ""},
		{remove, one, of + "/" + SeededAda, nil, 200, "", deleted}, // Nora is an admin, too
		{patch, one, of + "/" + nora, object{"role": "org:member"}, 400, "organization_minimum_permissions_needed", ""},
		{remove, one, of + "/" + nora, nil, 400, "organization_minimum_permissions_needed", ""},
		{remove, one, of + "/" + SeededGus, nil, 404, "resource_not_found", ""},
		{remove, one, none + "/" + nora, nil, 404, "organization_not_found_or_unauthorized", ""},
		{remove, one, of + "/" + max, nil, 200, "", deleted},
		{remove, one, of + "/" + max, nil, 404, "resource_not_found", ""},
		{post, list, of, object{"user_id": SeededAda, "role": "org:admin"}, 200, "", created},
		{remove, one, globex + "/memberships/" + SeededGus, nil, 400, "organization_minimum_permissions_needed", ""},
		{remove, one, globex + "/memberships/" + SeededAda, nil, 200, "", deleted},
	}
}

func TestBackendWritesMemberships(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	gus, _ := c.current.Load().membershipOf(SeededGlobex, SeededGus)
	b.tryWrites(c, membershipChanges())
	s := c.current.Load()
	nora, _ := s.membershipOf(SeededAcme, seededID("user", "Nora"))
	if string(nora.PublicMetadata) != `{"floor":2}` || string(nora.PrivateMetadata) != `{"a":{}}` || nora.Role != "org:admin" {
		t.Errorf("%+v", nora)
	}
	if ada, again := s.membershipOf(SeededAcme, SeededAda); !again || ada.ID == seededID("orgmem", "AdaAcme") {
		t.Errorf("who comes back is %+v", ada)
	}
	after, _ := s.membershipOf(SeededGlobex, SeededGus)
	if diff := cmp.Diff(gus, after); diff != "" {
		t.Errorf("the other organization's member:\n%s", diff)
	}
}

func TestMembershipsAreLimited(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	acme := "/organizations/" + SeededAcme
	const full = "organization_membership_quota_exceeded"
	invite := func(email string, status int, code, event string) wantedChange {
		return wantedChange{"POST", "/organizations/{id}/invitations", acme + "/invitations", object{"email_address": email, "role": "org:member"}, status, code, event}
	}
	b.tryWrites(c, []wantedChange{
		{"PATCH", "/organizations/{id}", acme, object{"max_allowed_memberships": 3}, 200, "", "organization.updated"},
		invite("nora@example.com", 200, "", "organizationInvitation.created"),
		invite("bob@example.com", 403, full, ""),
		{"POST", "/organizations/{id}/memberships", acme + "/memberships", object{"user_id": SeededGus, "role": "org:member"}, 403, full, ""},
		// The other organization has no limit.
		{"POST", "/organizations/{id}/memberships", "/organizations/" + SeededGlobex + "/memberships", object{"user_id": seededID("user", "Max"), "role": "org:member"}, 200, "", "organizationMembership.created"},
	})
	b.refused(b.request("POST", membershipsPath, object{"organization": "acme", "user": "gus", "role": "org:member"}), 403, full)
	var out membershipOutput
	b.ok("POST", acceptPath, object{"organization": "acme", "user": "nora"}, &out) // she was counted
	b.tryWrites(c, []wantedChange{
		{"PATCH", "/organizations/{id}", acme, object{"max_allowed_memberships": 4}, 200, "", "organization.updated"},
		invite("gus@globex.example", 200, "", "organizationInvitation.created"),
		{"PATCH", "/organizations/{id}", acme, object{"max_allowed_memberships": 3}, 200, "", "organization.updated"},
	})
	b.refused(b.request("POST", acceptPath, object{"organization": "acme", "user": "gus"}), 403, full)
}
