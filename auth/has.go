package auth

import "strings"

// Requirement is what is asked of a viewer. All that are given must hold; one that gives nothing never holds.
type Requirement struct {
	// Permission and Role are compared without regard to "org:" in front, as Clerk does.
	Permission, Role string
	// Feature and Plan are slugs; with "org:" or "user:" in front ("o:", "organization:", "u:") only that side counts.
	Feature, Plan string
	// Reverification is how lately the viewer must have proved who they are.
	Reverification Reverification
}

// Has tells whether the requirement holds, with the semantics of Clerk's has(). It is false for whoever is not signed in
// or has a pending session. It does not allocate.
func (v *Viewer) Has(r Requirement) bool {
	return r != (Requirement{}) && v.Missing(r) == (Requirement{})
}

// Missing returns the part of a requirement that does not hold: all of it for whoever is not signed in or has a pending
// session, and the zero value where everything holds.
func (v *Viewer) Missing(r Requirement) Requirement {
	if !v.SignedIn() || v.NoOrganizationReason == ReasonSessionPending {
		return r
	}
	var missing Requirement
	if r.Permission != "" && !v.hasPermission(r.Permission) {
		missing.Permission = r.Permission
	}
	if r.Role != "" && !v.hasRole(r.Role) {
		missing.Role = r.Role
	}
	if r.Feature != "" && !v.hasScoped(v.Features, r.Feature) {
		missing.Feature = r.Feature
	}
	if r.Plan != "" && !v.hasScoped(v.Plans, r.Plan) {
		missing.Plan = r.Plan
	}
	if r.Reverification != (Reverification{}) && !r.Reverification.holds(v.FactorVerificationAge) {
		missing.Reverification = r.Reverification
	}
	return missing
}

func (v *Viewer) hasRole(role string) bool {
	want := bare(role)
	return v.Organization != nil && want != "" && bare(v.Organization.Role) == want
}

func (v *Viewer) hasPermission(permission string) bool {
	want := bare(permission)
	if v.Organization == nil || want == "" {
		return false
	}
	for _, held := range v.Organization.Permissions {
		if bare(held) == want {
			return true
		}
	}
	return false
}

// hasScoped looks for a slug among the entries of fea or pla. The organization's entries count only while there is an
// active organization: one that ended takes its features along.
func (v *Viewer) hasScoped(entries []string, asked string) bool {
	organizations, users, slug := v.Organization != nil, true, asked
	if scope, rest, found := strings.Cut(asked, ":"); found {
		slug = rest
		switch scope {
		case "o", "org", "organization":
			users = false
		case "u", "user":
			organizations = false
		default:
			return false
		}
	}
	if slug == "" {
		return false
	}
	for _, entry := range entries {
		scope, held, _ := strings.Cut(entry, ":")
		if held == slug && (organizations && organizationScope(scope) || users && userScope(scope)) {
			return true
		}
	}
	return false
}
