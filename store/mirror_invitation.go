package store

import (
	"database/sql"
	"errors"
)

// MirrorInvitation is Clerk's invitation into an organization. What is not known is empty.
type MirrorInvitation struct {
	ID string
	MirrorRow
	OrganizationID string
	// EmailAddress is nil once the user who accepted it was deleted.
	EmailAddress *string
	Role         string
	// Status is Clerk's: pending, accepted, revoked or expired. No event says that one expired, so that a pending one may
	// be past its ExpiresAt until the next comparison.
	Status    string
	InviterID string
	// UserID is who accepted it.
	UserID    string
	ExpiresAt int64
}

const invitationColumns = "organization_id, email_address, role, status, inviter_id, user_id, expires_at, " + mirrorRowColumns

func (i *MirrorInvitation) targets() []any {
	return append([]any{
		&i.OrganizationID, &i.EmailAddress, &i.Role, &i.Status, &i.InviterID, &i.UserID, &i.ExpiresAt,
	}, i.MirrorRow.targets()...)
}

// Invitation reads a row without locking it; found is false where there is none.
func (tx *MirrorTx) Invitation(id string) (i MirrorInvitation, found bool, err error) {
	i.ID = id
	err = tx.row("SELECT "+invitationColumns+" FROM clerk.invitations WHERE id = ?", id).Scan(i.targets()...)
	if errors.Is(err, sql.ErrNoRows) {
		return i, false, nil
	}
	return i, err == nil, err
}

// LockInvitation locks a row and returns it; a bare one is made where there is none. Who accepted it is locked before.
func (tx *MirrorTx) LockInvitation(id string) (MirrorInvitation, error) {
	i := MirrorInvitation{ID: id}
	err := tx.lock("invitations", invitationColumns, id, i.targets()...)
	return i, err
}

// WriteInvitation writes a row that LockInvitation returned.
func (tx *MirrorTx) WriteInvitation(i MirrorInvitation) error {
	values := append([]any{
		i.OrganizationID, i.EmailAddress, i.Role, i.Status, i.InviterID, i.UserID, i.ExpiresAt,
	}, i.MirrorRow.values()...)
	return tx.exec("UPDATE clerk.invitations SET organization_id = ?, email_address = ?, role = ?, status = ?, inviter_id = ?, "+
		"user_id = ?, expires_at = ?, "+setMirrorRow+" WHERE id = ?", append(values, i.ID)...)
}
