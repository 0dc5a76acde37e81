package mirror

import (
	"context"
	"time"
)

// MembershipState is what the mirror knows of a user's membership of an organization.
type MembershipState int

const (
	// MembershipUnknown says that the mirror has seen none.
	MembershipUnknown MembershipState = iota
	// MembershipLive says that the newest one lasts.
	MembershipLive
	// MembershipEnded says that the newest one is over.
	MembershipEnded
)

// Facts is what the mirror knows of a user in an organization.
type Facts struct {
	OrganizationDead, UserDead bool
	// SessionRevoked says that the session is over, whatever its tokens say.
	SessionRevoked bool
	Membership     MembershipState
	Role           string
	// At is the time, by Clerk's clock, of the newest that is known of the membership.
	At time.Time
	// RoleKnown says that the mirror has the role that Role names: with RolePermissions, system permissions included, as
	// of RoleAt.
	RoleKnown       bool
	RolePermissions []string
	RoleAt          time.Time
}

// Facts reads one statement's worth of them. An empty organizationID asks about the user and the session only. The membership
// is judged by itself: whether organization and user live stands beside it.
func (m *Mirror) Facts(ctx context.Context, organizationID, userID, sessionID string) (Facts, error) {
	row, err := m.store.MirrorFacts(ctx, organizationID, userID, sessionID)
	if err != nil {
		return Facts{}, err
	}
	facts := Facts{OrganizationDead: row.OrganizationDead, UserDead: row.UserDead, SessionRevoked: row.SessionRevoked}
	if !row.Member {
		return facts, nil
	}
	facts.Membership, facts.Role, facts.At = MembershipLive, row.Role, moment(row.At)
	if row.Ended {
		facts.Membership = MembershipEnded
	}
	if row.RoleKnown {
		facts.RoleKnown, facts.RolePermissions, facts.RoleAt = true, row.RolePermissions, moment(row.RoleAt)
	}
	return facts, nil
}
