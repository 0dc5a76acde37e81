package mirror

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/local/clerk"
)

func localRights(t *testing.T, transport http.RoundTripper) (*clerk.Clerk, *RightsAPI) {
	t.Helper()
	local, err := clerk.Open(clerk.Config{Dir: t.TempDir(), RateLimit: -1})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(local.Handler())
	t.Cleanup(server.Close)
	// A live key has a budget that lets a test be quick; the local Clerk is told its own.
	carried := roundTrip(func(r *http.Request) (*http.Response, error) {
		r.Header.Set("Authorization", "Bearer "+local.SecretKey())
		if transport != nil {
			return transport.RoundTrip(r)
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	return local, NewRightsAPI(BackendConfig{
		URL: server.URL + "/__clerk/backend/v1", SecretKey: "sk_live_budget", Transport: carried, Logger: quiet,
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// wanted is beside Clerk's own roles a permission and a role of ours.
func wanted() Rights {
	own := []string{
		"org:sys_profile:manage", "org:sys_profile:delete", "org:sys_memberships:read", "org:sys_memberships:manage", "org:sys_domains:read",
		"org:sys_domains:manage", "org:sys_billing:read", "org:sys_billing:manage", "org:sys_entconns:manage",
	}
	return Rights{
		Permissions: []Permission{{Key: "org:notes:read", Name: "Read notes", Description: "All"}},
		Roles: []Role{
			{Key: "org:admin", Name: "Admin", Description: "Role with elevated permissions", All: true, Permissions: append(own, "org:notes:read")},
			{Key: "org:member", Name: "Member", Description: "Everybody", Permissions: []string{"org:sys_memberships:read", "org:notes:read"}},
			{Key: "org:auditor", Name: "Auditor", Permissions: []string{"org:notes:read"}},
		},
	}
}

func TestRightsAreBroughtToClerk(t *testing.T) {
	t.Parallel()
	_, api := localRights(t, nil)
	have, err := api.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plan := PlanRights(wanted(), have)
	want := []Step{
		{CreatePermission, "", "org:notes:read"},
		{CreateRole, "org:auditor", ""},
		{UpdateRole, "org:member", ""},
		{AddToRole, "org:admin", "org:notes:read"},
		{AddToRole, "org:member", "org:notes:read"},
		{RemoveFromRole, "org:member", "org:sys_billing:read"},
	}
	if diff := cmp.Diff(want, plan.Steps); diff != "" || len(plan.OnlyInClerk)+len(plan.Impossible) != 0 {
		t.Fatalf("plan (-want +got)\n%s%+v", diff, plan)
	}
	var done []Step
	if err := api.Apply(t.Context(), plan, false, func(s Step) { done = append(done, s) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Errorf("done (-want +got)\n%s", diff)
	}
	if have, err = api.Read(t.Context()); err != nil || !PlanRights(wanted(), have).Equal() {
		t.Errorf("afterwards: %v, %+v", err, PlanRights(wanted(), have))
	}

	// Back again: what only Clerk has stays, until it is to go.
	fewer := wanted()
	fewer.Permissions = nil
	fewer.Roles = fewer.Roles[:2]
	for i := range fewer.Roles {
		fewer.Roles[i].Permissions = fewer.Roles[i].Permissions[:len(fewer.Roles[i].Permissions)-1]
	}
	plan = PlanRights(fewer, have)
	beyond := []Step{
		{DeleteRole, "org:auditor", ""},
		{RemoveFromRole, "org:admin", "org:notes:read"},
		{DeletePermission, "", "org:notes:read"},
	}
	if diff := cmp.Diff(beyond, plan.OnlyInClerk); diff != "" || plan.Equal() {
		t.Errorf("only in Clerk (-want +got)\n%s", diff)
	}
	for _, prune := range []bool{false, true} {
		if err := api.Apply(t.Context(), plan, prune, func(Step) {}); err != nil {
			t.Fatal(err)
		}
		if have, err = api.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		plan = PlanRights(fewer, have)
		if plan.Equal() != prune || len(plan.Steps) != 0 {
			t.Errorf("with prune %v: %+v", prune, plan)
		}
	}
}

func TestSystemPermissionsThatClerkHasNot(t *testing.T) {
	t.Parallel()
	have := Rights{
		Permissions: []Permission{{Key: "org:sys_profile:manage", id: "perm_1", system: true}, {Key: "org:sys_new:read", id: "perm_2", system: true}},
		Roles:       []Role{{Key: "org:admin", Name: "Admin", id: "role_1", Permissions: []string{"org:sys_profile:manage", "org:sys_new:read"}}},
	}
	all := Role{Key: "org:admin", Name: "Admin", All: true, Permissions: []string{"org:sys_profile:manage", "org:sys_old:read"}}
	if plan := PlanRights(Rights{Roles: []Role{all}}, have); !plan.Equal() {
		t.Errorf("all: %+v", plan)
	}
	all.All = false
	plan := PlanRights(Rights{Roles: []Role{all}}, have)
	if diff := cmp.Diff([]Step{{AddToRole, "org:admin", "org:sys_old:read"}}, plan.Impossible); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Step{{RemoveFromRole, "org:admin", "org:sys_new:read"}}, plan.Steps); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownPermissions(t *testing.T) {
	t.Parallel()
	_, api := localRights(t, nil)
	got, err := UnknownPermissions(t.Context(), api, []string{"org:sys_memberships:read", "org:documents:read", "org:notes:read"})
	if diff := cmp.Diff([]string{"org:documents:read", "org:notes:read"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// A write is tried once, whatever comes of it, and Clerk's words about it are passed on.
func TestWritesAreTriedOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"unavailable":  {503, "", ErrBackendUnavailable},
		"limited":      {429, `{"errors":[{"code":"too_many_requests","message":"slow"}]}`, ErrBackendUnavailable},
		"redirected":   {302, "", ErrBackendUnavailable},
		"unauthorized": {401, `{"errors":[{"code":"clerk_key_invalid","message":"no"}]}`, ErrUnauthorized},
		"no JSON":      {200, "<html>", ErrBackendUnavailable},
		"payment":      {402, `{"errors":[{"code":"unsupported_subscription_plan_features","message":"short","long_message":"Upgrade"}]}`, &RefusedError{402, "unsupported_subscription_plan_features", "Upgrade"}},
		"no reason":    {403, `nothing`, &RefusedError{403, "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			writes := 0
			_, api := localRights(t, roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodGet {
					return http.DefaultTransport.RoundTrip(r)
				}
				writes++
				answer := httptest.NewRecorder()
				answer.WriteHeader(test.status)
				_, _ = io.WriteString(answer, test.body)
				return answer.Result(), nil
			}))
			have, err := api.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			err = api.Apply(t.Context(), PlanRights(wanted(), have), false, func(s Step) { t.Errorf("done: %s", s) })
			var refused *RefusedError
			if errors.As(err, &refused) {
				if diff := cmp.Diff(test.want, error(refused)); diff != "" {
					t.Error(diff)
				}
			} else if !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if writes != 1 {
				t.Errorf("%d writes", writes)
			}
		})
	}
}
