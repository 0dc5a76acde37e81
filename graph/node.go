package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/models"
)

// nodeKind is a kind of object that can be fetched by its global id.
type nodeKind struct {
	kind models.Kind
	// typeName is the GraphQL type, whose guards hold here as on every other way to it.
	typeName string
	// load returns those of the objects that the active organization has, by id.
	load func(r *Resolver, ctx context.Context, ids []string) (map[string]models.Node, error)
}

func (r queryResolver) Node(ctx context.Context, id string) (models.Node, error) {
	nodes, err := r.loadNodes(ctx, []string{id}, func(_ int, denied error) error { return denied })
	if err != nil {
		return nil, err
	}
	return nodes[0], nil
}

func (r queryResolver) Nodes(ctx context.Context, ids []string) ([]models.Node, error) {
	if len(ids) > maxPage {
		return nil, models.Invalid("ids", "must be at most 100")
	}
	return r.loadNodes(ctx, ids, func(index int, denied error) error {
		// Null at its place and an error at its path; its neighbours are answered.
		graphql.AddError(graphql.WithPathContext(ctx, graphql.NewPathWithIndex(index)), denied)
		return nil
	})
}

// loadNodes returns the objects of ids in the order of ids, nil for each that the active organization does not have or
// that is denied. It decides and asks the store once for each kind.
func (r *Resolver) loadNodes(ctx context.Context, ids []string, deny func(index int, denied error) error) ([]models.Node, error) {
	wanted, denials := map[models.Kind][]string{}, map[models.Kind]error{}
	for i, id := range ids {
		name, _, _ := models.ParseGlobalID(id)
		kind, known := nodeKinds[name]
		if !known {
			continue
		}
		denied, decided := denials[name]
		if !decided {
			denied = r.guards.check(auth.FromContext(ctx), kind.typeName)
			denials[name] = denied
		}
		if denied != nil {
			if err := deny(i, denied); err != nil {
				return nil, err
			}
			continue
		}
		wanted[name] = append(wanted[name], id)
	}
	found := map[string]models.Node{}
	for name, ids := range wanted {
		nodes, err := nodeKinds[name].load(r, ctx, ids)
		if err != nil {
			return nil, err
		}
		for id, node := range nodes {
			found[id] = node
		}
	}
	nodes := make([]models.Node, len(ids))
	for i, id := range ids {
		nodes[i] = found[id]
	}
	return nodes, nil
}

// uuids reads global ids of one kind. One that cannot exist is asked for like any other.
func uuids(kind models.Kind, ids []string) []uuid.UUID {
	keys := make([]uuid.UUID, len(ids))
	for i, id := range ids {
		keys[i], _ = models.ParseUUID(kind, id)
	}
	return keys
}

func byID[T any, P interface {
	*T
	models.Node
}](rows []T) map[string]models.Node {
	found := make(map[string]models.Node, len(rows))
	for i := range rows {
		found[P(&rows[i]).GlobalID()] = P(&rows[i])
	}
	return found
}
