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
	// UserBarred says that Clerk banned or deprovisioned the user, who has no rights.
	UserBarred bool
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
	// The same of the role that was asked for.
	TokenRoleKnown       bool
	TokenRolePermissions []string
	TokenRoleAt          time.Time
}

// Facts returns them from memory where that can be trusted, else by one statement. An empty organizationID asks about the
// user and the session only; tokenRole is a role to know the permissions of, too. The membership is judged by itself:
// whether organization and user live stands beside it. What is returned is shared: read it, never change it.
func (m *Mirror) Facts(ctx context.Context, organizationID, userID, sessionID, tokenRole string) (Facts, error) {
	return m.view.facts(ctx, factsKey{couple{organizationID, userID}, sessionID, tokenRole}, m.readFacts)
}

func (m *Mirror) readFacts(ctx context.Context, key factsKey) (Facts, error) {
	row, err := m.store.MirrorFacts(ctx, key.organizationID, key.userID, key.sessionID, key.role)
	if err != nil {
		return Facts{}, err
	}
	facts := Facts{OrganizationDead: row.OrganizationDead, UserDead: row.UserDead, UserBarred: row.UserBarred, SessionRevoked: row.SessionRevoked}
	if row.Member {
		facts.Membership, facts.Role, facts.At = MembershipLive, row.Role, moment(row.At)
	}
	if row.Ended {
		facts.Membership = MembershipEnded
	}
	if row.RoleRow != nil {
		facts.RoleKnown, facts.RolePermissions, facts.RoleAt = true, row.RoleRow.Permissions, moment(row.RoleRow.At)
	}
	if row.TokenRoleRow != nil {
		facts.TokenRoleKnown, facts.TokenRolePermissions = true, row.TokenRoleRow.Permissions
		facts.TokenRoleAt = moment(row.TokenRoleRow.At)
	}
	return facts, nil
}
