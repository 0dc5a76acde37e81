package mirror

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/tenantry/tenantry/models"
)

// Clerk's rules are reported by our names, and change nothing.
func TestClerksRulesHaveReasons(t *testing.T) {
	t.Parallel()
	g := newManaged(t)
	other, err := g.CreateOrganization(t.Context(), models.Actor{UserID: "user_gus"}, models.OrganizationInput{Name: ptr("Other"), Slug: ptr("taken")})
	if err != nil {
		t.Fatal(err)
	}
	org := g.organization
	refused := func(reason models.Reason) error { return &models.RefusedError{Reason: reason} }
	before := g.shown(t)
	g.clerk.set(func() { g.clerk.made = nil })
	for name, c := range map[string]struct {
		do   func(ctx context.Context) error
		want error
	}{
		"the last admin leaves":     {func(ctx context.Context) error { return g.RemoveMember(ctx, nora, org, "user_nora") }, refused("LAST_ADMIN")},
		"the last admin is demoted": {func(ctx context.Context) error { return g.UpdateMemberRole(ctx, nora, org, "user_nora", "org:member") }, refused("LAST_ADMIN")},
		"a member is added":         {func(ctx context.Context) error { return g.AddMember(ctx, nora, org, "user_max", "org:member") }, refused("ALREADY_MEMBER")},
		"nobody is added":           {func(ctx context.Context) error { return g.AddMember(ctx, nora, org, "user_nobody", "org:member") }, models.ErrNotFound},
		"no id is added":            {func(ctx context.Context) error { return g.AddMember(ctx, nora, org, "user_x/../y", "org:member") }, models.ErrNotFound},
		"a slug is taken": {func(ctx context.Context) error {
			return g.UpdateOrganization(ctx, nora, org, models.OrganizationInput{Slug: ptr("taken")})
		}, refused("SLUG_TAKEN")},
		"a new one's slug is taken": {func(ctx context.Context) error {
			_, err := g.CreateOrganization(ctx, nora, models.OrganizationInput{Name: ptr("N"), Slug: ptr("taken")})
			return err
		}, refused("SLUG_TAKEN")},
		"a name is refused": {func(ctx context.Context) error {
			_, err := g.CreateOrganization(ctx, nora, models.OrganizationInput{Name: ptr("http://x")})
			return err
		}, models.Invalid("name", "is not accepted")},
		"another organization's invitation": {func(ctx context.Context) error {
			_, err := g.RevokeInvitation(ctx, nora, other.ID, g.invitation)
			return err
		}, models.ErrNotFound},
	} {
		if err := c.do(t.Context()); !reflect.DeepEqual(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if len(g.clerk.made) != 0 || !reflect.DeepEqual(before, g.shown(t)) {
		t.Errorf("made %v", g.clerk.made)
	}
}

// Clerk says only that something was not found. If the copy has roles, it tells an unknown role
// from an unknown user.
func TestAnUnknownRoleIsNamed(t *testing.T) {
	t.Parallel()
	g := newManaged(t)
	add := func(user, role string) error { return g.AddMember(t.Context(), nora, g.organization, user, role) }
	if err := add("user_gus", "org:unknown"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("without roles in the copy: %v", err)
	}
	g.receive(t, "msg_role", []byte(`{"type": "role.created", "object": "event", "instance_id": "ins_1", "timestamp": 2000, "data": {
		"id": "role_1", "key": "org:member", "name": "Member", "permissions": [], "created_at": 1000, "updated_at": 1000}}`))
	invalid := models.Invalid("role", "is not accepted")
	if err := add("user_gus", "org:unknown"); !reflect.DeepEqual(err, invalid) {
		t.Errorf("added: %v", err)
	}
	if err := add("user_nobody", "org:member"); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("nobody is added: %v", err)
	}
	if err := g.UpdateMemberRole(t.Context(), nora, g.organization, "user_max", "org:unknown"); !reflect.DeepEqual(err, invalid) {
		t.Errorf("changed: %v", err)
	}
	results, err := g.InviteMembers(t.Context(), nora, g.organization, []models.InvitationInput{
		{Email: "one@example.com", Role: "org:unknown"}, {Email: "two@example.com", Role: "org:member"},
	})
	if err != nil || results[0].Reason != models.ReasonInvalidRole || results[1].Invitation == nil {
		t.Errorf("invited: %+v %v", results, err)
	}
}

// What of the creator Clerk does not hold against a backend is held here.
func TestCreatingHonoursTheUsersLimits(t *testing.T) {
	t.Parallel()
	g := newManaged(t)
	create := func() error {
		_, err := g.CreateOrganization(t.Context(), nora, models.OrganizationInput{Name: ptr("N")})
		return err
	}
	user := g.clerk.lists["users"][find(g.clerk.lists["users"], "user_nora")]
	var refused *models.RefusedError
	g.clerk.set(func() { user["create_organizations_limit"] = 1 })
	if err := create(); !errors.As(err, &refused) || refused.Reason != models.ReasonOrganizationQuota {
		t.Errorf("with a limit of one: %v", err)
	}
	if _, err := g.CreateOrganization(t.Context(), models.Actor{UserID: "user_gus"}, models.OrganizationInput{Name: ptr("Of Gus")}); err != nil {
		t.Fatal(err)
	}
	g.clerk.set(func() {
		gus := g.clerk.lists["organizations"][len(g.clerk.lists["organizations"])-1]
		g.clerk.join(gus, "user_nora", "org:member")
		user["create_organizations_limit"], g.clerk.made = 2, nil
	})
	if err := create(); err != nil {
		t.Errorf("a member of another's organization, with a limit of two: %v", err)
	}
	g.clerk.set(func() { g.clerk.made = nil })
	g.clerk.set(func() { user["create_organizations_limit"], user["create_organization_enabled"] = 0, false })
	if err := create(); !errors.As(err, &refused) || refused.Reason != models.ReasonOrganizationCreationDisabled {
		t.Errorf("not enabled: %v", err)
	}
	g.clerk.set(func() { user["create_organization_enabled"] = true })
	if err := create(); err != nil || len(g.clerk.made) != 1 {
		t.Errorf("with neither: %v, made %d", err, len(g.clerk.made))
	}
}

// One bad invitation among others is reported by itself.
func TestInvitationsAreReportedOneByOne(t *testing.T) {
	t.Parallel()
	g := newManaged(t)
	people := []models.InvitationInput{
		{Email: "one@example.com", Role: "org:member"},
		{Email: "nonsense", Role: "org:member"},
		{Email: "first@example.com", Role: "org:member"}, // is invited already
		{Email: "refused@example.com", Role: "org:member"},
		{Email: "two@example.com", Role: "org:admin"},
	}
	g.clerk.set(func() { g.clerk.faults = []fault{"", "", fault500Before, faultCut} }) // the third is asked for first
	results, err := g.InviteMembers(t.Context(), nora, g.organization, people)
	if err != nil {
		t.Fatal(err)
	}
	want := []models.Reason{"", "INVALID_EMAIL", "INVITATION_PENDING", "UPSTREAM_UNAVAILABLE", ""}
	for i, r := range results {
		if r.Email != people[i].Email || r.Reason != want[i] || (r.Invitation == nil) != (want[i] != "") {
			t.Errorf("%d: %+v", i, r)
		}
	}
	if len(g.clerk.made) != 2 || len(g.outcomes) != 1 || g.outcomes[0] != "inviteMembers applied" {
		t.Errorf("made %d, recorded %q", len(g.clerk.made), g.outcomes)
	}
	g.equalsClerk(t)
	g.outcomes = nil
	if _, err := g.InviteMembers(t.Context(), nora, g.organization, people[1:2]); err != nil || len(g.outcomes) != 0 {
		t.Errorf("an invalid one alone: %v, recorded %q", err, g.outcomes)
	}
}

// After failures in a row changes are refused at once, until one comes through.
func TestChangesAreRefusedWhileClerkIsDown(t *testing.T) {
	t.Parallel()
	g := newManaged(t)
	change := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return g.UpdateMemberRole(ctx, nora, g.organization, "user_max", "org:admin")
	}
	var upstream *models.UpstreamError
	for range breakAfter {
		g.clerk.set(func() { g.clerk.faults = []fault{fault500Before} })
		if err := change(); !errors.As(err, &upstream) {
			t.Fatal(err)
		}
	}
	g.clerk.set(func() { g.clerk.asked = nil })
	if err := change(); !errors.As(err, &upstream) || upstream.RetryAfter <= time.Second || len(g.clerk.asked) > 0 {
		t.Errorf("broken: %v, asked %d", err, len(g.clerk.asked))
	}
	g.clock.Add(int64(breakFor/time.Second) + 1)
	if err := change(); err != nil || len(g.clerk.asked) != 1 {
		t.Errorf("after the pause: %v, asked %d", err, len(g.clerk.asked))
	}
	if err := g.UpdateMemberRole(t.Context(), nora, g.organization, "user_max", "org:member"); err != nil {
		t.Errorf("whole again: %v", err)
	}
}

