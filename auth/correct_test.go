package auth

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// heldClaims are those of a token made at testNow for an admin of Acme.
func heldClaims() *Claims {
	return &Claims{
		UserID: "user_2Ada", SessionID: "sess_2Ada", Version: 2, IssuedAt: testNow, ExpiresAt: testNow.Add(time.Minute),
		FactorVerificationAge: &[2]int{3, -1}, Plans: []string{"o:pro"},
		Features: []string{"o:documents", "ou:notes", "u:beta"},
		Organization: &ActiveOrganization{
			ID: "org_2Acme", Slug: "acme", Role: "org:admin",
			Permissions: []string{"org:documents:create", "org:documents:delete", "org:documents:read"},
		},
	}
}

var (
	adminRow = []string{
		"org:documents:create", "org:documents:delete", "org:documents:read", "org:reports:export",
		"org:sys_memberships:manage", "org:sys_memberships:read",
	}
	memberRow = []string{
		"org:documents:read", "org:documents:share", "org:notes:read", "org:beta:use", "org:reports:export",
		"org:sys_memberships:read",
	}
)

// role returns facts about a membership with that role whose row is known and old.
func role(state MembershipState, name string, row []string, at time.Time) Facts {
	return Facts{
		Membership: state, Role: name, At: at,
		RoleKnown: true, RolePermissions: row, RoleAt: testNow.Add(-24 * time.Hour),
	}
}

// ago is a time relative to the token's iat, in Clerk's milliseconds.
func ago(d time.Duration) time.Time { return testNow.Add(-d) }

// Where the token's role counts and the mirror has another one or none, the system permissions are those of the token's role.
func TestSystemPermissionsOfTheTokensRole(t *testing.T) {
	t.Parallel()
	for name, facts := range map[string]Facts{
		"no membership is known":   {},
		"the token is newer":       role(MembershipLive, "org:member", memberRow, ago(time.Minute)),
		"joined again, by a token": role(MembershipEnded, "org:member", memberRow, ago(time.Minute)),
	} {
		facts.TokenRoleKnown, facts.TokenRolePermissions, facts.TokenRoleAt = true, adminRow, ago(time.Hour)
		v, err := Correct(heldClaims(), facts)
		if err != nil || !v.Has(Requirement{Role: "org:admin", Permission: "org:sys_memberships:manage"}) {
			t.Errorf("%s: %+v, %v", name, v.Organization, err)
		}
		facts.TokenRolePermissions, facts.TokenRoleAt = []string{"org:sys_memberships:read"}, ago(-time.Minute)
		if v, err = Correct(heldClaims(), facts); err != nil || !slices.Equal(v.Permissions(), []string{"org:sys_memberships:read"}) {
			t.Errorf("%s, the role lost the rest since: %v, %v", name, v.Permissions(), err)
		}
	}
}

// Clerk is asked where no fact settles it, and never where one does.
func TestCorrectSaysWhenItIsInDoubt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		facts Facts
		want  bool
	}{
		"nothing is known":                 {Facts{}, true},
		"joined again, not heard of":       {role(MembershipEnded, "org:admin", adminRow, ago(time.Minute)), true},
		"removed since":                    {role(MembershipEnded, "org:admin", adminRow, ago(0)), false},
		"organization dead":                {Facts{OrganizationDead: true}, false},
		"same role":                        {role(MembershipLive, "admin", adminRow, ago(time.Hour)), false},
		"the token's role is newer":        {role(MembershipLive, "org:member", memberRow, ago(time.Minute)), true},
		"two roles within the grace":       {role(MembershipLive, "org:member", memberRow, ago(0)), true},
		"our role is newer":                {role(MembershipLive, "org:member", memberRow, ago(-time.Minute)), false},
		"our role is newer, at the edge":   {role(MembershipLive, "org:member", memberRow, ago(-grace)), true},
		"our role is newer, over the edge": {role(MembershipLive, "org:member", memberRow, ago(-grace-time.Millisecond)), false},
	} {
		v, err := Correct(heldClaims(), test.facts)
		if err != nil || v.InDoubt != test.want {
			t.Errorf("%s: in doubt is %v, %v", name, v.InDoubt, err)
		}
	}
	none := heldClaims()
	none.Organization = nil
	if v, err := Correct(none, Facts{}); err != nil || v.InDoubt {
		t.Errorf("without an organization: %v, %v", v.InDoubt, err)
	}
}

