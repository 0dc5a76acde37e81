package mirror

import (
	"maps"
	"slices"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

func (m *model) Invitation(id string) (store.MirrorInvitation, bool, error) {
	row, found := m.invitations[id]
	row.ID = id
	return row, found, nil
}

func (m *model) LockInvitation(id string) (store.MirrorInvitation, error) {
	row := m.invitations[id]
	row.ID = id
	m.invitations[id] = row
	return row, nil
}

func (m *model) WriteInvitation(row store.MirrorInvitation) error {
	m.invitations[row.ID] = row
	return nil
}

func (m *model) UserInvitations(userID string) (found []store.MirrorInvitation, err error) {
	for _, row := range m.invitations {
		if row.UserID == userID {
			found = append(found, row)
		}
	}
	return found, nil
}

func (m *model) PutInvitation(inside string, i models.Invitation) error {
	if inside != i.OrganizationID {
		panic("an invitation written outside of the organization")
	}
	m.publicInvitations[i.ID] = i
	return nil
}

func (m *model) RemoveInvitation(organizationID, id string) error {
	if m.publicInvitations[id].OrganizationID == organizationID {
		delete(m.publicInvitations, id)
	}
	return nil
}

func (m *model) LockDomain(id string) (store.MirrorDomain, error) {
	row := m.domains[id]
	row.ID = id
	m.domains[id] = row
	return row, nil
}

func (m *model) WriteDomain(row store.MirrorDomain) error {
	m.domains[row.ID] = row
	return nil
}

func (m *model) LockPermission(id string) (store.MirrorPermission, error) {
	row := m.permissions[id]
	row.ID = id
	m.permissions[id] = row
	return row, nil
}

func (m *model) WritePermission(row store.MirrorPermission) error {
	m.permissions[row.ID] = row
	return nil
}

func (m *model) RevokeSession(r store.RevokedSession) error {
	known := m.sessions[r.ID]
	r.UserID, r.RevokedAt = max(r.UserID, known.UserID), max(r.RevokedAt, known.RevokedAt)
	m.sessions[r.ID] = r
	return nil
}

func (m *model) PutProvisional(inside string, member models.Member) error {
	p := pair{member.OrganizationID, member.UserID}
	if inside != p.organization || !member.Provisional {
		panic("a provisional member written outside of the organization")
	}
	known, found := m.publicMembers[p]
	switch {
	case !found:
		m.publicMembers[p] = member
	case known.Provisional:
		known.Role = member.Role
		m.publicMembers[p] = known
	}
	return nil
}

func (m *model) RemoveProvisional(organizationID, userID string) error {
	if p := (pair{organizationID, userID}); m.publicMembers[p].Provisional {
		delete(m.publicMembers, p)
	}
	return nil
}

func (m *model) Provisional(userID string) (organizationIDs []string, err error) {
	for p, member := range m.publicMembers {
		if p.user == userID && member.Provisional {
			organizationIDs = append(organizationIDs, p.organization)
		}
	}
	slices.Sort(organizationIDs)
	return organizationIDs, nil
}

// clone is a copy whose maps are its own.
func (m *model) clone() *model {
	return &model{
		organizations: maps.Clone(m.organizations), users: maps.Clone(m.users), memberships: maps.Clone(m.memberships),
		roles: maps.Clone(m.roles), invitations: maps.Clone(m.invitations), domains: maps.Clone(m.domains),
		permissions: maps.Clone(m.permissions), sessions: maps.Clone(m.sessions),
		publicOrganizations: maps.Clone(m.publicOrganizations), publicMembers: maps.Clone(m.publicMembers),
		publicInvitations: maps.Clone(m.publicInvitations),
	}
}
