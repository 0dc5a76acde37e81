package auth

import (
	"slices"
	"time"
)

// grace is how close a token and a fact of the mirror may lie together without either being taken for the newer one.
const grace = 5 * time.Second

// Why a signed-in viewer has no organization although the token names one, or could.
const (
	ReasonSessionPending      = "SESSION_PENDING"
	ReasonOrganizationDeleted = "ORGANIZATION_DELETED"
	ReasonMembershipEnded     = "MEMBERSHIP_ENDED"
)

// Correct judges a verified token by what the mirror knows, and returns who is asking and what they may do. Of two
// roles the newer one counts, and close together only what both hold. It returns a *Refusal if the user is dead or
// barred, or the session is over.
func Correct(c *Claims, f Facts) (*Viewer, error) {
	if f.UserDead {
		return nil, refuse(ReasonUserDeleted)
	}
	if f.UserBarred {
		return nil, refuse(ReasonUserBarred)
	}
	if f.SessionRevoked {
		return nil, refuse(ReasonSessionRevoked)
	}
	v := &Viewer{
		UserID: c.UserID, SessionID: c.SessionID, Actor: c.Actor, ExpiresAt: c.ExpiresAt,
		FactorVerificationAge: c.FactorVerificationAge, Features: c.Features, Plans: c.Plans,
	}
	switch {
	case c.Pending:
		v.NoOrganizationReason = ReasonSessionPending
	case c.Organization == nil:
	case f.OrganizationDead:
		v.NoOrganizationReason = ReasonOrganizationDeleted
	case f.Membership == MembershipEnded && !newer(c, f.At):
		v.NoOrganizationReason = ReasonMembershipEnded
	default:
		v.Organization = correctedOrganization(c, f)
		v.InDoubt = inDoubt(c, f)
	}
	return v, nil
}

// inDoubt says whether only Clerk can tell how things stand: we know of no membership, of an ended one although the token
// is newer, or of another role without being surely the newer ones.
func inDoubt(c *Claims, f Facts) bool {
	return f.Membership != MembershipLive || normal(c.Organization.Role) != normal(f.Role) && !older(c, f.At)
}

// newer tells whether the token is surely younger than a fact, older whether it is surely older. Both use Clerk's clock.
func newer(c *Claims, fact time.Time) bool { return c.IssuedAt.After(fact.Add(grace)) }
func older(c *Claims, fact time.Time) bool { return c.IssuedAt.Before(fact.Add(-grace)) }

// correctedOrganization decides between the token's role and the mirror's, for a membership that is not known to have
// ended since.
func correctedOrganization(c *Claims, f Facts) *ActiveOrganization {
	corrected := &ActiveOrganization{ID: c.Organization.ID, Slug: c.Organization.Slug}
	tokens, ours := normal(c.Organization.Role), normal(f.Role)
	switch {
	case tokens == ours:
		corrected.Role = tokens
		corrected.Permissions = confirmed(c, f.RoleKnown, rowOf(f), f.RoleAt)
	case f.Membership != MembershipLive || newer(c, f.At):
		corrected.Role = tokens
		corrected.Permissions = confirmed(c, f.TokenRoleKnown, normalList(f.TokenRolePermissions), f.TokenRoleAt)
	case older(c, f.At):
		corrected.Role = ours
		corrected.Permissions = replaced(c, f)
	default:
		corrected.Permissions = intersection(customOf(c.Organization.Permissions), rowOf(f))
	}
	return corrected
}

// confirmed are the permissions where the token's role counts: the token's list, less what a newer row of that role no
// longer holds, and the system permissions of the row.
func confirmed(c *Claims, known bool, row []string, at time.Time) []string {
	permissions := customOf(c.Organization.Permissions)
	if !known {
		return permissions
	}
	if !newer(c, at) {
		permissions = intersection(permissions, row)
	}
	for _, permission := range row {
		if system(permission) {
			permissions = append(permissions, permission)
		}
	}
	return sorted(permissions)
}

// replaced are the permissions where the mirror's role is newer than the token: those of the role's row. Rows do not
// know which features an organization's plan has, so custom permissions are limited to features that the token names.
func replaced(c *Claims, f Facts) []string {
	row := rowOf(f)
	features := organizationFeatures(c)
	return slices.DeleteFunc(row, func(permission string) bool {
		return !system(permission) && !slices.Contains(features, featureOf(permission))
	})
}

// rowOf returns the permissions of the mirror's role row, normalized and sorted; none if the row is not known.
func rowOf(f Facts) []string {
	if !f.RoleKnown || normal(f.Role) == "" {
		return nil
	}
	return normalList(f.RolePermissions)
}

// customOf returns a token's permissions, normalized and sorted, without org:sys_*: Clerk puts none into tokens, so
// there they mean nothing.
func customOf(permissions []string) []string {
	return slices.DeleteFunc(normalList(permissions), system)
}

// normalList returns a sorted copy of normalized names without empty ones.
func normalList(names []string) []string {
	list := make([]string, 0, len(names))
	for _, name := range names {
		if name = normal(name); name != "" {
			list = append(list, name)
		}
	}
	return sorted(list)
}
