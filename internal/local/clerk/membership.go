package clerk

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// The rules of memberships, as changes of a state. Each queues its event and
// returns the membership and the event's id. On a *apiError the state is to be
// thrown away, as update does.

// addMembership lets a person join with the role and the metadata of wanted,
// always as a new incarnation: Clerk gives who comes back another orgmem_ id.
func (s *state) addMembership(o organization, u user, wanted membership, now time.Time) (membership, string, error) {
	if _, already := s.membershipOf(o.ID, u.ID); already {
		return membership{}, "", alreadyMember(o, u)
	}
	if err := s.roomFor(o, 1, now); err != nil {
		return membership{}, "", err
	}
	wanted.OrganizationID, wanted.UserID = o.ID, u.ID
	return s.join(wanted, now)
}

// join adds a membership to which nothing is opposed.
func (s *state) join(m membership, now time.Time) (membership, string, error) {
	at := s.tick(now)
	m.ID, m.CreatedAt, m.UpdatedAt = newID("orgmem"), at, at
	s.Memberships = append(s.Memberships, m)
	event, err := s.emit("organizationMembership.created", s.membershipBody(m, now), now)
	return m, event, err
}

// roomFor refuses more people than an organization may have. Those who are
// invited count, as they do in Clerk.
func (s *state) roomFor(o organization, more int, now time.Time) error {
	if o.MaxMemberships == 0 || s.membersCount(o.ID)+s.pendingCount(o.ID, now)+more <= o.MaxMemberships {
		return nil
	}
	return &apiError{
		status: http.StatusForbidden, code: "organization_membership_quota_exceeded", message: "organization membership quota exceeded",
		long: "The organization may have up to " + strconv.Itoa(o.MaxMemberships) + " memberships, pending invitations included.",
	}
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
	event, err := s.emit("organizationMembership.updated", s.membershipBody(m, now), now)
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
	event, err := s.emit("organizationMembership.deleted", s.membershipBody(m, now), now)
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

// putMembershipMetadata gives a membership other metadata.
func (s *state) putMembershipMetadata(o organization, u user, change metadataChange, now time.Time) (membership, error) {
	i, err := s.memberIndex(o, u)
	if err != nil {
		return membership{}, err
	}
	m := s.Memberships[i]
	if err := change.apply(&m.PublicMetadata, &m.PrivateMetadata); err != nil {
		return membership{}, err
	}
	m.UpdatedAt = s.tick(now)
	s.Memberships[i] = m
	_, err = s.emit("organizationMembership.updated", s.membershipBody(m, now), now)
	return m, err
}

// hasElevatedMember tells whether someone can still run the organization.
func (s *state) hasElevatedMember(organizationID string) bool {
	return slices.ContainsFunc(s.Memberships, func(m membership) bool {
		if m.OrganizationID != organizationID {
			return false
		}
		r, known := s.roleByKey(m.Role)
		return known && elevated(r.Permissions)
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

func alreadyMember(o organization, u user) *apiError {
	return &apiError{
		status: http.StatusBadRequest, code: "already_a_member_in_organization",
		message: "already a member", long: u.Handle + " is already a member of " + o.name() + ".",
	}
}

func notMember(o organization, u user) *apiError {
	return &apiError{
		status: http.StatusForbidden, code: "not_a_member_in_organization",
		message: "not a member", long: u.Handle + " is not a member of " + o.name() + ".",
	}
}

func lastElevated(o organization) *apiError {
	return &apiError{
		status: http.StatusBadRequest, code: "organization_minimum_permissions_needed",
		message: "minimum permissions needed",
		long:    "At least one member of " + o.name() + " must keep a role such as org:admin, which can manage members and delete the organization.",
	}
}
