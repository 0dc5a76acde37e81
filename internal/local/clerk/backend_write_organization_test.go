package clerk

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// organizationChanges make Initech, among others, change and delete it.
func organizationChanges() []wantedChange {
	const (
		organizations, organization = "/organizations", "/organizations/{id}"
		metadata                    = "/organizations/{id}/metadata"
		created                     = "organization.created organizationMembership.created"
		updated                     = "organization.updated"
		initech                     = "/organizations/$org:initech"
	)
	post, patch, put, remove := http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete
	nora := seededID("user", "Nora")
	return []wantedChange{
		{post, organizations, organizations, object{"name": "Initech", "created_by": nora}, 200, "", created},
		{post, organizations, organizations, object{"name": "Initech", "created_by": nora, "slug": nil}, 200, "", created},
		{post, organizations, organizations, object{"name": "Nobody's", "slug": "nobody-s", "max_allowed_memberships": 3, "created_at": "2012-10-20T07:15:20.902Z", "public_metadata": object{"a": 1}, "private_metadata": nil}, 200, "", "organization.created"},
		{post, organizations, organizations, object{"created_by": nora}, 422, "form_param_nil", ""},
		{post, organizations, organizations, object{"name": "  ", "created_by": nora}, 422, "form_param_nil", ""},
		{post, organizations, organizations, object{"name": strings.Repeat("ä", 257)}, 422, "form_param_max_length_exceeded", ""},
		{post, organizations, organizations, object{"name": "See https://initech.example"}, 422, "form_param_format_invalid", ""},
		{post, organizations, organizations, object{"name": "<b>Initech</b>"}, 422, "form_param_format_invalid", ""},
		{post, organizations, organizations, object{"name": 7}, 422, "form_param_value_invalid", ""},
		{post, organizations, organizations, object{"name": "X", "created_by": "user_none"}, 404, "resource_not_found", ""},
		{post, organizations, organizations, object{"name": "X", "slug": "acme"}, 422, "form_identifier_exists", ""},
		{post, organizations, organizations, object{"name": "X", "slug": "Acme Labs"}, 422, "form_param_format_invalid", ""},
		{post, organizations, organizations, object{"name": "X", "slug": ""}, 422, "form_param_format_invalid", ""},
		{post, organizations, organizations, object{"name": "X", "max_allowed_memberships": -1}, 422, "form_param_value_invalid", ""},
		{post, organizations, organizations, object{"name": "X", "created_at": "today"}, 422, "form_param_format_invalid", ""},
		{post, organizations, organizations, object{"name": "X", "public_metadata": "none"}, 422, "form_param_value_invalid", ""},
		{post, organizations, organizations, object{"name": "X", "private_metadata": object{"a": strings.Repeat("x", 9000)}}, 422, "form_param_value_invalid", ""},
		{post, organizations, organizations, object{"name": "X", "owner": nora}, 422, "form_param_unknown", ""},
		{post, organizations, organizations, []object{{"name": "X"}}, 400, "request_body_invalid", ""},
		{patch, organization, initech, object{"name": "Initech & Sons", "slug": "initech", "admin_delete_enabled": false, "max_allowed_memberships": 2}, 200, "", updated},
		{patch, organization, initech, object{"name": nil}, 200, "", updated},
		{patch, organization, initech, object{"slug": "globex"}, 422, "form_identifier_exists", ""},
		{patch, organization, initech, object{"name": ""}, 422, "form_param_nil", ""},
		{patch, organization, initech, object{"public_metadata": object{}}, 422, "form_param_unknown", ""},
		{patch, organization, initech, object{"admin_delete_enabled": "no"}, 422, "form_param_value_invalid", ""},
		{patch, organization, "/organizations/initech", object{"name": "X"}, 404, "organization_not_found_or_unauthorized", ""},
		{patch, organization, "/organizations/org_none", object{"name": "X"}, 404, "organization_not_found_or_unauthorized", ""},
		{patch, metadata, initech + "/metadata", object{"public_metadata": object{"plan": object{"name": "pro", "seats": 9007199254740993}, "old": true}}, 200, "", updated},
		{patch, metadata, initech + "/metadata", object{"public_metadata": object{"plan": object{"name": nil}, "old": nil}, "private_metadata": object{"crm": "7"}}, 200, "", updated},
		{put, metadata, initech + "/metadata", object{"private_metadata": object{"note": "new"}}, 200, "", updated},
		{patch, metadata, initech + "/metadata", object{"public_metadata": []int{1}}, 422, "form_param_value_invalid", ""},
		{put, metadata, initech + "/metadata", object{"unsafe_metadata": object{}}, 422, "form_param_unknown", ""},
		{put, metadata, "/organizations/org_none/metadata", object{"private_metadata": object{}}, 404, "organization_not_found_or_unauthorized", ""},
		{patch, metadata, "/organizations/org_none/metadata", object{"private_metadata": object{}}, 404, "organization_not_found_or_unauthorized", ""},
		{remove, organization, "/organizations/initech", nil, 404, "organization_not_found_or_unauthorized", ""},
		{remove, organization, initech, nil, 200, "", "organization.deleted"},
		{remove, organization, "/organizations/org_none", nil, 404, "organization_not_found_or_unauthorized", ""},
	}
}

