// Package graph is the GraphQL door: one file of resolvers for each noun, the directives, the loaders and the error
// presenter. It knows no SQL, no HTTP and no Clerk.
package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/store"
)

// Resolver answers every field that is more than a struct's. Its nouns' files add the methods.
type Resolver struct {
	store   *store.Store
	manager Manager
	guards  guards
}

var _ ResolverRoot = (*Resolver)(nil)

// NewSchema returns the schema of schema.graphqls over a store and a manager, with its directives. It returns an error where
// a directive in it is malformed.
func NewSchema(s *store.Store, manager Manager) (graphql.ExecutableSchema, error) {
	schema := DescribedSchema()
	read, err := readGuards(schema)
	if err != nil {
		return nil, fmt.Errorf("schema.graphqls:\n%w", err)
	}
	resolver := &Resolver{store: s, manager: manager, guards: read}
	return NewExecutableSchema(Config{Schema: schema, Resolvers: resolver, Directives: resolver.directives()}), nil
}

type (
	queryResolver    struct{ *Resolver }
	mutationResolver struct{ *Resolver }
)

// Query answers the fields of Query.
func (r *Resolver) Query() QueryResolver { return queryResolver{r} }

// Mutation answers the fields of Mutation.
func (r *Resolver) Mutation() MutationResolver { return mutationResolver{r} }

// org is the viewer's active organization. The empty handle of a viewer without one reaches nothing.
func (r *Resolver) org(ctx context.Context) store.Org { return r.store.Org(organizationID(ctx)) }

func organizationID(ctx context.Context) string {
	if active := auth.FromContext(ctx).Organization; active != nil {
		return active.ID
	}
	return ""
}

// missingIsNull turns what the organization does not have into null, as queries answer it.
func missingIsNull[T any](found *T, err error) (*T, error) {
	if isNotFound(err) {
		return nil, nil
	}
	return found, err
}
