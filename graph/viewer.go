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
	return r.user(ctx, viewer.UserID)
}

// user is somebody by Clerk's id, without a name where the copy of Clerk has none.
func (r *Resolver) user(ctx context.Context, id string) (*User, error) {
	name, err := r.store.UserName(ctx, id)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	return &User{ID: id, Name: name}, nil
}

func (r viewerResolver) Can(_ context.Context, viewer *auth.Viewer, permission string) (bool, error) {
	return viewer.Has(auth.Requirement{Permission: permission}), nil
}

func (r viewerResolver) Impersonator(ctx context.Context, viewer *auth.Viewer) (*User, error) {
	if viewer.Actor == nil {
		return nil, nil
	}
	return r.user(ctx, viewer.Actor.Subject)
}

func (r viewerResolver) ImpersonatorType(_ context.Context, viewer *auth.Viewer) (*models.ImpersonatorType, error) {
	return impersonatorType(viewer.Actor), nil
}

// impersonatorType says who an actor is; nil where nobody acts in the user's name. Clerk leaves the
// type of a person out.
func impersonatorType(actor *auth.Actor) *models.ImpersonatorType {
	if actor == nil {
		return nil
	}
	is := models.ImpersonatorOther
	switch actor.Type {
	case "":
		is = models.ImpersonatorPerson
	case "agent":
		is = models.ImpersonatorAgent
	}
	return &is
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

type requestIDKey struct{}

// WithRequestID returns a context whose mutations are recorded with the id of their request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// actor is who acts, as far as that is recorded with what they do.
func actor(ctx context.Context) models.Actor {
	viewer := auth.FromContext(ctx)
	requestID, _ := ctx.Value(requestIDKey{}).(string)
	acting := models.Actor{UserID: viewer.UserID, RequestID: requestID}
	if viewer.Actor != nil {
		acting.ImpersonatorID, acting.ImpersonatorType = &viewer.Actor.Subject, impersonatorType(viewer.Actor)
	}
	return acting
}
