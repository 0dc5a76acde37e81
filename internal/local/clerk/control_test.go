package clerk

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func membershipsOf(a api) map[string]membershipView {
	a.t.Helper()
	var view stateView
	a.ok("GET", statePath, nil, &view)
	all := map[string]membershipView{}
	for _, m := range view.Memberships {
		all[m.User+"@"+m.Organization] = m
	}
	return all
}

func TestStateShowsEverythingButSecrets(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	a := serve(t, c)
	var view stateView
	a.ok("GET", statePath, nil, &view)

	roles := map[string]string{}
	for _, m := range view.Memberships {
		roles[m.User+"@"+m.Organization] = m.Role
		if m.UserID == "" || m.OrganizationID == "" || m.CreatedAt == 0 || m.UpdatedAt == 0 || !strings.HasPrefix(m.ID, "orgmem_") {
			t.Errorf("incomplete %+v", m)
		}
	}
	for _, diff := range []string{
		cmp.Diff([]userView{
			{"user_2LocalAda0000000000000000000", "ada", "Ada", "Lovelace", "ada@acme.example"},
			{"user_2LocalMax0000000000000000000", "max", "Max", "Planck", "max@acme.example"},
			{"user_2LocalGus0000000000000000000", "gus", "Gus", "Grissom", "gus@globex.example"},
			{"user_2LocalNora000000000000000000", "nora", "Nora", "Noether", "nora@example.com"},
		}, view.Users),
		cmp.Diff([]organizationView{
			{"org_2LocalAcme000000000000000000", "acme", "Acme"},
			{"org_2LocalGlobex0000000000000000", "globex", "Globex"},
		}, view.Organizations),
		cmp.Diff(map[string]string{
			"ada@acme": "org:admin", "max@acme": "org:member", "gus@globex": "org:admin", "ada@globex": "org:member",
		}, roles),
		cmp.Diff(deliveriesView{Queued: seededEvents}, view.Deliveries),
	} {
		if diff != "" {
			t.Error(diff)
		}
	}
	if len(view.Roles) != 3 || view.Issuer != c.Issuer() || view.InstanceID != c.InstanceID() || view.PublishableKey != c.PublishableKey() {
		t.Errorf("%+v", view)
	}
	_, data := a.send(a.request("GET", statePath, nil))
	for _, secret := range []string{c.SecretKey(), c.WebhookSecret(), "sk_test_", "whsec_", "PRIVATE"} {
		if strings.Contains(string(data), secret) {
			t.Error("the state shows a secret")
		}
	}
}

func TestMembershipComesChangesAndGoes(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	rec := receive(t, c.WebhookSecret(), nil)
	run(t, c, rec.url)
	settle(t, c)
	a := serve(t, c)
	seeded := len(rec.deliveries())

	var added, changed, removed, again membershipOutput
	a.ok("POST", membershipsPath, object{"organization": "acme", "user": "nora", "role": "guest"}, &added)
	a.ok("PATCH", membershipsPath, object{"organization": "acme", "user": "nora", "role": "org:member"}, &changed)
	a.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "nora"}, &removed)
	if _, still := membershipsOf(a)["nora@acme"]; still {
		t.Error("a removed membership is still shown")
	}
	a.ok("POST", membershipsPath, object{"organization": "acme", "user": "nora", "role": "org:member"}, &again)

	for _, out := range []membershipOutput{added, changed, removed, again} {
		if !out.Delivered || out.DeliveryMs < 0 || out.DeliveryMs > 5000 || out.Membership.User != "nora" || out.Membership.Organization != "acme" {
			t.Errorf("%+v", out)
		}
	}
	one, two, three, four := added.Membership, changed.Membership, removed.Membership, again.Membership
	if one.Role != "org:guest" || two.Role != "org:member" {
		t.Errorf("roles %s, then %s", one.Role, two.Role)
	}
	if two.ID != one.ID || two.CreatedAt != one.CreatedAt || two.UpdatedAt <= one.UpdatedAt {
		t.Errorf("a change of role must keep the membership and bump updated_at: %+v, %+v", one, two)
	}
	if diff := cmp.Diff(two, three); diff != "" {
		t.Errorf("a removal must tell of the membership as it was:\n%s", diff)
	}
	if four.ID == one.ID || four.CreatedAt <= two.UpdatedAt {
		t.Errorf("who joins again needs a new membership: %+v, %+v", one, four)
	}

	// delivered: true means that the receiver has it by now.
	var types []string
	for _, d := range rec.deliveries()[seeded:] {
		types = append(types, d.event(t).Type)
	}
	want := []string{
		"organizationMembership.created", "organizationMembership.updated",
		"organizationMembership.deleted", "organizationMembership.created",
	}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedMembershipChanges(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	a := serve(t, c)
	before := c.current.Load()
	for _, test := range []struct {
		method string
		body   object
		status int
		code   string
		says   string
	}{
		{"POST", object{"organization": "acme", "user": "max", "role": "org:member"}, 400, "already_a_member_in_organization", "max"},
		{"PATCH", object{"organization": "acme", "user": "nora", "role": "org:member"}, 403, "not_a_member_in_organization", "nora"},
		{"DELETE", object{"organization": "acme", "user": "nora"}, 403, "not_a_member_in_organization", "nora"},
		{"DELETE", object{"organization": "acme", "user": "ada"}, 400, "organization_minimum_permissions_needed", "acme"},
		{"PATCH", object{"organization": "acme", "user": "ada", "role": "org:member"}, 400, "organization_minimum_permissions_needed", "acme"},
		{"POST", object{"organization": "acme", "user": "bob", "role": "org:member"}, 404, "resource_not_found", "ada, max, gus, nora"},
		{"POST", object{"organization": "initech", "user": "max", "role": "org:member"}, 404, "organization_not_found_or_unauthorized", "acme, globex"},
		{"POST", object{"organization": "acme", "user": "nora", "role": "org:owner"}, 404, "resource_not_found", "org:admin, org:member, org:guest"},
		{"POST", object{"organization": "acme", "user": "nora"}, 422, "form_param_nil", "role"},
		{"PATCH", object{"organization": "acme", "role": "org:member"}, 422, "form_param_nil", "user"},
		{"DELETE", object{"user": "max"}, 422, "form_param_nil", "organization"},
		{"DELETE", object{"organization": "acme", "user": "max", "role": "org:member"}, 400, "request_body_invalid", "role"},
		{"PUT", object{"organization": "acme", "user": "max"}, 404, "resource_not_found", "method"},
	} {
		long := a.refused(a.request(test.method, membershipsPath, test.body), test.status, test.code)
		if !strings.Contains(long, test.says) {
			t.Errorf("%s %v: %q does not say %q", test.method, test.body, long, test.says)
		}
	}
	for _, body := range []string{``, `{`, `[]`, `"max"`, `{"organization":"acme","user":"max"} {}`} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, a.base+membershipsPath, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		a.refused(r, 400, "request_body_invalid")
	}
	if c.current.Load() != before {
		t.Error("a refused request changed the state")
	}
}

