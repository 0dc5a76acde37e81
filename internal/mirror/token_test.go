package mirror

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tenantry/tenantry/auth"
)

// correct is the decision of the server; a viewer without an organization stands for refused as well.
func correct(c *auth.Claims, f auth.Facts) *auth.Viewer {
	v, err := auth.Correct(c, f)
	if err != nil {
		return &auth.Viewer{}
	}
	return v
}

// copyAlone goes by the copy, whatever the token says.
func copyAlone(c *auth.Claims, f auth.Facts) *auth.Viewer {
	if f.UserDead || f.OrganizationDead || f.Membership != auth.MembershipLive {
		return &auth.Viewer{}
	}
	permissions := slices.DeleteFunc(slices.Clone(f.RolePermissions), func(p string) bool { return p == beyondPlan })
	return &auth.Viewer{Organization: &auth.ActiveOrganization{ID: c.Organization.ID, Role: f.Role, Permissions: permissions}}
}

// tally is what became of the decisions of one rule.
type tally struct {
	decisions int
	// lateRoles were used more than a token's life and leeway, 65 s, after Clerk took them away; latePermissions belong to
	// no role that the user had within that time. Where clocks are apart, that is added.
	lateRoles, latePermissions int
	// removed were let in after the copy was told that they are out.
	removed int
	// shutOut are members whose token is younger than their membership, and surely younger than any end of an earlier one,
	// and who were denied.
	shutOut int
	// What makes it worth while: denied because a removal was told; let in after one that was not; denied within the
	// leeway of an earlier end; and not sure which role is the newer one.
	denied, untold, close, unsure int
}

func (n *tally) add(o tally) {
	n.decisions += o.decisions
	n.lateRoles, n.latePermissions, n.removed, n.shutOut = n.lateRoles+o.lateRoles, n.latePermissions+o.latePermissions, n.removed+o.removed, n.shutOut+o.shutOut
	n.denied, n.untold, n.close, n.unsure = n.denied+o.denied, n.untold+o.untold, n.close+o.close, n.unsure+o.unsure
}

func (n tally) String() string {
	return fmt.Sprintf("%d decisions: %d uses of a role and %d of a permission long after it was revoked, "+
		"%d let in after a removal that was told, %d members shut out (%d denied after a removal that was told, %d let in after "+
		"one that was not yet or never, %d denied within 5 s of an earlier end, %d with two roles of the same time)",
		n.decisions, n.lateRoles, n.latePermissions, n.removed, n.shutOut, n.denied, n.untold, n.close, n.unsure)
}

// count judges one decision by Clerk's truth.
func (n *tally) count(m *meeting, k token, v *auth.Viewer) {
	n.decisions++
	member := m.current(k.pair)
	known := member == nil && m.removalKnown(k.pair)
	if v.Organization == nil {
		switch {
		case known:
			n.denied++
		case member == nil || k.minted < member.created:
		case slices.ContainsFunc(m.ends[k.pair], func(end int64) bool { return k.claims.IssuedAt.UnixMilli() <= end+leeway }):
			n.close++
		default:
			n.shutOut++
		}
		return
	}
	switch {
	case known:
		n.removed++
	case member == nil:
		n.untold++
	}
	roles := m.lately(k.pair)
	if v.Organization.Role == "" {
		n.unsure++
	} else if !slices.Contains(roles, v.Organization.Role) {
		n.lateRoles++
	}
	for _, permission := range v.Organization.Permissions {
		if !allowed(roles, permission) {
			n.latePermissions++
			break
		}
	}
}

// forAuth is what routes.go makes of the mirror's facts, without bans, which no token could know of.
func forAuth(f Facts) auth.Facts {
	return auth.Facts{
		UserDead: f.UserDead, OrganizationDead: f.OrganizationDead, Membership: auth.MembershipState(f.Membership), Role: f.Role,
		At: f.At, RoleKnown: f.RoleKnown, RolePermissions: f.RolePermissions, RoleAt: f.RoleAt,
	}
}

// TestTokenAgainstMirror has requests come at any moment while Clerk changes who is what and the copy hears of it late,
// twice or never. Then the same requests are decided by the token alone and by the copy alone, both of which must fail.
func TestTokenAgainstMirror(t *testing.T) {
	t.Parallel()
	apart := regime{name: "clocks 4 s apart", jitter: 30}
	all := append(slices.Clone(regimes), apart)
	wanted := scale(21_000, 2_800_000) / len(all)
	var both, tokens, copied tally
	for i, r := range all {
		skew := int64(0)
		if r == apart {
			skew = 4000
		}
		t.Run(r.name, func(t *testing.T) {
			decided := 0
			for n := uint64(0); decided < wanted; n++ {
				m := newMeeting(t, &world{regime: r, random: rand.New(rand.NewPCG(300+uint64(i), n)), crowd: 4}, skew)
				here := m.decisions(&tokens, &copied)
				if here.lateRoles+here.latePermissions+here.removed+here.shutOut > 0 {
					t.Fatalf("world %d: %s", n, here)
				}
				decided += here.decisions
				both.add(here)
			}
		})
	}
	t.Logf("token and mirror: %s", both)
	if min(both.denied, both.untold, both.close, both.unsure) == 0 {
		t.Error("too little happened")
	}
	t.Logf("token only: %s", tokens)
	if tokens.removed == 0 {
		t.Error("tokens alone let nobody in who is out")
	}
	t.Logf("mirror only: %s", copied)
	if copied.shutOut == 0 || copied.lateRoles == 0 || copied.latePermissions == 0 {
		t.Error("the copy alone did nobody wrong")
	}
}

// decisions lets requests come for some minutes. It counts what both decide, and in the other two tallies what one of them
// alone would have.
func (m *meeting) decisions(tokens, copied *tally) (both tally) {
	for range 500 {
		m.step(func(k token) {
			facts := forAuth(m.copied.facts(k.pair.organization, k.pair.user))
			viewer := correct(k.claims, facts)
			both.count(m, k, viewer)
			tokens.count(m, k, correct(k.claims, auth.Facts{}))
			copied.count(m, k, copyAlone(k.claims, facts))
			if viewer.InDoubt {
				m.ask(k.pair)
			}
		})
	}
	return both
}
