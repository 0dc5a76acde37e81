package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// Each mutation that reached Clerk leaves one entry in the audit log of its organization, and in no other's, with what it
// changed. The event about the change comes before Clerk's answer, and spoils none of that.
func TestChangesAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	f, c := newFixture(t, store.Config{URL: dbtest.New(t)}), newManageClerk(t)
	g := &managed{fixture: f, clerk: c}
	g.Manager = c.manager(f, ManagerConfig{Record: func(ctx context.Context, deed Deed) Recorder {
		g.clerk.deliver(t, g.fixture)
		return inAuditLog(ctx, deed)
	}})
	g.fresh(t)
	other, foreign := g.organization, g.invitation
	g.fresh(t)
	seen := g.audited(t, other)
	for _, step := range g.auditedSteps(t.Context(), foreign) {
		before := len(g.audited(t, g.organization))
		err := step.do()
		entries := g.audited(t, g.organization)
		if (err != nil) != strings.Contains(step.want, " refused ") || len(entries) != before+1 || !strings.HasPrefix(entries[0], step.want) ||
			strings.Contains(entries[0], "secret") {
			t.Errorf("%v: %d entries more, the newest is\n  %s\nwant\n  %s", err, len(entries)-before, entries[0], step.want)
		}
	}
	if now := g.audited(t, other); len(now) != len(seen) || len(seen) != 3 {
		t.Errorf("another organization has %d entries and had %d", len(now), len(seen))
	}
}

type auditedStep struct {
	do func() error
	// want is what the entry begins with.
	want string
}

func (g *managed) auditedSteps(ctx context.Context, foreign string) []auditedStep {
	organization := " Organization " + g.organization
	member := func(user string) string {
		return " Member " + models.GlobalID(models.KindMember, memberID(g.organization, user))
	}
	update := func(input models.OrganizationInput) func() error {
		return func() error { return g.UpdateOrganization(ctx, nora, g.organization, input) }
	}
	revoke := func(id string) func() error {
		return func() error { _, err := g.RevokeInvitation(ctx, nora, g.organization, id); return err }
	}
	slug, long := g.slug("new"), strings.Repeat("ü", 201)
	return []auditedStep{
		{
			func() error { return g.UpdateMemberRole(ctx, nora, g.organization, "user_max", "org:admin") },
			"member.update_role applied" + member("user_max") + ` [{"field":"role","before":"org:member","after":"org:admin"}] []`,
		},
		{
			func() error { return g.AddMember(ctx, nora, g.organization, "user_max", "org:member") },
			"member.add refused" + member("user_max") + ` [] []`,
		},
		{
			func() error { return g.AddMember(ctx, nora, g.organization, "user_gus", "org:member") },
			"member.add applied" + member("user_gus") + ` [{"field":"role","before":null,"after":"org:member"},{"field":"userId","before":null,"after":"user_gus"}] []`,
		},
		{
			func() error { return g.RemoveMember(ctx, nora, g.organization, "user_gus") },
			"member.remove applied" + member("user_gus") + ` [{"field":"role","before":"org:member","after":null}] []`,
		},
		{
			func() error { return g.RemoveMember(ctx, nora, g.organization, "user_gus") },
			"member.remove refused" + member("user_gus") + ` [] []`,
		},
		{
			func() error {
				return g.RemoveMember(ctx, models.Actor{UserID: "user_max"}, g.organization, "user_max")
			},
			"member.leave applied" + member("user_max") + ` [{"field":"role","before":"org:admin","after":null}] []`,
		},
		{
			func() error {
				_, err := g.InviteMembers(ctx, nora, g.organization, []models.InvitationInput{{Email: "nonsense", Role: "org:member"}, {Email: "secret@example.com", Role: "org:admin"}})
				return err
			},
			"invitation.create applied" + organization + ` [{"field":"invitations.1.role","before":null,"after":"org:admin"}]` +
				` [{"targetId":null,"outcome":"refused","code":"INVALID_EMAIL"},{"targetId":"orginv_`,
		},
		{revoke(g.invitation), "invitation.revoke applied Invitation " + g.invitation + ` [{"field":"status","before":"pending","after":"revoked"}] []`},
		{revoke(g.invitation), "invitation.revoke refused Invitation " + g.invitation + ` [] []`},
		{revoke(foreign), "invitation.revoke refused Invitation " + foreign + ` [] []`},
		{
			update(models.OrganizationInput{Name: ptr("New")}),
			"organization.update applied" + organization + ` [{"field":"name","before":"Nora's","after":"New"}] []`,
		},
		{
			update(models.OrganizationInput{Name: ptr("New"), Slug: &slug}),
			"organization.update applied" + organization + ` [{"field":"slug","before":null,"after":"` + slug + `"}] []`,
		},
		{
			update(models.OrganizationInput{PublicMetadata: map[string]any{"colour": "red"}}),
			"organization.update applied" + organization + ` [{"field":"publicMetadata","before":"{}","after":"{\"colour\":\"red\"}"}] []`,
		},
		{
			update(models.OrganizationInput{PublicMetadata: map[string]any{"size": 3}}),
			"organization.update applied" + organization + ` [{"field":"publicMetadata","before":"{}","after":"{\"size\":3}"}] []`,
		},
		{
			update(models.OrganizationInput{PublicMetadata: map[string]any{"colour": long}}),
			"organization.update applied" + organization + ` [{"field":"publicMetadata","before":"{\"colour\":\"red\"}","after":"214 characters, sha256 `,
		},
		{
			func() error { return g.DeleteOrganization(ctx, nora, g.organization) },
			"organization.delete applied" + organization + ` [{"field":"name","before":"New","after":null},{"field":"slug","before":"` + slug + `","after":null}] []`,
		},
	}
}

// A new organization's first entry is its own, with the name and the slug that Clerk gave it.
func TestAFoundationIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	f, c := newFixture(t, store.Config{URL: dbtest.New(t)}), newManageClerk(t)
	g := &managed{fixture: f, clerk: c}
	g.Manager = c.manager(f, ManagerConfig{})
	made, err := g.CreateOrganization(t.Context(), nora, models.OrganizationInput{Name: ptr("Second"), Slug: ptr("second")})
	if err != nil {
		t.Fatal(err)
	}
	want := "organization.create applied Organization " + made.ID + ` [{"field":"name","before":null,"after":"Second"},{"field":"slug","before":null,"after":"second"}] []`
	if entries := g.audited(t, made.ID); len(entries) != 1 || entries[0] != want {
		t.Errorf("%q, want %s", entries, want)
	}
}

// audited is an organization's audit log, the newest first.
func (g *managed) audited(t testing.TB, organizationID string) (entries []string) {
	t.Helper()
	page, err := g.fixture.store.Org(organizationID).AuditLog(context.Background(), models.AuditFilter{}, models.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Items {
		changes, _ := json.Marshal(e.Changes)
		items, _ := json.Marshal(e.Items)
		entries = append(entries, fmt.Sprintf("%s %s %s %s %s %s", e.Action, e.Outcome, e.TargetType, e.TargetID, changes, items))
	}
	return entries
}