func TestLastAdminMayGoOnceThereIsAnother(t *testing.T) {
	t.Parallel()
	a := serve(t, openNew(t))
	var out membershipOutput
	a.ok("PATCH", membershipsPath, object{"organization": "acme", "user": "max", "role": "org:admin"}, &out)
	a.ok("PATCH", membershipsPath, object{"organization": "acme", "user": "ada", "role": "org:guest"}, &out)
	a.refused(a.request("DELETE", membershipsPath, object{"organization": "acme", "user": "max"}), 400, "organization_minimum_permissions_needed")
	// An admin of another organization does not count.
	a.refused(a.request("DELETE", membershipsPath, object{"organization": "globex", "user": "gus"}), 400, "organization_minimum_permissions_needed")
	a.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "ada"}, &out)
}

func TestAnotherOrganizationIsLeftAlone(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	a := serve(t, c)
	var out membershipOutput
	a.ok("POST", membershipsPath, object{"organization": "globex", "user": "max", "role": "org:member"}, &out)
	before, queued := membershipsOf(a), len(c.current.Load().Queue)

	a.ok("DELETE", membershipsPath, object{"organization": "acme", "user": "max"}, &out)

	delete(before, "max@acme")
	if diff := cmp.Diff(before, membershipsOf(a)); diff != "" {
		t.Errorf("more than one membership changed:\n%s", diff)
	}
	events := c.current.Load().Queue[queued:]
	if len(events) != 1 || strings.Contains(events[0].Body, "org_2LocalGlobex") {
		t.Errorf("%d events, want one about Acme", len(events))
	}
	mint(a, object{"user": "max", "organization": "globex"})
	a.refused(a.request("POST", tokensPath, object{"user": "max", "organization": "acme"}), 403, "not_a_member_in_organization")
}

func TestKeysNeedTheSecretKeyAtTheBackendAPI(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	a := serve(t, c)
	var public, private object
	a.ok("GET", publicKeysPath, nil, &public)
	keys, _ := public["keys"].([]any)
	if len(keys) != 1 {
		t.Fatalf("%d keys", len(keys))
	}
	key := keys[0].(object)
	if diff := cmp.Diff([]string{"alg", "e", "kid", "kty", "n", "use"}, keysOf(key)); diff != "" {
		t.Errorf("the key must be public only:\n%s", diff)
	}
	if key["kid"] != c.InstanceID() || key["alg"] != "RS256" || key["kty"] != "RSA" || key["use"] != "sig" || key["e"] != "AQAB" {
		t.Errorf("%v", key)
	}

	with := func(authorization string) *http.Request {
		r := a.request("GET", backendKeysPath, nil)
		r.Header.Set("Authorization", authorization)
		return r
	}
	if response, data := a.send(with("Bearer " + c.SecretKey())); response.StatusCode != http.StatusOK {
		t.Errorf("%d %s", response.StatusCode, data)
	}
	a.ok("GET", publicKeysPath, nil, &private)
	a.refused(a.request("GET", backendKeysPath, nil), 401, "authentication_invalid")
	a.refused(with(c.SecretKey()), 401, "authentication_invalid")
	a.refused(with("Basic "+c.SecretKey()), 401, "authentication_invalid")
	for _, wrong := range []string{"", "sk_test_", "sk_test_wrong", c.SecretKey() + "x", c.WebhookSecret()} {
		long := a.refused(with("Bearer "+wrong+" "), 401, map[bool]string{true: "authentication_invalid", false: "clerk_key_invalid"}[wrong == ""])
		if strings.Contains(long, "sk_test_") {
			t.Errorf("the answer shows a key: %s", long)
		}
	}
}
