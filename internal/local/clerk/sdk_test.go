package clerk

import (
	"context"
	"errors"
	"net/http"
	"testing"

	sdk "github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/jwks"
	sdkorganization "github.com/clerk/clerk-sdk-go/v2/organization"
	"github.com/clerk/clerk-sdk-go/v2/organizationinvitation"
	"github.com/clerk/clerk-sdk-go/v2/organizationmembership"
	"github.com/clerk/clerk-sdk-go/v2/organizationpermission"
	"github.com/clerk/clerk-sdk-go/v2/organizationrole"
	sdkuser "github.com/clerk/clerk-sdk-go/v2/user"
	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/spectest"
)

// connect configures Clerk's own client for the local Clerk.
func connect(b backend, key string) *sdk.ClientConfig {
	return &sdk.ClientConfig{BackendConfig: sdk.BackendConfig{
		HTTPClient: http.DefaultClient, URL: sdk.String(b.base + backendPath), Key: sdk.String(key),
	}}
}

func TestClerksClientListsOrganizations(t *testing.T) {
	t.Parallel()
	c := openPopulated(t, Population{Organizations: 25, Users: 3, MembersEach: 3})
	b := serveBackend(t, c)
	client := sdkorganization.NewClient(connect(b, c.SecretKey()))
	ctx := t.Context()

	all := map[string]*sdk.Organization{}
	for offset := int64(0); ; offset += 10 {
		page, err := client.List(ctx, &sdkorganization.ListParams{
			ListParams: sdk.ListParams{Limit: sdk.Int64(10), Offset: sdk.Int64(offset)}, IncludeMembersCount: sdk.Bool(true),
		})
		if err != nil {
			t.Fatal(err)
		}
		if page.TotalCount != 27 {
			t.Errorf("total_count %d, want 27", page.TotalCount)
		}
		for _, o := range page.Organizations {
			all[o.ID] = o
		}
		if len(page.Organizations) < 10 {
			break
		}
	}
	acme := all[SeededAcme]
	if len(all) != 27 || acme == nil || acme.Name != "Acme" || acme.Slug != "acme" || acme.CreatedBy != SeededAda ||
		acme.MembersCount == nil || *acme.MembersCount != 2 || acme.CreatedAt == 0 || acme.UpdatedAt == 0 {
		t.Fatalf("%d organizations, Acme %+v", len(all), acme)
	}
	for _, name := range []string{SeededAcme, "acme"} {
		one, err := client.Get(ctx, name)
		if err != nil || one.ID != SeededAcme || one.MembersCount != nil {
			t.Errorf("%s: %+v, %v", name, one, err)
		}
	}
	ofUsers, err := client.List(ctx, &sdkorganization.ListParams{UserIDs: []string{SeededGus}, OrderBy: sdk.String("+name")})
	if err != nil || ofUsers.TotalCount != 1 || ofUsers.Organizations[0].ID != SeededGlobex {
		t.Errorf("of Gus: %+v, %v", ofUsers, err)
	}
}

// membershipsOfInstance reads GET /organization_memberships, for which the
// client has no method.
func membershipsOfInstance(ctx context.Context, backend sdk.Backend) (*sdk.OrganizationMembershipList, error) {
	list := &sdk.OrganizationMembershipList{}
	request := sdk.NewAPIRequest(http.MethodGet, "/organization_memberships")
	request.SetParams(&organizationmembership.ListParams{ListParams: sdk.ListParams{Limit: sdk.Int64(500)}})
	return list, backend.Call(ctx, request, list)
}

