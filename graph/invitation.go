package graph

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/tenantry/tenantry/models"
)

var invitationKind = nodeKind{kind: models.KindInvitation, typeName: "Invitation", load: func(r *Resolver, ctx context.Context, ids []string) (map[string]models.Node, error) {
	invitations, err := r.org(ctx).InvitationsByID(ctx, invitationIDs(ids))
	return byID[models.Invitation](invitations), err
}}

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

type (
	invitationResolver           struct{ *Resolver }
	invitationConnectionResolver struct{ *Resolver }
)

// Invitation answers the fields of Invitation.
func (r *Resolver) Invitation() InvitationResolver { return invitationResolver{r} }

// InvitationConnection answers the fields of InvitationConnection.
func (r *Resolver) InvitationConnection() InvitationConnectionResolver {
	return invitationConnectionResolver{r}
}

func (r organizationResolver) Invitations(
	ctx context.Context, _ *models.Organization, first *int32, after *string, last *int32, before *string, status *InvitationStatus,
) (*InvitationConnection, error) {
	var wanted string
	if status != nil {
		wanted = strings.ToLower(status.String())
	}
	list := list{organizationID: organizationID(ctx), name: "invitations " + wanted, keyed: true}
	page, err := list.page(first, after, last, before)
	if err != nil {
		return nil, err
	}
	slice, err := r.org(ctx).Invitations(ctx, wanted, page)
	if err != nil {
		return nil, err
	}
	connection := &InvitationConnection{
		Edges:    make([]*InvitationEdge, len(slice.Items)),
		Nodes:    make([]*models.Invitation, len(slice.Items)),
		PageInfo: pageInfo(list, slice),
		Count:    newCounter(func() (int64, error) { return r.org(ctx).CountInvitations(ctx, wanted) }),
	}
	for i := range slice.Items {
		invitation := &slice.Items[i]
		connection.Nodes[i] = invitation
		connection.Edges[i] = &InvitationEdge{Cursor: list.cursor(invitation.Position()), Node: invitation}
	}
	return connection, nil
}

func (r invitationConnectionResolver) TotalCount(_ context.Context, connection *InvitationConnection) (*int32, error) {
	return connection.Count.total()
}

func (r invitationConnectionResolver) TotalCountIsCapped(_ context.Context, connection *InvitationConnection) (*bool, error) {
	return connection.Count.isCapped()
}

// Status is that of now. One that Clerk has and this schema does not know can be accepted, as far as we know.
func (r invitationResolver) Status(_ context.Context, invitation *models.Invitation) (InvitationStatus, error) {
	if status := InvitationStatus(strings.ToUpper(r.store.InvitationStatus(invitation))); status.IsValid() {
		return status, nil
	}
	return InvitationStatusPending, nil
}
