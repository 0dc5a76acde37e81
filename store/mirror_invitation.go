package store

import (
	"database/sql"
	"errors"

	"github.com/tenantry/tenantry/models"
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

// UserInvitations returns those that a user accepted, in the order of their ids.
func (tx *MirrorTx) UserInvitations(userID string) ([]MirrorInvitation, error) {
	return tx.invitations("user_id = ? AND user_id <> '' ORDER BY id", userID)
}

// InvitationsOf returns those of an organization in the order of their ids, from behind one of them.
func (tx *MirrorTx) InvitationsOf(organizationID, behind string, limit int) ([]MirrorInvitation, error) {
	return tx.invitations("organization_id = ? AND id > ? ORDER BY id LIMIT ?", organizationID, behind, limit)
}

// ShownInvitations returns what requests read of those, by id. It runs inside InOrganization.
func (tx *MirrorTx) ShownInvitations(organizationID string, of []MirrorInvitation) (map[string]models.Invitation, error) {
	ids := make([]string, len(of))
	for n, i := range of {
		ids[n] = i.ID
	}
	var rows []models.Invitation
	err := tx.tx.db.Raw("SELECT * FROM public.invitations WHERE organization_id = ? AND id "+chosen, organizationID, list(ids)).Scan(&rows).Error
	found := make(map[string]models.Invitation, len(rows))
	for _, i := range rows {
		found[i.ID] = i
	}
	return found, err
}

func (tx *MirrorTx) invitations(condition string, values ...any) (found []MirrorInvitation, err error) {
	err = tx.each("SELECT id, "+invitationColumns+" FROM clerk.invitations WHERE "+condition, values, func(scan func(...any) error) error {
		var i MirrorInvitation
		err := scan(append([]any{&i.ID}, i.targets()...)...)
		found = append(found, i)
		return err
	})
	return found, err
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
