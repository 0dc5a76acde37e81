package mirror

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// effective is the incarnation that counts: the newest one, whether it lives or not, so that the order in which events
// arrive has no say. incarnations holds at least one.
func effective(incarnations []store.MirrorMembership) store.MirrorMembership {
	return slices.MinFunc(incarnations, func(a, b store.MirrorMembership) int {
		if order := cmp.Compare(b.CreatedAt, a.CreatedAt); order != 0 {
			return order
		}
		if dead(a.MirrorRow) != dead(b.MirrorRow) {
			if dead(b.MirrorRow) {
				return -1
			}
			return 1
		}
		return strings.Compare(b.ID, a.ID)
	})
}

// memberNamespace is the UUID namespace of members. Never change it: members' ids would.
var memberNamespace = uuid.MustParse("6f1d2f0a-4f0c-5d0e-9a53-3d4d0a1c7b11")

// memberID is the same for an organization and a user on every day and in every database. Neither id can hold a space.
func memberID(organizationID, userID string) uuid.UUID {
	return uuid.NewSHA1(memberNamespace, []byte(organizationID+" "+userID))
}

// projectMember is what requests read of a user in an organization, from all incarnations of the membership (at least
// one) and the user. Nobody is a member here because of the organization: a deleted one is judged by its own row.
func projectMember(incarnations []store.MirrorMembership, user store.MirrorUser) models.Member {
	m := effective(incarnations)
	member := models.Member{
		OrganizationID: m.OrganizationID, UserID: m.UserID, ID: memberID(m.OrganizationID, m.UserID),
		Role: m.Role, JoinedAt: moment(m.CreatedAt), LeftAt: leftAt(m, user),
	}
	switch {
	case dead(user.MirrorRow):
		// Nothing of the person stays.
	case member.LeftAt != nil || stub(user.MirrorRow):
		// Who left is shown as they were then; of who is new only the membership knows the name yet.
		member.Name, member.ImageURL = personName(m.FirstName, m.LastName, m.Username), m.ImageURL
		if member.LeftAt == nil {
			member.Email = emailOf(m.Identifier)
		}
	default:
		member.Name, member.ImageURL = personName(user.FirstName, user.LastName, user.Username), user.ImageURL
		member.Email = user.Email
		member.Banned, member.Deprovisioned, member.Locked = user.Banned, user.Deprovisioned, user.Locked
		if barred(user) && !user.Deprovisioned {
			member.Banned = true // also where the newest version does not say so, as for the rights
		}
	}
	return member
}

// leftAt is when a membership ended, by its own deletion or the user's, whichever came first; nil while it lasts.
func leftAt(m store.MirrorMembership, user store.MirrorUser) *time.Time {
	var at int64
	switch gone := dead(user.MirrorRow); {
	case dead(m.MirrorRow) && gone:
		at = min(m.TombAt, user.TombAt)
	case dead(m.MirrorRow):
		at = m.TombAt
	case gone:
		at = user.TombAt
	default:
		return nil
	}
	left := moment(at)
	return &left
}

func personName(first, last, username *string) *string {
	var parts []string
	for _, part := range []*string{first, last} {
		if part != nil {
			parts = append(parts, *part)
		}
	}
	if len(parts) == 0 {
		return username
	}
	name := strings.Join(parts, " ")
	return &name
}

// emailOf is the identifier where it is an address: it can be a phone number or a username.
func emailOf(identifier *string) *string {
	if identifier == nil || !strings.Contains(*identifier, "@") {
		return nil
	}
	return identifier
}

// refreshPair recomputes what requests read of a locked user in an organization.
func refreshPair(tx ledger, organizationID string, user store.MirrorUser) error {
	incarnations, err := tx.Incarnations(organizationID, user.ID)
	if err != nil {
		return err
	}
	return tx.PutMember(organizationID, projectMember(incarnations, user))
}

// refreshUser recomputes what requests read of a locked user in every organization that the user is or was in.
func refreshUser(tx ledger, before, after store.MirrorUser) error {
	if before.Digest == after.Digest && before.TombAt == after.TombAt && barred(before) == barred(after) {
		return nil // nothing that shows
	}
	memberships, err := tx.UserMemberships(after.ID)
	if err != nil {
		return err
	}
	pairs := map[string][]store.MirrorMembership{}
	for _, m := range memberships {
		pairs[m.OrganizationID] = append(pairs[m.OrganizationID], m)
	}
	for _, organizationID := range slices.Sorted(maps.Keys(pairs)) {
		if err := tx.PutMember(organizationID, projectMember(pairs[organizationID], after)); err != nil {
			return err
		}
	}
	return nil
}
