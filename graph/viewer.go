package graph

import (
	"context"

	"github.com/tenantry/tenantry/auth"
	"github.com/tenantry/tenantry/models"
)

type viewerResolver struct{ *Resolver }

// Viewer answers the fields of Viewer.
func (r *Resolver) Viewer() ViewerResolver { return viewerResolver{r} }

func (r queryResolver) Viewer(ctx context.Context) (*auth.Viewer, error) {
	return auth.FromContext(ctx), nil
}

func (r viewerResolver) User(ctx context.Context, viewer *auth.Viewer) (*User, error) {
	name, err := r.store.UserName(ctx, viewer.UserID)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	return &User{ID: viewer.UserID, Name: name}, nil
}

func (r viewerResolver) Organization(ctx context.Context, _ *auth.Viewer) (*models.Organization, error) {
	return r.activeOrganization(ctx)
}

func (r viewerResolver) Membership(_ context.Context, viewer *auth.Viewer) (*Membership, error) {
	if viewer.Organization == nil {
		return nil, nil
	}
	return &Membership{Role: viewer.Organization.Role}, nil
}
