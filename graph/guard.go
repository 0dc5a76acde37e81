package graph

import (
	"cmp"

	"github.com/tenantry/tenantry/auth"
)

const (
	signInFirst          = "Sign in first."
	noActiveOrganization = "No organization is active. Activate one, and send a session token for it."
	mayNot               = "You may not do this in the active organization."
)

// guard is what a directive asks of the viewer. Its error is a *denial; nil lets the viewer pass.
type guard func(viewer *auth.Viewer) error

func signedIn(viewer *auth.Viewer) error {
	if !viewer.SignedIn() {
		return &denial{code: CodeUnauthenticated, reason: DenialReasonUnauthenticated, message: signInFirst}
	}
	return nil
}

func inOrganization(viewer *auth.Viewer) error {
	if err := signedIn(viewer); err != nil {
		return err
	}
	if viewer.Organization != nil {
		return nil
	}
	denied := &denial{code: CodeNoActiveOrganization, reason: DenialReasonNoActiveOrganization, message: noActiveOrganization}
	if viewer.NoOrganizationReason != "" {
		denied.extra = map[string]any{"reason": viewer.NoOrganizationReason}
	}
	return denied
}

// notImpersonated refuses everybody who acts in another user's name: people, agents, and whatever Clerk
// may add.
func notImpersonated(viewer *auth.Viewer) error {
	if viewer.Actor == nil {
		return nil
	}
	return &denial{
		code: CodeForbidden, reason: DenialReasonImpersonation, message: "Impersonators and agents may not do this. Nothing was changed.",
		extra: map[string]any{"reason": DenialReasonImpersonation},
	}
}

// has asks for all that is required, as Clerk's has() does: a permission and a role only count in the active organization,
// a feature and a plan also without one. What requires nothing lets nobody pass.
//
// Nothing is remembered between the fields of a request: Has allocates nothing, and to look up behind a lock what was
// decided before takes about as long, some 100 ns either way (BenchmarkDecision).
func has(viewer *auth.Viewer, r auth.Requirement) error {
	if err := signedIn(viewer); err != nil {
		return err
	}
	pending := viewer.NoOrganizationReason == auth.ReasonSessionPending
	if r.Permission != "" || r.Role != "" || pending {
		if err := inOrganization(viewer); err != nil {
			return err
		}
	}
	if viewer.Has(r) {
		return nil
	}
	return lacking(viewer.Missing(r))
}

// lacking is the denial of who lacks the whole of a requirement.
func lacking(missing auth.Requirement) *denial {
	denied := &denial{code: CodeForbidden, message: mayNot, extra: map[string]any{}}
	note := func(name, value string, reason DenialReason) {
		if value != "" {
			denied.extra[name] = value
			denied.reason = cmp.Or(denied.reason, reason)
		}
	}
	note("permission", missing.Permission, DenialReasonPermission)
	note("role", missing.Role, DenialReasonRole)
	note("feature", missing.Feature, DenialReasonFeature)
	note("plan", missing.Plan, DenialReasonPlan)
	switch {
	case missing.Reverification == auth.Reverification{}:
		denied.reason = cmp.Or(denied.reason, DenialReasonPermission) // of a directive that requires nothing
	case denied.reason == "":
		// Only where nothing else is missing: to prove who they are would not help anybody else.
		denied.reason, denied.message = DenialReasonReverification, "Prove once more who you are."
		denied.extra["clerk_error"] = clerkError(missing.Reverification)
	}
	return denied
}
