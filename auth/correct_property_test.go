package auth

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCorrectNeverGrantsTooMuch(t *testing.T) {
	t.Parallel()
	names := []string{
		"org:documents:read", "documents:delete", "org:reports:export", "org:org:notes:read", "org:sys_memberships:manage",
		"org:sys_billing:read", "org:odd", "org:", "",
	}
	roles := []string{"", "org:admin", "admin", "org:member", "org:guest"}
	offset := rapid.Custom(func(t *rapid.T) time.Time {
		return testNow.Add(time.Duration(rapid.Int64Range(-12_000, 12_000).Draw(t, "ms")) * time.Millisecond)
	})
	list := rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID)
	rapid.Check(t, func(t *rapid.T) {
		claims := heldClaims()
		claims.Version = rapid.IntRange(1, 2).Draw(t, "version")
		claims.Pending = rapid.Bool().Draw(t, "pending")
		claims.Features = rapid.SliceOf(rapid.SampledFrom([]string{"o:documents", "uo:notes", "u:reports", "o:odd"})).Draw(t, "features")
		claims.Organization.Role = rapid.SampledFrom(roles).Draw(t, "token's role")
		claims.Organization.Permissions = list.Draw(t, "token's permissions")
		facts := Facts{
			SessionRevoked: rapid.Bool().Draw(t, "session revoked"),
			UserDead:       rapid.Bool().Draw(t, "user dead"), UserBarred: rapid.Bool().Draw(t, "user barred"), OrganizationDead: rapid.Bool().Draw(t, "organization dead"),
			Membership: MembershipState(rapid.IntRange(0, 2).Draw(t, "membership")),
			Role:       rapid.SampledFrom(roles).Draw(t, "our role"), At: offset.Draw(t, "at"),
			RoleKnown: rapid.Bool().Draw(t, "role known"), RolePermissions: list.Draw(t, "row"), RoleAt: offset.Draw(t, "row at"),
		}
		checkBounds(t, claims, facts)
	})
}

// checkBounds states what no combination of token and facts may break, in words of its own.
func checkBounds(t *rapid.T, c *Claims, f Facts) {
	v, err := Correct(c, f)
	if f.UserDead || f.UserBarred || f.SessionRevoked {
		if v != nil || err == nil {
			t.Fatal("a dead user is a viewer")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := f.Membership == MembershipEnded && c.IssuedAt.Sub(f.At) <= 5*time.Second
	if c.Pending || f.OrganizationDead || ended {
		if v.Organization != nil || v.NoOrganizationReason == "" || len(v.Permissions()) > 0 {
			t.Fatalf("active although it ended: %+v", v.Organization)
		}
		return
	}
	if !slices.IsSorted(v.Permissions()) || len(slices.Compact(slices.Clone(v.Permissions()))) != len(v.Permissions()) {
		t.Fatalf("not sorted, or one twice: %v", v.Permissions())
	}
	one := func(names []string) map[string]bool {
		set := map[string]bool{}
		for _, name := range names {
			set["org:"+strings.ReplaceAll(name, "org:", "")] = true
		}
		return set
	}
	tokens, row := one(c.Organization.Permissions), map[string]bool{}
	if f.RoleKnown {
		row = one(f.RolePermissions)
	}
	for _, permission := range v.Permissions() {
		isSystem := strings.HasPrefix(permission, "org:sys_")
		switch {
		case permission == "org:":
			t.Fatal("a permission without a name")
		case isSystem && !row[permission]:
			t.Fatalf("%s is not in the role's row", permission)
		case isSystem && one([]string{v.Organization.Role})["org:"+strings.ReplaceAll(f.Role, "org:", "")] == false:
			t.Fatalf("%s comes from the row of another role", permission)
		case !tokens[permission] && !row[permission]:
			t.Fatalf("%s is in neither", permission)
		}
	}
}
