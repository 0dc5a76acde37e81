package clerk

import (
	"net/http"
	"slices"
	"time"
)

// The rules of memberships, as changes of a state. Each queues its event and
// returns the membership and the event's id. On a *apiError the state is to be
// thrown away, as update does.

// addMembership lets a person join, always as a new incarnation: Clerk gives
// who comes back another orgmem_ id.
func (s *state) addMembership(o organization, u user, roleKey string, now time.Time) (membership, string, error) {
	if _, already := s.membershipOf(o.ID, u.ID); already {
		return membership{}, "", &apiError{
			status: http.StatusBadRequest, code: "already_a_member_in_organization",
			message: "already a member", long: u.Handle + " is already a member of " + o.Slug + ".",
		}
	}
	at := s.tick(now)
	m := membership{
		ID: newID("orgmem"), OrganizationID: o.ID, UserID: u.ID, Role: roleKey,
		CreatedAt: at, UpdatedAt: at,
	}
	s.Memberships = append(s.Memberships, m)
	event, err := s.emit("organizationMembership.created", s.membershipBody(m), now)
	return m, event, err
}

// setRole gives a member another role, or the same one once more.
func (s *state) setRole(o organization, u user, roleKey string, now time.Time) (membership, string, error) {
	i, err := s.memberIndex(o, u)
	if err != nil {
		return membership{}, "", err
	}
	hadElevated := s.hasElevatedMember(o.ID)
	s.Memberships[i].Role = roleKey
	s.Memberships[i].UpdatedAt = s.tick(now)
	if hadElevated && !s.hasElevatedMember(o.ID) {
		return membership{}, "", lastElevated(o)
	}
	m := s.Memberships[i]
	event, err := s.emit("organizationMembership.updated", s.membershipBody(m), now)
	return m, event, err
}

// removeMembership ends a membership. Its event carries the whole membership
// as it last was: Clerk does not bump updated_at on a deletion.
func (s *state) removeMembership(o organization, u user, now time.Time) (membership, string, error) {
	i, err := s.memberIndex(o, u)
	if err != nil {
		return membership{}, "", err
	}
	m := s.Memberships[i]
	hadElevated := s.hasElevatedMember(o.ID)
	s.Memberships = slices.Delete(s.Memberships, i, i+1)
	if hadElevated && !s.hasElevatedMember(o.ID) {
		return membership{}, "", lastElevated(o)
	}
	event, err := s.emit("organizationMembership.deleted", s.membershipBody(m), now)
	return m, event, err
}

func (s *state) memberIndex(o organization, u user) (int, error) {
	i := slices.IndexFunc(s.Memberships, func(m membership) bool {
		return m.OrganizationID == o.ID && m.UserID == u.ID
	})
	if i < 0 {
		return 0, notMember(o, u)
	}
	return i, nil
}

// hasElevatedMember tells whether someone can still run the organization.
func (s *state) hasElevatedMember(organizationID string) bool {
	return slices.ContainsFunc(s.Memberships, func(m membership) bool {
		r, known := s.roleByKey(m.Role)
		return m.OrganizationID == organizationID && known && elevated(r.Permissions)
	})
}

// elevatedKeys are the permissions that Clerk wants a creator's role to have,
// and at least one member of every organization.
var elevatedKeys = []string{"org:sys_memberships:read", "org:sys_memberships:manage", "org:sys_profile:delete"}

func elevated(keys []string) bool {
	for _, key := range elevatedKeys {
		if !slices.Contains(keys, key) {
			return false
		}
	}
	return true
}

func notMember(o organization, u user) *apiError {
	return &apiError{
		status: http.StatusForbidden, code: "not_a_member_in_organization",
		message: "not a member", long: u.Handle + " is not a member of " + o.Slug + ".",
	}
}

func lastElevated(o organization) *apiError {
	return &apiError{
		status: http.StatusBadRequest, code: "organization_minimum_permissions_needed",
		message: "minimum permissions needed",
		long:    "At least one member of " + o.Slug + " must keep a role such as org:admin, which can manage members and delete the organization.",
	}
}
