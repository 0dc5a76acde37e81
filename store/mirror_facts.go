package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/tenantry/tenantry/models"
)

// MirrorFacts is what the copy of Clerk knows of an organization and a user together.
type MirrorFacts struct {
	OrganizationDead, UserDead bool
	// UserBarred says that Clerk banned or deprovisioned the user.
	UserBarred     bool
	SessionRevoked bool
	// Member says that the pair has or had a membership; Ended that the newest one is over.
	Member, Ended bool
	Role          string
	// At is Clerk's time, in milliseconds, of the newest that is known of that membership.
	At int64
	// RoleRow is that of Role, TokenRoleRow that of the role that was asked for; nil where the mirror does not hold it.
	RoleRow, TokenRoleRow *RoleFacts
}

// RoleFacts is what a role holds, as of a time of Clerk's in milliseconds.
type RoleFacts struct {
	Permissions []string `json:"permissions"`
	At          int64    `json:"at"`
}

// roleRow is the newest living role of a key, as JSON.
const roleRow = `(SELECT json_build_object('permissions', permissions, 'at', greatest(updated_at, auth_at)) FROM clerk.roles
	WHERE key = %s AND NOT dead ORDER BY created_at DESC, id DESC LIMIT 1)`

// errStandby means that facts were asked of a standby server, which may be behind by any time.
var errStandby = errors.New("the database is a standby server")

// MirrorFacts reads in one statement. Without an organization, a user or a session what is about them stays false. Returns
// models.ErrUnavailable if the database cannot be read, or is a standby server.
func (s *Store) MirrorFacts(ctx context.Context, organizationID, userID, sessionID, tokenRole string) (facts MirrorFacts, err error) {
	err = s.facts.read(ctx, "", func(_ context.Context, db *gorm.DB) error {
		var role, tokens []byte
		var standby bool
		err := db.Raw(`SELECT pg_is_in_recovery(),
				coalesce((SELECT dead FROM clerk.organizations WHERE id = ?), false),
				coalesce((SELECT dead FROM clerk.users WHERE id = ?), false),
				coalesce((SELECT barred FROM clerk.users WHERE id = ?), false),
				EXISTS (SELECT FROM clerk.revoked_sessions WHERE id = ?),
				m.id IS NOT NULL, coalesce(m.dead, false), coalesce(m.role, ''),
				coalesce(CASE WHEN m.dead THEN m.tomb_at ELSE greatest(m.updated_at, m.auth_at) END, 0),
				`+fmt.Sprintf(roleRow, "m.role")+`, `+fmt.Sprintf(roleRow, "?")+`
			FROM (SELECT) AS one
			LEFT JOIN LATERAL (SELECT * FROM clerk.memberships WHERE organization_id = ? AND user_id = ?
				ORDER BY created_at DESC, dead, id DESC LIMIT 1) AS m ON true`,
			organizationID, userID, userID, sessionID, tokenRole, organizationID, userID).Row().
			Scan(&standby, &facts.OrganizationDead, &facts.UserDead, &facts.UserBarred, &facts.SessionRevoked, &facts.Member,
				&facts.Ended, &facts.Role, &facts.At, &role, &tokens)
		if err == nil && standby {
			err = fmt.Errorf("%w: %w", models.ErrUnavailable, errStandby)
		}
		if err != nil {
			return err
		}
		if facts.RoleRow, err = roleFacts(role); err != nil {
			return err
		}
		facts.TokenRoleRow, err = roleFacts(tokens)
		return err
	})
	return facts, err
}

func roleFacts(row []byte) (facts *RoleFacts, err error) {
	if row == nil {
		return nil, nil
	}
	facts = new(RoleFacts)
	return facts, json.Unmarshal(row, facts)
}
