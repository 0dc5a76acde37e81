package graph

import (
	"context"
	"regexp"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/models"
)

// nodeKind is a kind of object that can be fetched by its global id.
type nodeKind struct {
	// typeName is the GraphQL type, whose guards hold here as on every other way to it.
	typeName string
	// load returns those of the objects that the active organization has, by id.
	load func(r *Resolver, ctx context.Context, ids []string) (map[string]models.Node, error)
}

var nodeKinds = map[models.Kind]nodeKind{
	models.KindDocument: {typeName: "Document", load: func(r *Resolver, ctx context.Context, ids []string) (map[string]models.Node, error) {
		documents, err := r.org(ctx).DocumentsByID(ctx, uuids(models.KindDocument, ids))
		found := byID[models.Document](documents)
		for i := range documents {
			expectAuthors(ctx, &documents[i])
		}
		return found, err
	}},
	models.KindMember: {typeName: "Member", load: func(r *Resolver, ctx context.Context, ids []string) (map[string]models.Node, error) {
		members, err := r.org(ctx).MembersByID(ctx, uuids(models.KindMember, ids))
		return byID[models.Member](members), err
	}},
	models.KindInvitation: {typeName: "Invitation", load: func(r *Resolver, ctx context.Context, ids []string) (map[string]models.Node, error) {
		invitations, err := r.org(ctx).InvitationsByID(ctx, invitationIDs(ids))
		return byID[models.Invitation](invitations), err
	}},
	models.KindOrganization: {typeName: "Organization", load: func(r *Resolver, ctx context.Context, ids []string) (map[string]models.Node, error) {
		active, err := r.activeOrganization(ctx)
		if err != nil || active == nil {
			return nil, err
		}
		return map[string]models.Node{active.GlobalID(): active}, nil
	}},
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

// invitationIDs are ids that PostgreSQL takes. Any other cannot exist, and is asked for as none.
func invitationIDs(ids []string) []string {
	keys := slices.Clone(ids)
	for i, id := range keys {
		if !clerkID.MatchString(id) {
			keys[i] = ""
		}
	}
	return keys
}

var clerkID = regexp.MustCompile(`^[A-Za-z0-9_]{1,128}$`)

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
