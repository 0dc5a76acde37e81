package clerk

import (
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// What becomes of an invitation. Nothing happens when one expires, as nothing
// does in Clerk: it is what a pending one is seen to be afterwards.
const (
	statusPending  = "pending"
	statusAccepted = "accepted"
	statusRevoked  = "revoked"
	statusExpired  = "expired"
)

const (
	invitationDays = 30 // an invitation's life, unless told otherwise
	mostDays       = 365
	mostInvited    = 10 // in bulk
	dayMillis      = 24 * 60 * 60 * 1000
)

type invitation struct {
	ID             string `json:"id"`
	OrganizationID string `json:"organizationId"`
	Email          string `json:"email"`     // in small letters
	InviterID      string `json:"inviterId"` // empty: nobody in particular
	Role           string `json:"role"`      // a role's key
	Status         string `json:"status"`    // never expired
	UserID         string `json:"userId"`    // who accepted it
	ExpiresAt      int64  `json:"expiresAt"`
	CreatedAt      int64  `json:"createdAt"`
	UpdatedAt      int64  `json:"updatedAt"`

	PublicMetadata  metadata `json:"publicMetadata,omitempty"`
	PrivateMetadata metadata `json:"privateMetadata,omitempty"`
}

func (i invitation) statusAt(now time.Time) string {
	if i.Status == statusPending && i.ExpiresAt <= now.UnixMilli() {
		return statusExpired
	}
	return i.Status
}

// pending counts the invitations that can still be accepted.
func pending(all []invitation, now time.Time) int {
	count := 0
	for _, i := range all {
		if i.statusAt(now) == statusPending {
			count++
		}
	}
	return count
}

func (s *state) pendingCount(organizationID string, now time.Time) int {
	return pending(filtered(s.Invitations, func(i invitation) bool { return i.OrganizationID == organizationID }), now)
}

// invite invites somebody. Only its public and private metadata, e-mail address,
// role, inviter and life in days (ExpiresAt) of wanted are read.
func (s *state) invite(o organization, wanted invitation, days int, now time.Time) (invitation, error) {
	if err := s.mayBeInvited(o, wanted, now); err != nil {
		return invitation{}, err
	}
	if err := s.roomFor(o, 1, now); err != nil {
		return invitation{}, err
	}
	at := s.tick(now)
	wanted.ID, wanted.OrganizationID, wanted.Status = newID("orginv"), o.ID, statusPending
	wanted.CreatedAt, wanted.UpdatedAt, wanted.ExpiresAt = at, at, at+int64(days)*dayMillis
	s.Invitations = append(s.Invitations, wanted)
	_, err := s.emit("organizationInvitation.created", s.tellInvitation(wanted, now), now)
	return wanted, err
}

// mayBeInvited refuses who is invited or a member already, and an inviter who
// may not.
func (s *state) mayBeInvited(o organization, wanted invitation, now time.Time) error {
	if wanted.InviterID != "" {
		if err := s.mayManage(o, wanted.InviterID); err != nil {
			return err
		}
	}
	u, known := find(s.Users, func(u user) bool { return strings.EqualFold(u.Email, wanted.Email) })
	if known {
		if _, already := s.membershipOf(o.ID, u.ID); already {
			return alreadyMember(o, u)
		}
	}
	if _, twice := s.pendingFor(o.ID, wanted.Email, now); twice {
		return &apiError{
			status: http.StatusBadRequest, code: "organization_invitation_not_unique", message: "invitation not unique",
			long: quoted(wanted.Email) + " is invited already.", param: "email_address",
		}
	}
	return nil
}

// mayManage refuses who is not a member that manages members.
func (s *state) mayManage(o organization, userID string) error {
	u, known := s.userByID(userID)
	if !known {
		return gone("user", userID)
	}
	m, member := s.membershipOf(o.ID, userID)
	if !member {
		return notMember(o, u)
	}
	if r, _ := s.roleByKey(m.Role); !slices.Contains(r.Permissions, "org:sys_memberships:manage") {
		return &apiError{
			status: http.StatusForbidden, code: "missing_organization_permission", message: "missing organization permission",
			long: u.Handle + " does not hold org:sys_memberships:manage in " + o.name() + ".",
		}
	}
	return nil
}

func (s *state) pendingFor(organizationID, email string, now time.Time) (invitation, bool) {
	return find(s.Invitations, func(i invitation) bool {
		return i.OrganizationID == organizationID && strings.EqualFold(i.Email, email) && i.statusAt(now) == statusPending
	})
}

// revokeInvitation ends a pending invitation; by is who does it, or "".
func (s *state) revokeInvitation(o organization, id, by string, now time.Time) (invitation, error) {
	i, err := s.invitationIndex(o, id)
	if err != nil {
		return invitation{}, err
	}
	if by != "" {
		if err := s.mayManage(o, by); err != nil {
			return invitation{}, err
		}
	}
	if status := s.Invitations[i].statusAt(now); status != statusPending {
		return invitation{}, notPending(status)
	}
	revoked := s.Invitations[i]
	revoked.Status, revoked.UpdatedAt = statusRevoked, s.tick(now)
	s.Invitations[i] = revoked
	_, err = s.emit("organizationInvitation.revoked", s.tellInvitation(revoked, now), now)
	return revoked, err
}

// acceptInvitation makes an invited person a member, with the invitation's role
// and metadata. It returns the event of the membership.
func (s *state) acceptInvitation(o organization, u user, now time.Time) (membership, string, error) {
	accepted, is := s.pendingFor(o.ID, u.Email, now)
	if !is {
		return membership{}, "", s.nothingToAccept(o, u, now)
	}
	if _, already := s.membershipOf(o.ID, u.ID); already {
		return membership{}, "", alreadyMember(o, u)
	}
	i, err := s.invitationIndex(o, accepted.ID)
	if err != nil {
		return membership{}, "", err
	}
	accepted.Status, accepted.UserID, accepted.UpdatedAt = statusAccepted, u.ID, s.tick(now)
	s.Invitations[i] = accepted
	// Now that it no longer counts: the limit may be lower than it was.
	if err := s.roomFor(o, 1, now); err != nil {
		return membership{}, "", err
	}
	if _, err := s.emit("organizationInvitation.accepted", s.tellInvitation(accepted, now), now); err != nil {
		return membership{}, "", err
	}
	return s.join(membership{
		OrganizationID: o.ID, UserID: u.ID, Role: accepted.Role,
		PublicMetadata: accepted.PublicMetadata, PrivateMetadata: accepted.PrivateMetadata,
	}, now)
}

// nothingToAccept says why: the last invitation of a person is over, or there
// never was one.
func (s *state) nothingToAccept(o organization, u user, now time.Time) *apiError {
	for _, i := range slices.Backward(s.Invitations) {
		if i.OrganizationID == o.ID && strings.EqualFold(i.Email, u.Email) {
			return notPending(i.statusAt(now))
		}
	}
	return &apiError{
		status: http.StatusNotFound, code: "resource_not_found", message: "not found",
		long: "Nobody has invited " + u.Email + " (" + u.Handle + ") to " + o.name() + ".",
	}
}

// invitationIndex finds an invitation of this organization, not of another.
func (s *state) invitationIndex(o organization, id string) (int, error) {
	i := slices.IndexFunc(s.Invitations, func(i invitation) bool { return i.ID == id && i.OrganizationID == o.ID })
	if i < 0 {
		return 0, gone("invitation", id)
	}
	return i, nil
}

func notPending(status string) *apiError {
	return &apiError{
		status: http.StatusNotFound, code: "organization_invitation_not_pending", message: "invitation not pending",
		long: "The invitation is " + status + ".",
	}
}

// isAddress tells a bare e-mail address.
func isAddress(text string) bool {
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text && len(text) <= 254
}
