package mirror

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

var nora = models.Actor{UserID: "user_nora"}

// managed is a mirror whose Clerk has an organization of Nora's with Max as a member, and an invitation.
type managed struct {
	*fixture
	*Manager
	clerk        *manageClerk
	organization string
	invitation   string
	outcomes     []string
}

func newManaged(t testing.TB) *managed {
	t.Helper()
	f, c := newFixture(t, store.Config{URL: dbtest.New(t)}), newManageClerk(t)
	g := &managed{fixture: f, clerk: c}
	g.Manager = c.manager(f, ManagerConfig{Record: func(_ context.Context, deed Deed) Recorder {
		return func(_ *store.MirrorTx, outcome string) error {
			g.outcomes = append(g.outcomes, deed.Action+" "+outcome)
			return nil
		}
	}})
	g.fresh(t)
	return g
}

// fresh makes the organization that the mutations change.
func (g *managed) fresh(t testing.TB) {
	t.Helper()
	made, err := g.CreateOrganization(t.Context(), nora, models.OrganizationInput{Name: ptr("Nora's")})
	if err != nil {
		t.Fatal(err)
	}
	g.organization = made.ID
	if err := g.AddMember(t.Context(), nora, made.ID, "user_max", "org:member"); err != nil {
		t.Fatal(err)
	}
	results, err := g.InviteMembers(t.Context(), nora, made.ID, []models.InvitationInput{{Email: "first@example.com", Role: "org:member"}})
	if err != nil || results[0].Invitation == nil {
		t.Fatal(results, err)
	}
	g.invitation = results[0].Invitation.ID
	g.clerk.set(func() { g.clerk.made, g.clerk.asked, g.clerk.events, g.outcomes = nil, nil, nil, nil })
}

func ptr(s string) *string { return &s }

// slug is one that no other organization has.
func (g *managed) slug(of string) string {
	return of + strings.ToLower(strings.ReplaceAll(g.organization, "_", "-"))
}

// mutations are all that a Manager does, each once.
var mutations = map[string]func(ctx context.Context, g *managed) error{
	"createOrganization": func(ctx context.Context, g *managed) error {
		slug := g.slug("second")
		made, err := g.CreateOrganization(ctx, nora, models.OrganizationInput{Name: ptr("Second"), Slug: &slug})
		if err == nil && (made.Name != "Second" || *made.Slug != slug) {
			return fmt.Errorf("made %+v", made)
		}
		return err
	},
	"updateOrganization": func(ctx context.Context, g *managed) error {
		slug := g.slug("renamed")
		return g.UpdateOrganization(ctx, nora, g.organization, models.OrganizationInput{Name: ptr("Renamed"), Slug: &slug})
	},
	"updateOrganization's metadata": func(ctx context.Context, g *managed) error {
		return g.UpdateOrganization(ctx, nora, g.organization, models.OrganizationInput{PublicMetadata: map[string]any{"colour": "red", "size": 3}})
	},
	"deleteOrganization": func(ctx context.Context, g *managed) error {
		return g.DeleteOrganization(ctx, nora, g.organization)
	},
	"inviteMembers": func(ctx context.Context, g *managed) error {
		results, err := g.InviteMembers(ctx, nora, g.organization, []models.InvitationInput{{Email: "max@example.com", Role: "org:member"}})
		if err != nil || results[0].Invitation != nil {
			return err
		}
		switch results[0].Reason {
		case models.ReasonUnavailable:
			return unavailable(0)
		case models.ReasonUnknownOutcome:
			return models.ErrUnknownOutcome
		}
		return &models.RefusedError{Reason: results[0].Reason}
	},
	"revokeInvitation": func(ctx context.Context, g *managed) error {
		_, err := g.RevokeInvitation(ctx, nora, g.organization, g.invitation)
		return err
	},
	"addMember": func(ctx context.Context, g *managed) error {
		return g.AddMember(ctx, nora, g.organization, "user_gus", "org:admin")
	},
	"updateMemberRole": func(ctx context.Context, g *managed) error {
		return g.UpdateMemberRole(ctx, nora, g.organization, "user_max", "org:admin")
	},
	"removeMember": func(ctx context.Context, g *managed) error {
		return g.RemoveMember(ctx, nora, g.organization, "user_max")
	},
}

// shown is what of the copy requests see, and what they would of invitations.
type shown struct {
	Organizations map[string]models.Organization
	Members       map[pair]models.Member
	Invitations   map[string]string
}

func (g *managed) shown(t *testing.T) shown {
	t.Helper()
	m := g.load(t)
	s := shown{m.publicOrganizations, m.publicMembers, map[string]string{}}
	for id, row := range m.invitations {
		s.Invitations[id] = row.Status
	}
	return s
}