func TestClerksClientListsMemberships(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	config := connect(b, c.SecretKey())
	ctx := t.Context()

	instance, err := membershipsOfInstance(ctx, sdk.NewBackend(&config.BackendConfig))
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]string{}
	for _, m := range instance.OrganizationMemberships {
		roles[m.PublicUserData.Identifier+" "+m.Organization.Slug] = m.Role
		if len(m.Permissions) == 0 || m.RoleName == "" || m.CreatedAt == 0 || m.UpdatedAt == 0 || m.ID == "" {
			t.Errorf("incomplete %+v", m)
		}
	}
	want := map[string]string{
		"ada@acme.example acme": "org:admin", "max@acme.example acme": "org:member",
		"gus@globex.example globex": "org:admin", "ada@acme.example globex": "org:member",
	}
	if diff := cmp.Diff(want, roles); diff != "" || instance.TotalCount != 4 {
		t.Errorf("total_count %d:\n%s", instance.TotalCount, diff)
	}

	client := organizationmembership.NewClient(config)
	for _, test := range []struct {
		params organizationmembership.ListParams
		users  []string
	}{
		{organizationmembership.ListParams{}, []string{seededID("user", "Max"), SeededAda}},
		{organizationmembership.ListParams{UserIDs: []string{SeededAda}}, []string{SeededAda}},
		{organizationmembership.ListParams{UserIDs: []string{SeededGus}}, nil},
		{organizationmembership.ListParams{Roles: []string{"org:member"}}, []string{seededID("user", "Max")}},
		{organizationmembership.ListParams{OrderBy: sdk.String("+last_name")}, []string{SeededAda, seededID("user", "Max")}},
	} {
		test.params.OrganizationID = SeededAcme
		list, err := client.List(ctx, &test.params)
		if err != nil {
			t.Fatal(err)
		}
		var users []string
		for _, m := range list.OrganizationMemberships {
			users = append(users, m.PublicUserData.UserID)
		}
		if diff := cmp.Diff(test.users, users); diff != "" || int(list.TotalCount) != len(users) {
			t.Errorf("%+v: total_count %d:\n%s", test.params, list.TotalCount, diff)
		}
	}
	ofAda, err := sdkuser.NewClient(config).ListOrganizationMemberships(ctx, SeededAda, &sdkuser.ListOrganizationMembershipsParams{})
	if err != nil || ofAda.TotalCount != 2 {
		t.Errorf("of Ada: %+v, %v", ofAda, err)
	}
}

