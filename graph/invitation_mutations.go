package graph

import (
	"context"
	"fmt"

	"github.com/tenantry/tenantry/models"
)

func (r mutationResolver) InviteMembers(ctx context.Context, input InviteMembersInput) (*InviteMembersPayload, error) {
	people, err := peopleToInvite(input.Invitations)
	if err != nil {
		return nil, err
	}
	results, err := r.manager.InviteMembers(ctx, actor(ctx), organizationID(ctx), people)
	if err != nil {
		return nil, err
	}
	payload := &InviteMembersPayload{Results: make([]*models.InvitationResult, len(results))}
	for i := range results {
		payload.Results[i] = &results[i]
	}
	return payload, nil
}

// peopleToInvite leaves the addresses to the manager, which reports each one by itself.
func peopleToInvite(invitations []*models.InvitationInput) ([]models.InvitationInput, error) {
	if len(invitations) == 0 || len(invitations) > models.InvitationsAtOnce {
		return nil, models.Invalid("invitations", fmt.Sprintf("must be 1 to %d", models.InvitationsAtOnce))
	}
	people := make([]models.InvitationInput, len(invitations))
	for i, invitation := range invitations {
		if err := models.CheckRole(fmt.Sprintf("invitations.%d.role", i), invitation.Role); err != nil {
			return nil, err
		}
		people[i] = *invitation
	}
	return people, nil
}

func (r mutationResolver) RevokeInvitation(ctx context.Context, input RevokeInvitationInput) (*RevokeInvitationPayload, error) {
	invitation, err := r.manager.RevokeInvitation(ctx, actor(ctx), organizationID(ctx), input.ID)
	if err != nil {
		return nil, err
	}
	return &RevokeInvitationPayload{Invitation: invitation}, nil
}
