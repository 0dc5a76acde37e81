package graph

import (
	"context"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/store"
)

// NewSchemaWithOpenNodes is NewSchema without the check in node and nodes.
func NewSchemaWithOpenNodes(s *store.Store, manager Manager) (graphql.ExecutableSchema, error) {
	read, err := readGuards(DescribedSchema())
	for name := range read.types {
		read.types[name] = []guard{func(*auth.Viewer) error { return nil }}
	}
	resolver := &Resolver{store: s, manager: manager, guards: read}
	return NewExecutableSchema(Config{Schema: DescribedSchema(), Resolvers: resolver, Directives: resolver.directives()}), err
}

// NewSchemaWithoutHasPermission is NewSchema with a @hasPermission that lets everybody pass.
func NewSchemaWithoutHasPermission(s *store.Store, manager Manager) (graphql.ExecutableSchema, error) {
	read, err := readGuards(DescribedSchema())
	resolver := &Resolver{store: s, manager: manager, guards: read}
	directives := resolver.directives()
	directives.HasPermission = func(ctx context.Context, _ any, next graphql.Resolver, _, _, _, _ *string, _ *auth.Reverification) (any, error) {
		return next(ctx)
	}
	return NewExecutableSchema(Config{Schema: DescribedSchema(), Resolvers: resolver, Directives: directives}), err
}

// NewSchemaThatCounts is NewSchema that counts in checks how often node and nodes ask for a type's guard, and in directives
// how often a @hasPermission is asked. The directive lets everybody pass who asks for a connection, so that its edges are
// reached.
func NewSchemaThatCounts(checks, directives *atomic.Int64) func(s *store.Store, manager Manager) (graphql.ExecutableSchema, error) {
	return func(s *store.Store, manager Manager) (graphql.ExecutableSchema, error) {
		read, err := readGuards(DescribedSchema())
		for name, asked := range read.types {
			read.types[name] = []guard{func(viewer *auth.Viewer) error {
				checks.Add(1)
				return all(asked, viewer)
			}}
		}
		resolver := &Resolver{store: s, manager: manager, guards: read}
		root := resolver.directives()
		hasPermission := root.HasPermission
		root.HasPermission = func(ctx context.Context, on any, next graphql.Resolver, permission, role, feature, plan *string, reverification *auth.Reverification) (any, error) {
			if graphql.GetFieldContext(ctx).Field.Name == "documents" {
				return next(ctx)
			}
			directives.Add(1)
			return hasPermission(ctx, on, next, permission, role, feature, plan, reverification)
		}
		return NewExecutableSchema(Config{Schema: DescribedSchema(), Resolvers: resolver, Directives: root}), err
	}
}