// The whole story, with half of the answers lost: what is true is what is told.
func TestStoryOfAnOrganization(t *testing.T) {
	t.Parallel()
	g := newManaged(t)
	g.clerk.set(func() { g.clerk.faults = []fault{faultCut, "", faultHTML, fault500, "", faultCut, faultSlow, faultCut} })
	ctx := t.Context()
	made, err := g.CreateOrganization(ctx, nora, models.OrganizationInput{Name: ptr("Story")})
	if err != nil {
		t.Fatal(err)
	}
	if facts, err := g.Facts(ctx, made.ID, "user_nora", "sess_1", "org:admin"); err != nil || facts.Membership != MembershipLive || facts.Role != "org:admin" {
		t.Errorf("Nora is not its admin at once: %+v %v", facts, err)
	}
	results, err := g.InviteMembers(ctx, nora, made.ID, []models.InvitationInput{
		{Email: "max@example.com", Role: "org:member"}, {Email: "@", Role: "org:member"}, {Email: "gus@example.com", Role: "org:admin"},
	})
	if err != nil || results[0].Invitation == nil || results[1].Reason != models.ReasonInvalidEmail || results[2].Invitation == nil {
		t.Fatalf("%+v %v", results, err)
	}
	g.clerk.set(func() { g.clerk.accept("max@example.com", "user_max") })
	g.clerk.deliver(t, g.fixture)
	g.equalsClerk(t)
	for _, step := range []error{
		g.UpdateMemberRole(ctx, nora, made.ID, "user_max", "org:admin"),
		g.RemoveMember(ctx, models.Actor{UserID: "user_max"}, made.ID, "user_max"),
		g.AddMember(ctx, nora, made.ID, "user_ada", "org:member"),
		g.DeleteOrganization(ctx, nora, made.ID),
	} {
		if step != nil {
			t.Error(step)
		}
	}
	if facts, err := g.Facts(ctx, made.ID, "user_nora", "sess_1", "org:admin"); err != nil || !facts.OrganizationDead {
		t.Errorf("it lives on: %+v %v", facts, err)
	}
	g.equalsClerk(t)
	g.clerk.deliver(t, g.fixture)
	g.equalsClerk(t)
	for _, request := range g.clerk.asked {
		if request.method == http.MethodGet {
			t.Error("a change by GET")
		}
	}
	if len(g.clerk.made) != len(g.clerk.asked) || len(g.clerk.made) != 7 {
		t.Errorf("made %d, asked %d", len(g.clerk.made), len(g.clerk.asked))
	}
}
