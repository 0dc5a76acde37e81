package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/tenantry/tenantry/auth"
)

const noActiveOrganization = "No organization is active. Activate one, and send a session token for it."

// guard is what a directive asks of the viewer. Its error is a denial; nil lets the viewer pass.
type guard func(viewer *auth.Viewer) error

func directives() DirectiveRoot {
	return DirectiveRoot{
		Public: func(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
			return next(ctx)
		},
		SignedIn: func(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
			return guarded(ctx, next, signedIn)
		},
		InOrganization: func(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
			return guarded(ctx, next, inOrganization)
		},
		HasPermission: func(ctx context.Context, _ any, next graphql.Resolver, permission, role *string) (any, error) {
			if err := has(auth.FromContext(ctx), permission, role); err != nil {
				return nil, err
			}
			return next(ctx)
		},
	}
}

func guarded(ctx context.Context, next graphql.Resolver, allowed guard) (any, error) {
	if err := allowed(auth.FromContext(ctx)); err != nil {
		return nil, err
	}
	return next(ctx)
}

func signedIn(viewer *auth.Viewer) error {
	if !viewer.SignedIn() {
		return &denial{code: CodeUnauthenticated, message: "Sign in first."}
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
	denied := &denial{code: CodeNoActiveOrganization, message: noActiveOrganization}
	if viewer.NoOrganizationReason != "" {
		denied.extra = map[string]any{"reason": viewer.NoOrganizationReason}
	}
	return denied
}

// has asks for a permission and a role, both if both are given. A directive that asks for nothing lets nobody pass, as
// Clerk's has() does.
func has(viewer *auth.Viewer, permission, role *string) error {
	if err := inOrganization(viewer); err != nil {
		return err
	}
	var missing map[string]any
	if permission != nil && !viewer.Has(auth.Requirement{Permission: *permission}) {
		missing = map[string]any{"permission": *permission}
	}
	if role != nil && !viewer.Has(auth.Requirement{Role: *role}) {
		if missing == nil {
			missing = map[string]any{}
		}
		missing["role"] = *role
	}
	if missing == nil && (permission != nil || role != nil) {
		return nil
	}
	return &denial{code: CodeForbidden, message: "You may not do this in the active organization.", extra: missing}
}
