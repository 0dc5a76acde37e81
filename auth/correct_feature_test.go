package auth

import (
	"fmt"
	"testing"
	"time"
)

// A role's row may hold permissions of features that the organization's plan does not have. Whatever is newer, and after a
// change of role too, the token's features decide: org:reports:export is only for who has reports.
func TestRoleRowOpensNoFeature(t *testing.T) {
	t.Parallel()
	row := []string{"org:documents:read", "org:reports:export", "org:sys_memberships:read"}
	export := Requirement{Permission: "org:reports:export"}
	granted := 0
	for _, features := range [][]string{{"o:documents"}, {"o:documents", "u:reports"}, {"o:reports2", "foo:reports", "reports"}, nil, {"o:documents", "ou:reports"}} {
		reports := len(features) == 2 && features[1] == "ou:reports"
		for _, ourRole := range []string{"org:admin", "org:member", "org:reporter"} {
			for _, state := range []MembershipState{MembershipUnknown, MembershipLive, MembershipEnded} {
				for _, membershipAt := range []time.Duration{-time.Hour, -grace - time.Millisecond, 0, time.Hour} {
					for _, roleAt := range []time.Duration{-time.Hour, 0, time.Hour} {
						claims := heldClaims()
						claims.Features = features
						facts := role(state, ourRole, row, ago(membershipAt))
						facts.RoleAt = ago(roleAt)
						facts.TokenRoleKnown, facts.TokenRolePermissions, facts.TokenRoleAt = true, row, ago(roleAt)
						v, err := Correct(claims, facts)
						if err != nil {
							t.Fatal(err)
						}
						name := fmt.Sprintf("%v, our role %s (%v), %v and %v before the token", features, ourRole, state, membershipAt, roleAt)
						if v.Has(export) && !reports {
							t.Errorf("%s: may export reports", name)
						}
						if v.Has(export) {
							granted++
						}
					}
				}
			}
		}
	}
	if granted == 0 {
		t.Error("nobody may export, not even with the feature and after a change of role")
	}
	t.Logf("granted %d times, all with the feature", granted)
}
