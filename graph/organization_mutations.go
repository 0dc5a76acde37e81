package graph

import (
	"context"

	"github.com/tenantry/tenantry/models"
)

func (r mutationResolver) CreateOrganization(ctx context.Context, input CreateOrganizationInput) (*CreateOrganizationPayload, error) {
	wanted := models.OrganizationInput{Name: &input.Name, Slug: input.Slug}
	if err := wanted.Check(); err != nil {
		return nil, err
	}
	organization, err := r.manager.CreateOrganization(ctx, actor(ctx), wanted)
	if err != nil {
		return nil, err
	}
	return &CreateOrganizationPayload{Organization: organization}, nil
}

func (r mutationResolver) UpdateOrganization(ctx context.Context, input UpdateOrganizationInput) (*UpdateOrganizationPayload, error) {
	wanted := models.OrganizationInput{Name: input.Name, Slug: input.Slug, PublicMetadata: input.PublicMetadata}
	if err := wanted.Check(); err != nil {
		return nil, err
	}
	if !wanted.Empty() {
		if err := r.manager.UpdateOrganization(ctx, actor(ctx), organizationID(ctx), wanted); err != nil {
			return nil, err
		}
	}
	organization, err := r.activeOrganization(ctx)
	if err != nil {
		return nil, err
	}
	return &UpdateOrganizationPayload{Organization: organization}, nil
}

func (r mutationResolver) DeleteOrganization(ctx context.Context, input DeleteOrganizationInput) (*DeleteOrganizationPayload, error) {
	if err := r.expectName(ctx, input.ExpectedName); err != nil {
		return nil, err
	}
	id := organizationID(ctx)
	if err := r.manager.DeleteOrganization(ctx, actor(ctx), id); err != nil {
		return nil, err
	}
	return &DeleteOrganizationPayload{DeletedOrganizationID: &id}, nil
}

func (r mutationResolver) LeaveOrganization(ctx context.Context, input LeaveOrganizationInput) (*LeaveOrganizationPayload, error) {
	if err := r.expectName(ctx, input.ExpectedName); err != nil {
		return nil, err
	}
	id := organizationID(ctx)
	if err := r.manager.RemoveMember(ctx, actor(ctx), id, actor(ctx).UserID); err != nil {
		return nil, err
	}
	return &LeaveOrganizationPayload{LeftOrganizationID: &id}, nil
}

// expectName refuses a name that somebody typed and that is not the active organization's.
func (r *Resolver) expectName(ctx context.Context, name *string) error {
	if name == nil {
		return nil
	}
	organization, err := r.activeOrganization(ctx)
	if err == nil && organization.Name != *name {
		return models.Invalid("expectedName", "is not the organization's name")
	}
	return err
}