func TestBackendWritesOrganizations(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	before := c.current.Load()
	all := organizationChanges()
	b.tryWrites(c, all[:len(all)-3])
	s := c.current.Load()
	initech, err := s.organization("initech")
	if err != nil {
		t.Fatal(err)
	}
	if string(initech.PublicMetadata) != `{"plan":{"seats":9007199254740993}}` || string(initech.PrivateMetadata) != `{"note":"new"}` ||
		!initech.AdminDeleteOff || initech.MaxMemberships != 2 || initech.Name != "Initech & Sons" || initech.UpdatedAt <= initech.CreatedAt {
		t.Errorf("%+v", initech)
	}
	if m, is := s.membershipOf(initech.ID, seededID("user", "Nora")); !is || m.Role != creatorRole || m.CreatedAt <= initech.CreatedAt {
		t.Errorf("its creator is %+v", m)
	}
	nobodys, _ := s.organization("nobody-s")
	if nobodys.MaxMemberships != 3 || time.UnixMilli(nobodys.CreatedAt).UTC().Year() != 2012 || s.membersCount(nobodys.ID) != 0 {
		t.Errorf("%+v", nobodys)
	}
	if diff := cmp.Diff(s, openIn(t, strings.TrimSuffix(c.dir, "/clerk")).current.Load()); diff != "" {
		t.Errorf("after a restart:\n%s", diff)
	}
	b.tryWrites(c, all[len(all)-3:])
	// The other organizations are as they were, and of Initech nothing is left.
	s = c.current.Load()
	if diff := cmp.Diff(before.Organizations, s.Organizations[:2]); diff != "" {
		t.Errorf("other organizations:\n%s", diff)
	}
	if diff := cmp.Diff(before.Memberships, s.Memberships[:4]); diff != "" {
		t.Errorf("other memberships:\n%s", diff)
	}
	if s.membersCount(initech.ID) != 0 || len(s.Organizations) != 4 {
		t.Errorf("left: %+v", s.Organizations)
	}
	var told struct {
		Data map[string]any `json:"data"`
	}
	if err := json.Unmarshal([]byte(s.Queue[len(s.Queue)-1].Body), &told); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"object": "organization", "id": initech.ID, "slug": "initech", "deleted": true}, told.Data); diff != "" {
		t.Errorf("the event of the deletion:\n%s", diff)
	}
}

func TestSlugsComeFromNames(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	for _, test := range []struct{ name, slug string }{
		{"Hooli XYZ", "hooli-xyz"}, {" A.C.M.E., Inc. ", "a-c-m-e-inc"}, {"東京", "organization"},
	} {
		_, data := b.write(wantedChange{method: "POST", path: "/organizations", body: object{"name": test.name}})
		if !strings.Contains(string(data), `"slug":"`+test.slug+`"`) {
			t.Errorf("%s: %s", test.name, data)
		}
	}
	slugs := map[string]bool{}
	for range 3 {
		b.write(wantedChange{method: "POST", path: "/organizations", body: object{"name": "Acme"}})
	}
	for _, o := range c.current.Load().Organizations {
		if slugs[o.Slug] || !slugForm.MatchString(o.Slug) {
			t.Errorf("%q is taken or no slug", o.Slug)
		}
		slugs[o.Slug] = true
	}
}

const settingsPath = "/__clerk/control/v1/settings"

func TestSettingsOfOrganizations(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	var now settings
	b.ok("GET", settingsPath, nil, &now)
	if diff := cmp.Diff(settings{OrganizationsEach: 100}, now); diff != "" {
		t.Errorf("a new instance:\n%s", diff)
	}
	before := c.current.Load()
	b.refused(b.request("PATCH", settingsPath, object{"maxMemberships": -1}), 422, "form_param_value_invalid")
	if c.current.Load() != before {
		t.Error("a refusal changed something")
	}
	b.ok("PATCH", settingsPath, object{"slugsOff": true, "organizationsEach": 2, "maxMemberships": 1, "adminDeleteOff": true}, &now)
	if diff := cmp.Diff(settings{MaxMemberships: 1, OrganizationsEach: 2, SlugsOff: true, AdminDeleteOff: true}, now); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
	nora := seededID("user", "Nora")
	post := func(body object, status int, code, event string) wantedChange {
		return wantedChange{"POST", "/organizations", "/organizations", body, status, code, event}
	}
	b.tryWrites(c, []wantedChange{
		post(object{"name": "Initech", "slug": "initech"}, 403, "organization_slugs_disabled", ""),
		{"PATCH", "/organizations/{id}", "/organizations/" + SeededAcme, object{"slug": "other"}, 403, "organization_slugs_disabled", ""},
		post(object{"name": "Initech", "created_by": nora}, 200, "", "organization.created organizationMembership.created"),
		post(object{"name": "Initech", "created_by": nora}, 200, "", "organization.created organizationMembership.created"),
		post(object{"name": "Initech", "created_by": nora}, 403, "organization_quota_exceeded", ""),
		post(object{"name": "Initech", "created_by": SeededAda}, 200, "", "organization.created organizationMembership.created"), // she made Acme
	})
	made := c.current.Load().Organizations[2]
	if made.Slug != "" || made.MaxMemberships != 1 || !made.AdminDeleteOff {
		t.Errorf("%+v", made)
	}
	b.tryWrites(c, []wantedChange{
		{"POST", "/organizations/{id}/memberships", "/organizations/" + made.ID + "/memberships", object{"user_id": SeededAda, "role": "org:member"}, 403, "organization_membership_quota_exceeded", ""},
		{"POST", "/organizations/{id}/memberships", "/organizations/" + SeededAcme + "/memberships", object{"user_id": nora, "role": "org:member"}, 200, "", "organizationMembership.created"},
	})
}