func TestClerksClientListsUsers(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	client := sdkuser.NewClient(connect(b, c.SecretKey()))
	ctx := t.Context()

	list, err := client.List(ctx, &sdkuser.ListParams{
		ListParams: sdk.ListParams{Limit: sdk.Int64(3), Offset: sdk.Int64(1)}, OrderBy: sdk.String("created_at"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, u := range list.Users {
		names = append(names, *u.FirstName+" "+*u.LastName+" "+u.EmailAddresses[0].EmailAddress)
		if u.EmailAddresses[0].ID != *u.PrimaryEmailAddressID || u.EmailAddresses[0].Verification.Status != "verified" {
			t.Errorf("the primary address of %+v", u)
		}
	}
	want := []string{"Max Planck max@acme.example", "Gus Grissom gus@globex.example", "Nora Noether nora@example.com"}
	if diff := cmp.Diff(want, names); diff != "" || list.TotalCount != 4 {
		t.Errorf("total_count %d:\n%s", list.TotalCount, diff)
	}
	for _, params := range []*sdkuser.ListParams{
		{UserIDs: []string{SeededAda}},
		{EmailAddresses: []string{"ada@acme.example"}},
		{Query: sdk.String("lovelace")},
		{OrganizationIDs: []string{"+" + SeededAcme, "-" + SeededGlobex}, UserIDs: []string{seededID("user", "Max")}},
	} {
		list, err := client.List(ctx, params)
		if err != nil || list.TotalCount != 1 || len(list.Users) != 1 {
			t.Errorf("%+v: %+v, %v", params, list, err)
		}
	}
	if ada, err := client.Get(ctx, SeededAda); err != nil || *ada.FirstName != "Ada" {
		t.Errorf("%+v, %v", ada, err)
	}
}

func TestClerksClientReadsTheRest(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	config := connect(b, c.SecretKey())
	ctx := t.Context()

	roles, err := organizationrole.NewClient(config).List(ctx, &organizationrole.ListParams{})
	if err != nil || roles.TotalCount != 3 || len(roles.OrganizationRoles[2].Permissions) != 14 {
		t.Errorf("roles %+v, %v", roles, err)
	}
	guest, err := organizationrole.NewClient(config).Get(ctx, seededID("role", "Guest"))
	if err != nil || guest.Key != "org:guest" || len(guest.Permissions) != 0 {
		t.Errorf("guest %+v, %v", guest, err)
	}
	permissions, err := organizationpermission.NewClient(config).List(ctx, &organizationpermission.ListParams{})
	if err != nil || permissions.TotalCount != 14 || len(permissions.OrganizationPermissions) != 10 {
		t.Errorf("permissions %+v, %v", permissions, err)
	}
	invitations := organizationinvitation.NewClient(config)
	inOrganization, err := invitations.List(ctx, &organizationinvitation.ListParams{OrganizationID: SeededAcme})
	if err != nil || inOrganization.TotalCount != 0 || inOrganization.OrganizationInvitations == nil {
		t.Errorf("invitations of Acme %+v, %v", inOrganization, err)
	}
	if all, err := invitations.ListFromInstance(ctx, &organizationinvitation.ListFromInstanceParams{}); err != nil || all.TotalCount != 0 {
		t.Errorf("invitations %+v, %v", all, err)
	}
	keys, err := jwks.NewClient(config).Get(ctx, &jwks.GetParams{})
	if err != nil || len(keys.Keys) != 1 || keys.Keys[0].KeyID != c.InstanceID() {
		t.Errorf("keys %+v, %v", keys, err)
	}
}

func TestClerksClientUnderstandsRefusals(t *testing.T) {
	t.Parallel()
	c := openUnlimited(t)
	b := serveBackend(t, c)
	config := connect(b, c.SecretKey())
	stranger := connect(b, "sk_test_stranger")
	config.HTTPClient = &http.Client{Transport: spectest.Wrong()} // one asks for a page of 501
	ctx := t.Context()
	refusal := func(what string, err error) *sdk.APIErrorResponse {
		t.Helper()
		var refused *sdk.APIErrorResponse
		if !errors.As(err, &refused) || len(refused.Errors) != 1 || refused.TraceID == "" || refused.Errors[0].LongMessage == "" {
			t.Fatalf("%s: %v", what, err)
		}
		return refused
	}
	for _, test := range []struct {
		config *sdk.ClientConfig
		id     string
		limit  int64
		status int
		code   string
	}{
		{config, "org_none", 10, 404, "organization_not_found_or_unauthorized"},
		{config, SeededAcme, 501, 422, "form_param_value_invalid"},
		{stranger, SeededAcme, 10, 401, "clerk_key_invalid"},
	} {
		_, err := organizationmembership.NewClient(test.config).List(ctx, &organizationmembership.ListParams{
			OrganizationID: test.id, ListParams: sdk.ListParams{Limit: &test.limit},
		})
		if got := refusal(test.code, err); got.HTTPStatusCode != test.status || got.Errors[0].Code != test.code {
			t.Errorf("%d %+v, want %d %s", got.HTTPStatusCode, got.Errors[0], test.status, test.code)
		}
	}
	_, err := sdkuser.NewClient(config).Get(ctx, "user_none")
	if got := refusal("user", err); got.HTTPStatusCode != 404 || got.Errors[0].Code != "resource_not_found" {
		t.Errorf("%+v", got)
	}
	c.limiter.allow(0)
	_, err = sdkuser.NewClient(config).Get(ctx, SeededAda)
	if got := refusal("limit", err); got.HTTPStatusCode != 429 || got.Errors[0].Code != "too_many_requests" || got.Response.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
}
