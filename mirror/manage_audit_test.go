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

// Each mutation that reached Clerk leaves one entry in the audit log of its organization, and in no other's.
func TestChangesAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	f, c := newFixture(t, store.Config{URL: dbtest.New(t)}), newManageClerk(t)
	g := &managed{fixture: f, clerk: c}
	g.Manager = c.manager(f, ManagerConfig{})
	g.fresh(t)
	ctx, other := t.Context(), g.organization
	g.fresh(t)
	max := models.GlobalID(models.KindMember, memberID(g.organization, "user_max"))
	seen := g.audited(t, other)
	for name, step := range map[string]struct {
		do   func() error
		want string
	}{
		"role": {
			func() error { return g.UpdateMemberRole(ctx, nora, g.organization, "user_max", "org:admin") },
			"member.update_role applied Member " + max + ` [{"field":"role","before":"org:member","after":"org:admin"}] []`,
		},
		"the same role again, refused by Clerk": {
			func() error {
				err := g.AddMember(ctx, nora, g.organization, "user_max", "org:member")
				if err == nil {
					return fmt.Errorf("a member was added again")
				}
				return nil
			},
			"member.add refused Member " + max + ` [] []`,
		},
		"invitations": {
			func() error {
				_, err := g.InviteMembers(ctx, nora, g.organization, []models.InvitationInput{{Email: "nonsense", Role: "org:member"}, {Email: "secret@example.com", Role: "org:member"}})
				return err
			},
			"invitation.create applied Organization " + g.organization + ` [] [{"targetId":null,"outcome":"refused","code":"INVALID_EMAIL"},{"targetId":"orginv_`,
		},
		"name": {
			func() error {
				return g.UpdateOrganization(ctx, nora, g.organization, models.OrganizationInput{Name: ptr("New")})
			},
			"organization.update applied Organization " + g.organization + ` [{"field":"name","before":"Nora's","after":"New"}] []`,
		},
	} {
		before := len(g.audited(t, g.organization))
		if err := step.do(); err != nil {
			t.Fatal(name, err)
		}
		entries := g.audited(t, g.organization)
		if len(entries) != before+1 || !strings.HasPrefix(entries[0], step.want) || strings.Contains(entries[0], "secret") {
			t.Errorf("%s: %d entries more, the newest is\n  %s\nwant\n  %s", name, len(entries)-before, entries[0], step.want)
		}
	}
	if now := g.audited(t, other); len(now) != len(seen) || len(seen) != 3 {
		t.Errorf("another organization has %d entries and had %d", len(now), len(seen))
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
