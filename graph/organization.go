package graph

import (
	"context"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/models"
)

var organizationKind = nodeKind{kind: models.KindOrganization, typeName: "Organization", load: func(r *Resolver, ctx context.Context, _ []string) (map[string]models.Node, error) {
	active, err := r.activeOrganization(ctx)
	if err != nil || active == nil {
		return nil, err
	}
	return map[string]models.Node{active.GlobalID(): active}, nil
}}

type organizationResolver struct{ *Resolver }

// Organization answers the fields of Organization.
func (r *Resolver) Organization() OrganizationResolver { return organizationResolver{r} }

func (r queryResolver) Organization(ctx context.Context) (*models.Organization, error) {
	return r.activeOrganization(ctx)
}

// activeOrganization returns the organization of the viewer's token, nil if none is active. One that the copy of Clerk
// has not seen yet is known by what the token says, so that the first request after signing up does not race its webhook.
func (r *Resolver) activeOrganization(ctx context.Context) (*models.Organization, error) {
	active := auth.FromContext(ctx).Organization
	if active == nil {
		return nil, nil
	}
	organization, err := r.org(ctx).Organization(ctx)
	if isNotFound(err) {
		organization, err = &models.Organization{OrganizationID: active.ID, Name: active.ID}, nil
		if active.Slug != "" {
			organization.Name, organization.Slug = active.Slug, &active.Slug
		}
	}
	return organization, err
}
