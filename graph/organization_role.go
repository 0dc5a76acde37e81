package graph

import (
	"context"

	"github.com/tenantry/tenantry/models"
)

func (r organizationResolver) Roles(ctx context.Context, _ *models.Organization) ([]*models.OrganizationRole, error) {
	roles, err := r.store.Roles(ctx)
	if err != nil {
		return nil, err
	}
	shown := make([]*models.OrganizationRole, len(roles))
	for i := range roles {
		shown[i] = &roles[i]
	}
	return shown, nil
}
