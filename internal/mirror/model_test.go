package mirror

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// model is the ledger on maps: the proofs run the production merge on it, without a database.
type model struct {
	organizations map[string]store.MirrorOrganization
	users         map[string]store.MirrorUser
	memberships   map[string]store.MirrorMembership
	roles         map[string]store.MirrorRole
	invitations   map[string]store.MirrorInvitation
	domains       map[string]store.MirrorDomain
	permissions   map[string]store.MirrorPermission
	sessions      map[string]store.RevokedSession

	publicOrganizations map[string]models.Organization
	publicMembers       map[pair]models.Member
	publicInvitations   map[string]models.Invitation
}

type pair struct{ organization, user string }

func newModel() *model {
	return &model{
		organizations: map[string]store.MirrorOrganization{}, users: map[string]store.MirrorUser{},
		memberships: map[string]store.MirrorMembership{}, roles: map[string]store.MirrorRole{},
		invitations: map[string]store.MirrorInvitation{}, domains: map[string]store.MirrorDomain{},
		permissions: map[string]store.MirrorPermission{}, sessions: map[string]store.RevokedSession{},
		publicOrganizations: map[string]models.Organization{}, publicMembers: map[pair]models.Member{},
		publicInvitations: map[string]models.Invitation{},
	}
}

func (m *model) Organization(id string) (store.MirrorOrganization, bool, error) {
	row, found := m.organizations[id]
	row.ID = id
	return row, found, nil
}

func (m *model) LockOrganization(id string) (store.MirrorOrganization, error) {
	row := m.organizations[id]
	row.ID = id
	m.organizations[id] = row
	return row, nil
}

func (m *model) WriteOrganization(row store.MirrorOrganization) error {
	m.organizations[row.ID] = row
	return nil
}

func (m *model) LockUser(id string) (store.MirrorUser, error) {
	row := m.users[id]
	row.ID = id
	m.users[id] = row
	return row, nil
}

func (m *model) WriteUser(row store.MirrorUser) error {
	m.users[row.ID] = row
	return nil
}

func (m *model) UserMemberships(userID string) ([]store.MirrorMembership, error) {
	return m.find(func(row store.MirrorMembership) bool { return row.UserID == userID }), nil
}

func (m *model) ForgetPerson(userID string) error {
	for id, row := range m.memberships {
		if row.UserID == userID {
			row.FirstName, row.LastName, row.Username, row.ImageURL, row.Identifier = nil, nil, nil, nil, nil
			m.memberships[id] = row
		}
	}
	for id, row := range m.invitations {
		if row.UserID == userID {
			row.EmailAddress = nil
			m.invitations[id] = row
		}
	}
	return nil
}

func (m *model) Membership(id string) (store.MirrorMembership, bool, error) {
	row, found := m.memberships[id]
	row.ID = id
	return row, found, nil
}

func (m *model) LockMembership(id string) (store.MirrorMembership, error) {
	row := m.memberships[id]
	row.ID = id
	m.memberships[id] = row
	return row, nil
}

func (m *model) WriteMembership(row store.MirrorMembership) error {
	m.memberships[row.ID] = row
	return nil
}

func (m *model) Incarnations(organizationID, userID string) ([]store.MirrorMembership, error) {
	return m.find(func(row store.MirrorMembership) bool {
		return row.OrganizationID == organizationID && row.UserID == userID
	}), nil
}

func (m *model) find(wanted func(store.MirrorMembership) bool) []store.MirrorMembership {
	var found []store.MirrorMembership
	for _, row := range m.memberships {
		if wanted(row) {
			found = append(found, row)
		}
	}
	return found
}

func (m *model) LockRole(id string) (store.MirrorRole, error) {
	row := m.roles[id]
	row.ID = id
	m.roles[id] = row
	return row, nil
}

func (m *model) WriteRole(row store.MirrorRole) error {
	m.roles[row.ID] = row
	return nil
}

func (m *model) PutOrganization(inside string, o models.Organization) error {
	if inside != o.OrganizationID {
		panic("an organization written outside of it")
	}
	m.publicOrganizations[o.OrganizationID] = o
	return nil
}

func (m *model) Welcome(...models.Organization) error { return nil }

func (m *model) PutMember(inside string, member models.Member) error {
	if inside != member.OrganizationID {
		panic("a member written outside of the organization")
	}
	m.publicMembers[pair{member.OrganizationID, member.UserID}] = member
	return nil
}

// facts is what Mirror.Facts answers, by the functions that decide.
func (m *model) facts(organizationID, userID string) Facts {
	f := Facts{
		OrganizationDead: dead(m.organizations[organizationID].MirrorRow),
		UserDead:         dead(m.users[userID].MirrorRow),
		UserBarred:       barred(m.users[userID]),
	}
	incarnations, _ := m.Incarnations(organizationID, userID)
	if len(incarnations) == 0 {
		return f
	}
	e := effective(incarnations)
	f.Membership, f.Role, f.At = MembershipLive, e.Role, moment(max(e.UpdatedAt, e.AuthAt))
	if dead(e.MirrorRow) {
		f.Membership, f.At = MembershipEnded, moment(e.TombAt)
	}
	roles := slices.SortedFunc(maps.Values(m.roles), func(a, b store.MirrorRole) int {
		return cmp.Or(cmp.Compare(b.CreatedAt, a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	for _, r := range roles {
		if r.Key == e.Role && !dead(r.MirrorRow) {
			f.RoleKnown, f.RolePermissions, f.RoleAt = true, r.Permissions, moment(max(r.UpdatedAt, r.AuthAt))
			break
		}
	}
	return f
}

// access is the role that the copy of Clerk grants the pair; "" for none.
func (m *model) access(p pair) string {
	f := m.facts(p.organization, p.user)
	if f.OrganizationDead || f.UserDead || f.UserBarred || f.Membership != MembershipLive {
		return ""
	}
	return f.Role
}
