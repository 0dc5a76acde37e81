package auth

import (
	"context"
	"errors"
	"time"
)

// MembershipState is what our copy of Clerk knows about a user in an organization.
type MembershipState int

const (
	// MembershipUnknown: the pair has never been heard of.
	MembershipUnknown MembershipState = iota
	// MembershipLive: the newest membership is there.
	MembershipLive
	// MembershipEnded: the newest membership was removed.
	MembershipEnded
)

// Facts is what our copy of Clerk knows that a token may not know yet. The zero value knows nothing.
type Facts struct {
	UserDead, OrganizationDead bool
	// SessionRevoked: the session is over, though tokens of it may live.
	SessionRevoked bool

	Membership MembershipState
	// Role of the newest membership.
	Role string
	// At is the time of the newest fact about the pair, by Clerk's clock.
	At time.Time

	// RoleKnown says that the role's own row is known; the rest is in it: all its permissions, org:sys_* included, and
	// when it was last changed.
	RoleKnown       bool
	RolePermissions []string
	RoleAt          time.Time

	// The same of the role that the token names: it counts where the token is the newer one.
	TokenRoleKnown       bool
	TokenRolePermissions []string
	TokenRoleAt          time.Time
}

// ErrNoFacts says that nothing can be known beyond the token for now, because our copy of Clerk is out of reach.
var ErrNoFacts = errors.New("auth: the facts are out of reach")

// FactsSource provides the facts about a user in an organization and in a session, with what the token's role holds; with
// an empty organizationID only UserDead and SessionRevoked matter. Where it returns ErrNoFacts, the token alone decides
// for as long as it lives; any other error means that the viewer cannot be judged.
type FactsSource interface {
	Facts(ctx context.Context, organizationID, userID, sessionID, tokenRole string) (Facts, error)
}