// The table "token against mirror": each row, and both edges of the 5 s in which neither is the newer one.
func TestCorrect(t *testing.T) {
	t.Parallel()
	const edge, ms = grace, time.Millisecond
	tokens := heldClaims().Organization.Permissions
	admin := append(slices.Clone(tokens), "org:sys_memberships:manage", "org:sys_memberships:read")
	both := []string{"org:documents:read"}
	ours := []string{"org:documents:read", "org:documents:share", "org:notes:read", "org:sys_memberships:read"}
	late := func(f Facts, change func(*Facts)) Facts { change(&f); return f }

	for name, test := range map[string]struct {
		facts       Facts
		reason      string
		role        string
		permissions []string
	}{
		"nothing is known": {Facts{}, "", "org:admin", tokens},

		"organization dead": {Facts{OrganizationDead: true}, ReasonOrganizationDeleted, "", nil},
		"organization dead, membership live": {
			late(role(MembershipLive, "org:admin", adminRow, ago(time.Hour)), func(f *Facts) { f.OrganizationDead = true }),
			ReasonOrganizationDeleted, "", nil,
		},
		"organization dead, membership ended": {
			late(role(MembershipEnded, "org:admin", adminRow, ago(0)), func(f *Facts) { f.OrganizationDead = true }),
			ReasonOrganizationDeleted, "", nil,
		},

		"removed after the token was made":   {role(MembershipEnded, "org:admin", adminRow, ago(-time.Minute)), ReasonMembershipEnded, "", nil},
		"removed at the same moment":         {role(MembershipEnded, "org:admin", adminRow, ago(0)), ReasonMembershipEnded, "", nil},
		"removed just before, at the edge":   {role(MembershipEnded, "org:admin", adminRow, ago(edge)), ReasonMembershipEnded, "", nil},
		"removed before the edge: re-joined": {role(MembershipEnded, "org:admin", adminRow, ago(edge+ms)), "", "org:admin", admin},
		"re-joined with another role":        {role(MembershipEnded, "org:member", memberRow, ago(time.Hour)), "", "org:admin", tokens},

		"same role, token older":           {role(MembershipLive, "org:admin", adminRow, ago(-time.Hour)), "", "org:admin", admin},
		"same role, token newer":           {role(MembershipLive, "org:admin", adminRow, ago(time.Hour)), "", "org:admin", admin},
		"same role, same moment":           {role(MembershipLive, "org:admin", adminRow, ago(0)), "", "org:admin", admin},
		"same role, written without org:":  {role(MembershipLive, "admin", adminRow, ago(0)), "", "org:admin", admin},
		"same role, its row is not known":  {Facts{Membership: MembershipLive, Role: "org:admin", At: ago(time.Hour)}, "", "org:admin", tokens},
		"no membership, but the same role": {role(MembershipUnknown, "org:admin", adminRow, time.Time{}), "", "org:admin", admin},

		"token's role is newer":          {role(MembershipLive, "org:member", memberRow, ago(time.Hour)), "", "org:admin", tokens},
		"token's role just newer":        {role(MembershipLive, "org:member", memberRow, ago(edge+ms)), "", "org:admin", tokens},
		"roles differ, upper edge":       {role(MembershipLive, "org:member", memberRow, ago(edge)), "", "", both},
		"roles differ, same moment":      {role(MembershipLive, "org:member", memberRow, ago(0)), "", "", both},
		"roles differ, lower edge":       {role(MembershipLive, "org:member", memberRow, ago(-edge)), "", "", both},
		"roles differ, row not known":    {Facts{Membership: MembershipLive, Role: "org:member", At: ago(0)}, "", "", nil},
		"our role just newer":            {role(MembershipLive, "org:member", memberRow, ago(-edge-ms)), "", "org:member", ours},
		"our role is newer":              {role(MembershipLive, "org:member", memberRow, ago(-time.Hour)), "", "org:member", ours},
		"our role is newer, row unknown": {Facts{Membership: MembershipLive, Role: "org:member", At: ago(-time.Hour)}, "", "org:member", nil},
		"our role is newer, row not valid": {
			late(role(MembershipLive, "org:member", memberRow, ago(-time.Hour)), func(f *Facts) { f.RoleKnown = false }),
			"", "org:member", nil,
		},
		"our role is newer and has none":    {role(MembershipLive, "org:guest", nil, ago(-time.Hour)), "", "org:guest", nil},
		"our role is newer and has no name": {role(MembershipLive, "", memberRow, ago(-time.Hour)), "", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := Correct(heldClaims(), test.facts)
			if err != nil {
				t.Fatal(err)
			}
			if v.NoOrganizationReason != test.reason {
				t.Errorf("reason %q, want %q", v.NoOrganizationReason, test.reason)
			}
			var want *ActiveOrganization
			if test.reason == "" {
				want = &ActiveOrganization{ID: "org_2Acme", Slug: "acme", Role: test.role, Permissions: test.permissions}
			}
			if diff := cmp.Diff(want, v.Organization, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if !v.SignedIn() || v.SessionID != "sess_2Ada" || !v.ExpiresAt.Equal(testNow.Add(time.Minute)) {
				t.Errorf("not the token's user and session: %+v", v)
			}
		})
	}
}

