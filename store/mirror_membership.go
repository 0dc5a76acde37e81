package store

import (
	"database/sql"
	"errors"
)

// MirrorMembership is one incarnation of a Clerk membership. Organization and user are empty where only a deletion that
// did not name them was seen.
type MirrorMembership struct {
	ID string
	MirrorRow
	OrganizationID, UserID string
	Role                   string
	// The person as the membership last showed them.
	FirstName, LastName, Username *string
	ImageURL                      *string
	Identifier                    *string
}

const membershipColumns = "organization_id, user_id, role, first_name, last_name, username, image_url, identifier, " + mirrorRowColumns

func (m *MirrorMembership) targets() []any {
	return append([]any{
		&m.OrganizationID, &m.UserID, &m.Role, &m.FirstName, &m.LastName, &m.Username, &m.ImageURL,
		&m.Identifier,
	}, m.MirrorRow.targets()...)
}

// Membership reads a row without locking it; found is false where there is none.
func (tx *MirrorTx) Membership(id string) (m MirrorMembership, found bool, err error) {
	m.ID = id
	err = tx.row("SELECT "+membershipColumns+" FROM clerk.memberships WHERE id = ?", id).Scan(m.targets()...)
	if errors.Is(err, sql.ErrNoRows) {
		return m, false, nil
	}
	return m, err == nil, err
}

// LockMembership locks a row and returns it; a bare one is made where there is none. Its user is locked before.
func (tx *MirrorTx) LockMembership(id string) (MirrorMembership, error) {
	m := MirrorMembership{ID: id}
	err := tx.lock("memberships", membershipColumns, id, m.targets()...)
	return m, err
}

// WriteMembership writes a row that LockMembership returned.
func (tx *MirrorTx) WriteMembership(m MirrorMembership) error {
	if m.UserID != "" {
		tx.touch(Change{OrganizationID: m.OrganizationID, UserID: m.UserID})
	}
	values := append([]any{
		m.OrganizationID, m.UserID, m.Role, m.FirstName, m.LastName, m.Username, m.ImageURL,
		m.Identifier,
	}, m.MirrorRow.values()...)
	return tx.exec("UPDATE clerk.memberships SET organization_id = ?, user_id = ?, role = ?, first_name = ?, last_name = ?, "+
		"username = ?, image_url = ?, identifier = ?, "+setMirrorRow+" WHERE id = ?", append(values, m.ID)...)
}

// Incarnations returns all memberships, former ones included, of a user in an organization.
func (tx *MirrorTx) Incarnations(organizationID, userID string) ([]MirrorMembership, error) {
	return tx.memberships("organization_id = ? AND user_id = ?", organizationID, userID)
}

// UserMemberships returns all memberships, former ones included, of a user, in no order.
func (tx *MirrorTx) UserMemberships(userID string) ([]MirrorMembership, error) {
	return tx.memberships("user_id = ? AND organization_id <> ''", userID)
}

func (tx *MirrorTx) memberships(condition string, values ...any) ([]MirrorMembership, error) {
	rows, err := tx.tx.db.Raw("SELECT id, "+membershipColumns+" FROM clerk.memberships WHERE "+condition, values...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []MirrorMembership
	for rows.Next() {
		var m MirrorMembership
		if err := rows.Scan(append([]any{&m.ID}, m.targets()...)...); err != nil {
			return nil, err
		}
		found = append(found, m)
	}
	return found, rows.Err()
}

// ForgetPerson erases what a deleted user's memberships, invitations and finished events say of the person.
func (tx *MirrorTx) ForgetPerson(userID string) error {
	err := tx.exec("UPDATE clerk.memberships SET first_name = NULL, last_name = NULL, username = NULL, image_url = NULL, "+
		"identifier = NULL WHERE user_id = ?", userID)
	if err != nil {
		return err
	}
	err = tx.exec("UPDATE clerk.invitations SET email_address = NULL WHERE user_id = ?", userID)
	if err != nil {
		return err
	}
	return tx.exec("UPDATE clerk.inbox SET body = NULL WHERE user_id = ? AND state <> 'pending' AND body IS NOT NULL", userID)
}
