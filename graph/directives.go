package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/tenantry/tenantry/auth"
)

func (r *Resolver) directives() DirectiveRoot {
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
		NotImpersonated: func(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
			return guarded(ctx, next, notImpersonated)
		},
		HasPermission: func(ctx context.Context, _ any, next graphql.Resolver, permission, role, feature, plan *string, reverification *auth.Reverification) (any, error) {
			err := has(auth.FromContext(ctx), requirement(permission, role, feature, plan, reverification))
			if err != nil {
				return nil, err
			}
			return next(ctx)
		},
		Can: func(ctx context.Context, _ any, _ graphql.Resolver, mutation, permission *string) (any, error) {
			viewer := auth.FromContext(ctx)
			if mutation != nil {
				return allowance(r.guards.mutation(viewer, *mutation)), nil
			}
			return allowance(has(viewer, requirement(permission, nil, nil, nil, nil))), nil
		},
	}
}

func guarded(ctx context.Context, next graphql.Resolver, allowed guard) (any, error) {
	if err := allowed(auth.FromContext(ctx)); err != nil {
		return nil, err
	}
	return next(ctx)
}

// requirement is what the arguments of @hasPermission ask for; what is not given is nil.
func requirement(permission, role, feature, plan *string, reverification *auth.Reverification) auth.Requirement {
	r := auth.Requirement{Permission: given(permission), Role: given(role), Feature: given(feature), Plan: given(plan)}
	if reverification != nil {
		r.Reverification = *reverification
	}
	return r
}

func given(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