// equalsClerk holds the copy against Clerk's state.
func (g *managed) equalsClerk(t *testing.T) {
	t.Helper()
	want, got := map[string]string{}, map[string]string{}
	g.clerk.set(func() {
		for _, o := range g.clerk.lists["organizations"] {
			want[o["id"].(string)] = fmt.Sprint(o["name"], " ", o["slug"])
		}
		for _, m := range g.clerk.lists["organization_memberships"] {
			want[fmt.Sprint(m["organization"].(object)["id"], " ", m["public_user_data"].(object)["user_id"])] = m["role"].(string)
		}
		for _, i := range g.clerk.lists["organization_invitations"] {
			want[i["id"].(string)] = i["status"].(string)
		}
	})
	is := g.shown(t)
	for id, o := range is.Organizations {
		if o.DeletedAt == nil {
			slug := any(nil)
			if o.Slug != nil {
				slug = *o.Slug
			}
			got[id] = fmt.Sprint(o.Name, " ", slug)
		}
	}
	for p, m := range is.Members {
		if m.LeftAt == nil && is.Organizations[p.organization].DeletedAt == nil {
			got[p.organization+" "+p.user] = m.Role
		}
	}
	for id, status := range is.Invitations {
		if row := g.load(t).invitations[id]; is.Organizations[row.OrganizationID].DeletedAt == nil {
			got[id] = status
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the copy is not as Clerk is (-want +got):\n%s", diff)
	}
}

// A change that Clerk made is reported as made, once, whatever became of the answer; the copy shows it at once, and the
// events that follow change nothing.
func TestChangesAreFoundWhenTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	for name, mutate := range mutations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newManaged(t)
			for _, now := range append([]fault{""}, faultsDone...) {
				g.fresh(t)
				g.clerk.set(func() { g.clerk.faults = []fault{now} })
				if err := mutate(t.Context(), g); err != nil {
					t.Fatalf("%s: reported as failed: %v", now, err)
				}
				if len(g.clerk.made) != 1 || len(g.clerk.asked) != 1 {
					t.Errorf("%s: made %d times, asked for %d times", now, len(g.clerk.made), len(g.clerk.asked))
				}
				if len(g.outcomes) != 1 || !strings.HasSuffix(g.outcomes[0], " "+OutcomeApplied) {
					t.Errorf("%s: recorded %q", now, g.outcomes)
				}
				g.equalsClerk(t)
				before := g.shown(t)
				g.clerk.deliver(t, g.fixture)
				if diff := cmp.Diff(before, g.shown(t)); diff != "" {
					t.Errorf("%s: the events changed something:\n%s", now, diff)
				}
			}
		})
	}
}

// A change that Clerk did not make is never reported as made, and is not made later.
func TestChangesThatDidNotHappen(t *testing.T) {
	t.Parallel()
	for name, mutate := range mutations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newManaged(t)
			for _, now := range faultsNotDone {
				g.fresh(t)
				g.didNotHappen(t, name, mutate, now)
			}
		})
	}
}

func (g *managed) didNotHappen(t *testing.T, name string, mutate func(ctx context.Context, g *managed) error, now fault) {
	t.Helper()
	before := g.shown(t)
	g.clerk.set(func() { g.clerk.faults = []fault{now} })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := mutate(ctx, g)
	var upstream *models.UpstreamError
	switch now {
	case fault500Before, faultLimitLong:
		if !errors.As(err, &upstream) || upstream.RetryAfter < time.Second {
			t.Errorf("%s: %v", now, err)
		}
	default: // it may still happen, for all that is known
		if !errors.Is(err, models.ErrUnknownOutcome) {
			t.Errorf("%s: %v", now, err)
		}
	}
	if now == faultLimitLong && upstream != nil && upstream.RetryAfter != time.Minute && name != "inviteMembers" {
		t.Errorf("%s: to be tried again after %s", now, upstream.RetryAfter)
	}
	if len(g.clerk.made) != 0 || len(g.clerk.asked) != 1 || strings.Contains(fmt.Sprint(err), "secret") {
		t.Errorf("%s: made %d, asked %d: %v", now, len(g.clerk.made), len(g.clerk.asked), err)
	}
	if len(g.outcomes) != 1 || strings.HasSuffix(g.outcomes[0], OutcomeApplied) {
		t.Errorf("%s: recorded %q", now, g.outcomes)
	}
	if diff := cmp.Diff(before, g.shown(t)); diff != "" {
		t.Errorf("%s: the copy changed:\n%s", now, diff)
	}
}

// What Clerk has refused for want of time is asked for again, and made once.
func TestChangesWaitForTheLimit(t *testing.T) {
	t.Parallel()
	for name, mutate := range mutations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newManaged(t)
			g.clerk.set(func() { g.clerk.faults = []fault{faultLimit} })
			if err := mutate(t.Context(), g); err != nil || len(g.clerk.made) != 1 || len(g.clerk.asked) != 2 || len(g.outcomes) != 1 {
				t.Errorf("made %d, asked %d, recorded %q: %v", len(g.clerk.made), len(g.clerk.asked), g.outcomes, err)
			}
			g.equalsClerk(t)
		})
	}
}

// Where neither the answer nor a read comes through, the outcome is unknown; the events tell it.
func TestChangesWithUnknownOutcome(t *testing.T) {
	t.Parallel()
	for name, mutate := range mutations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newManaged(t)
			g.clerk.set(func() { g.clerk.faults = []fault{faultCut} })
			g.clerk.set(func() { g.clerk.deaf = true })
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := mutate(ctx, g); !errors.Is(err, models.ErrUnknownOutcome) {
				t.Errorf("got %v", err)
			}
			if len(g.clerk.made) != 1 || !reflect.DeepEqual(g.outcomes, []string{strings.TrimSuffix(name, "'s metadata") + " unknown"}) {
				t.Errorf("made %d, recorded %q", len(g.clerk.made), g.outcomes)
			}
			g.clerk.deliver(t, g.fixture)
			g.equalsClerk(t)
		})
	}
}