// What a role's row says about a token with the same role depends on which of them is newer.
func TestCorrectByTheRoleRow(t *testing.T) {
	t.Parallel()
	shrunk := []string{"org:documents:read", "org:documents:share", "org:sys_memberships:read"}
	less := []string{"org:documents:read", "org:sys_memberships:read"}
	all := []string{"org:documents:create", "org:documents:delete", "org:documents:read", "org:sys_memberships:read"}
	for name, test := range map[string]struct {
		rowAt time.Time
		want  []string
	}{
		"row changed long after the token": {ago(-time.Hour), less},
		"row changed at the same moment":   {ago(0), less},
		"row changed just before":          {ago(grace), less},
		"row changed before the token":     {ago(grace + time.Millisecond), all},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts := role(MembershipLive, "org:admin", shrunk, ago(time.Hour))
			facts.RoleAt = test.rowAt
			v, err := Correct(heldClaims(), facts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, v.Organization.Permissions); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCorrectRefusesADeadOrBarredUserAndARevokedSession(t *testing.T) {
	t.Parallel()
	pending, nowhere := heldClaims(), heldClaims()
	pending.Pending, nowhere.Organization = true, nil
	for name, claims := range map[string]*Claims{"member": heldClaims(), "pending": pending, "no organization": nowhere} {
		v, err := Correct(claims, Facts{UserDead: true, Membership: MembershipLive, Role: "org:admin"})
		if v != nil {
			t.Errorf("%s: a viewer came back", name)
		}
		wantRefusal(t, err, ReasonUserDeleted)
		v, err = Correct(claims, Facts{UserBarred: true, Membership: MembershipLive, Role: "org:admin"})
		if v != nil {
			t.Errorf("%s: a viewer came back for a banned user", name)
		}
		wantRefusal(t, err, ReasonUserBarred)
		v, err = Correct(claims, Facts{SessionRevoked: true, Membership: MembershipLive, Role: "org:admin"})
		if v != nil {
			t.Errorf("%s: a viewer came back for a session that is over", name)
		}
		wantRefusal(t, err, ReasonSessionRevoked)
	}
}

func TestCorrectWithoutOrganization(t *testing.T) {
	t.Parallel()
	live := role(MembershipLive, "org:admin", adminRow, ago(time.Hour))
	pending, nowhere := heldClaims(), heldClaims()
	pending.Pending, nowhere.Organization = true, nil
	for name, test := range map[string]struct {
		claims *Claims
		reason string
	}{"pending": {pending, ReasonSessionPending}, "none chosen": {nowhere, ""}} {
		v, err := Correct(test.claims, live)
		if err != nil {
			t.Fatal(err)
		}
		if v.Organization != nil || v.NoOrganizationReason != test.reason || !v.SignedIn() || v.OrganizationID() != "" {
			t.Errorf("%s: %+v", name, v)
		}
		if p := v.Permissions(); p == nil || len(p) != 0 {
			t.Errorf("%s: permissions %v", name, p)
		}
		if v.Has(Requirement{Role: "org:admin"}) || v.Has(Requirement{Permission: "org:documents:read"}) {
			t.Errorf("%s: has a right", name)
		}
	}
}

// Tokens carry no system permissions. If one seems to, it grants none.
func TestSystemPermissionsComeFromRoleRowsOnly(t *testing.T) {
	t.Parallel()
	claims := heldClaims()
	claims.Organization.Permissions = []string{"org:documents:read", "org:sys_memberships:manage", "sys_profile:delete"}
	for name, facts := range map[string]Facts{
		"nothing known":  {},
		"row known":      role(MembershipLive, "org:admin", []string{"org:documents:read"}, ago(time.Hour)),
		"within the 5 s": role(MembershipLive, "org:member", adminRow, ago(0)),
	} {
		v, err := Correct(claims, facts)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"org:documents:read"}, v.Permissions()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A version 1 token names no features beside its permissions.
func TestCorrectVersion1(t *testing.T) {
	t.Parallel()
	claims := heldClaims()
	claims.Version, claims.Features = 1, nil
	v, err := Correct(claims, role(MembershipLive, "org:member", memberRow, ago(-time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"org:documents:read", "org:documents:share", "org:sys_memberships:read"}
	if diff := cmp.Diff(want, v.Permissions()); diff != "" {
		t.Error(diff)
	}
}

func TestCorrectLeavesClaimsAndFactsAlone(t *testing.T) {
	t.Parallel()
	claims, facts := heldClaims(), role(MembershipLive, "org:member", slices.Clone(memberRow), ago(-time.Hour))
	v, err := Correct(claims, facts)
	if err != nil {
		t.Fatal(err)
	}
	v.Organization.Permissions[0] = "changed"
	if diff := cmp.Diff(heldClaims(), claims, ignoreUnexported); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(memberRow, facts.RolePermissions); diff != "" {
		t.Error(diff)
	}
}
