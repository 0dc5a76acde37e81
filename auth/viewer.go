package auth

import (
	"context"
	"time"
)

// Viewer is who asks, in which organization and with what rights. It is shared by everything that answers one request:
// read it, never change it. The zero value is an anonymous viewer, who may do nothing.
type Viewer struct {
	// UserID is "" for an anonymous viewer.
	UserID, SessionID string
	// Organization is the active one, or nil.
	Organization *ActiveOrganization
	// NoOrganizationReason says why Organization is nil: one of ReasonSessionPending, ReasonOrganizationDeleted and
	// ReasonMembershipEnded, or "" where none was chosen.
	NoOrganizationReason string
	// InDoubt says that Clerk should be asked for the membership: the token and our copy of Clerk tell two stories that time
	// alone does not settle, or the copy has none. What the viewer may do is decided all the same.
	InDoubt bool
	// Actor is who really acts, when somebody impersonates the user; else nil.
	Actor *Actor
	// ExpiresAt is when the token dies that all this comes from.
	ExpiresAt time.Time
	// FactorVerificationAge, Features and Plans are the token's; see Claims.
	FactorVerificationAge *[2]int
	Features, Plans       []string
}

// SignedIn tells whether there is a user, with or without an organization.
func (v *Viewer) SignedIn() bool { return v.UserID != "" }

// OrganizationID returns the active organization's id, or "".
func (v *Viewer) OrganizationID() string {
	if v.Organization == nil {
		return ""
	}
	return v.Organization.ID
}

// Permissions returns all that the viewer may do in the active organization, sorted; never nil, empty without one.
func (v *Viewer) Permissions() []string {
	if v.Organization == nil || v.Organization.Permissions == nil {
		return []string{}
	}
	return v.Organization.Permissions
}

type viewerKey struct{}

// NewContext returns a context that carries the viewer.
func NewContext(ctx context.Context, v *Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// FromContext returns the viewer that the context carries, an anonymous one if it carries none; never nil.
func FromContext(ctx context.Context) *Viewer {
	if v, ok := ctx.Value(viewerKey{}).(*Viewer); ok && v != nil {
		return v
	}
	return new(Viewer)
}
