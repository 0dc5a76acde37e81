package graph

import (
	"context"

	"github.com/tenantry/tenantry/models"
)

// Manager changes organizations and who belongs to them, in Clerk and in the copy of it, so that what is read afterwards
// shows the change. Errors: models.ErrNotFound, *models.InvalidError, *models.RefusedError, *models.UpstreamError,
// models.ErrUnknownOutcome, models.ErrUnavailable.
type Manager interface {
	CreateOrganization(ctx context.Context, actor models.Actor, input models.OrganizationInput) (*models.OrganizationSummary, error)
	UpdateOrganization(ctx context.Context, actor models.Actor, organizationID string, input models.OrganizationInput) error
	DeleteOrganization(ctx context.Context, actor models.Actor, organizationID string) error
	InviteMembers(ctx context.Context, actor models.Actor, organizationID string, people []models.InvitationInput) ([]models.InvitationResult, error)
	RevokeInvitation(ctx context.Context, actor models.Actor, organizationID, invitationID string) (*models.Invitation, error)
	AddMember(ctx context.Context, actor models.Actor, organizationID, userID, role string) error
	UpdateMemberRole(ctx context.Context, actor models.Actor, organizationID, userID, role string) error
	RemoveMember(ctx context.Context, actor models.Actor, organizationID, userID string) error
}
