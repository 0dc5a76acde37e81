package graph

import (
	"context"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/models"
)

type organizationMembershipConnectionResolver struct{ *Resolver }

// OrganizationMembershipConnection answers the fields of OrganizationMembershipConnection.
func (r *Resolver) OrganizationMembershipConnection() OrganizationMembershipConnectionResolver {
	return organizationMembershipConnectionResolver{r}
}

// Memberships are refused to pending sessions. Clerk treats these as signed out unless told otherwise, and the token does not
// say what is pending: it may be the choice of an organization, and as well a second factor or a new password.
func (r viewerResolver) Memberships(
	ctx context.Context, viewer *auth.Viewer, first *int32, after *string, last *int32, before *string,
) (*OrganizationMembershipConnection, error) {
	if viewer.NoOrganizationReason == auth.ReasonSessionPending {
		return nil, inOrganization(viewer)
	}
	list := list{name: "memberships " + viewer.UserID, keyed: true}
	page, err := list.page(first, after, last, before)
	if err != nil {
		return nil, err
	}
	slice, err := r.store.Viewer(viewer.UserID).Memberships(ctx, page)
	if err != nil {
		return nil, err
	}
	connection := &OrganizationMembershipConnection{
		Edges:    make([]*OrganizationMembershipEdge, len(slice.Items)),
		Nodes:    make([]*models.OrganizationMembership, len(slice.Items)),
		PageInfo: pageInfo(list, slice),
		Count:    newCounter(func() (int64, error) { return r.store.Viewer(viewer.UserID).CountMemberships(ctx) }),
	}
	for i := range slice.Items {
		membership := &slice.Items[i]
		connection.Nodes[i] = membership
		connection.Edges[i] = &OrganizationMembershipEdge{Cursor: list.cursor(membership.Position()), Node: membership}
	}
	return connection, nil
}

func (r organizationMembershipConnectionResolver) TotalCount(_ context.Context, connection *OrganizationMembershipConnection) (*int32, error) {
	return connection.Count.total()
}

func (r organizationMembershipConnectionResolver) TotalCountIsCapped(_ context.Context, connection *OrganizationMembershipConnection) (*bool, error) {
	return connection.Count.isCapped()
}
