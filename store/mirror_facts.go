package store

import (
	"context"
	"encoding/json"

	"gorm.io/gorm"
)

// MirrorFacts is what the copy of Clerk knows of an organization and a user together.
type MirrorFacts struct {
	OrganizationDead, UserDead bool
	SessionRevoked             bool
	// Member says that the pair has or had a membership; Ended that the newest one is over.
	Member, Ended bool
	Role          string
	// At is Clerk's time, in milliseconds, of the newest that is known of that membership.
	At int64
	// RoleKnown says that the mirror holds the role that Role names, with its permissions as of RoleAt.
	RoleKnown       bool
	RolePermissions []string
	RoleAt          int64
}

// MirrorFacts reads in one statement. Without an organization, a user or a session what is about them stays false.
func (s *Store) MirrorFacts(ctx context.Context, organizationID, userID, sessionID string) (facts MirrorFacts, err error) {
	err = s.mirror.one(ctx, "", func(_ context.Context, db *gorm.DB) error {
		var permissions []byte
		err := db.Raw(`SELECT
				coalesce((SELECT dead FROM clerk.organizations WHERE id = ?), false),
				coalesce((SELECT dead FROM clerk.users WHERE id = ?), false),
				EXISTS (SELECT FROM clerk.revoked_sessions WHERE id = ?),
				m.id IS NOT NULL, coalesce(m.dead, false), coalesce(m.role, ''),
				coalesce(CASE WHEN m.dead THEN m.tomb_at ELSE greatest(m.updated_at, m.auth_at) END, 0),
				r.id IS NOT NULL, coalesce(to_json(r.permissions), '[]'), coalesce(greatest(r.updated_at, r.auth_at), 0)
			FROM (SELECT) AS one
			LEFT JOIN LATERAL (SELECT * FROM clerk.memberships WHERE organization_id = ? AND user_id = ?
				ORDER BY created_at DESC, dead, id DESC LIMIT 1) AS m ON true
			LEFT JOIN LATERAL (SELECT * FROM clerk.roles WHERE key = m.role AND NOT dead
				ORDER BY created_at DESC, id DESC LIMIT 1) AS r ON true`,
			organizationID, userID, sessionID, organizationID, userID).Row().
			Scan(&facts.OrganizationDead, &facts.UserDead, &facts.SessionRevoked, &facts.Member, &facts.Ended, &facts.Role, &facts.At,
				&facts.RoleKnown, &permissions, &facts.RoleAt)
		if err != nil {
			return err
		}
		return json.Unmarshal(permissions, &facts.RolePermissions)
	})
	return facts, err
}
