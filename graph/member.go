package graph

import (
	"context"

	"github.com/tenantry/tenantry/models"
)

type (
	memberResolver           struct{ *Resolver }
	memberConnectionResolver struct{ *Resolver }
)

// Member answers the fields of Member.
func (r *Resolver) Member() MemberResolver { return memberResolver{r} }

func (r memberResolver) ViewerCan(context.Context, *models.Member) (*MemberViewerCan, error) {
	return &MemberViewerCan{}, nil // @can answers its fields
}

// MemberConnection answers the fields of MemberConnection.
func (r *Resolver) MemberConnection() MemberConnectionResolver { return memberConnectionResolver{r} }

func (r organizationResolver) Members(ctx context.Context, _ *models.Organization, first *int32, after *string, last *int32, before *string) (*MemberConnection, error) {
	list := list{organizationID: organizationID(ctx), name: "members"}
	page, err := list.page(first, after, last, before)
	if err != nil {
		return nil, err
	}
	slice, err := r.org(ctx).Members(ctx, page)
	if err != nil {
		return nil, err
	}
	connection := &MemberConnection{
		Edges:    make([]*MemberEdge, len(slice.Items)),
		Nodes:    make([]*models.Member, len(slice.Items)),
		PageInfo: pageInfo(list, slice),
	}
	for i := range slice.Items {
		member := &slice.Items[i]
		connection.Nodes[i] = member
		connection.Edges[i] = &MemberEdge{Cursor: list.cursor(member.Position()), Node: member}
	}
	return connection, nil
}

func (r memberConnectionResolver) TotalCount(ctx context.Context, _ *MemberConnection) (*int32, error) {
	return total(r.org(ctx).CountMembers(ctx))
}

// total is a count as GraphQL's Int.
func total(count int64, err error) (*int32, error) {
	if err != nil {
		return nil, err
	}
	shown := int32(min(count, 1<<31-1))
	return &shown, nil
}
