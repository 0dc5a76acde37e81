package mirror

import "github.com/tenantry/tenantry/store"

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
