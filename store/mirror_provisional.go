package store

import (
	"time"

	"github.com/tenantry/tenantry/models"
)

// PutProvisional writes a member of whom only a token tells, of the organization that inside names, unless a membership has
// told more. The user is locked.
func (tx *MirrorTx) PutProvisional(inside string, m models.Member) error {
	err := tx.put(inside, `INSERT INTO public.members AS m (organization_id, user_id, id, role, joined_at, provisional)
		SELECT ?, ?, ?, ?, ?::timestamptz, true FROM inside
		ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role WHERE m.provisional AND m.role <> excluded.role`,
		m.OrganizationID, m.UserID, m.ID, m.Role, m.JoinedAt)
	if err != nil {
		return err
	}
	return tx.exec("INSERT INTO clerk.provisional (user_id, organization_id, made_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
		m.UserID, m.OrganizationID, m.JoinedAt)
}

// RemoveProvisional removes what PutProvisional wrote; of a member of whom more is known it leaves the row. The user is
// locked.
func (tx *MirrorTx) RemoveProvisional(organizationID, userID string) error {
	err := tx.InOrganization(organizationID, func() error {
		return tx.exec("DELETE FROM public.members WHERE organization_id = ? AND user_id = ? AND provisional", organizationID, userID)
	})
	if err != nil {
		return err
	}
	return tx.exec("DELETE FROM clerk.provisional WHERE user_id = ? AND organization_id = ?", userID, organizationID)
}

// Provisional returns the organizations of which a user was made a provisional member, in the order of their ids. In some
// of them more may be known by now.
func (tx *MirrorTx) Provisional(userID string) ([]string, error) {
	return tx.strings("SELECT organization_id FROM clerk.provisional WHERE user_id = ? ORDER BY 1", userID)
}

// ProvisionalBefore returns who was made a provisional member before a time, by organization and user only.
func (tx *MirrorTx) ProvisionalBefore(at time.Time, limit int) (found []models.Member, err error) {
	return found, tx.tx.db.Raw("SELECT organization_id, user_id FROM clerk.provisional WHERE made_at < ? ORDER BY user_id, organization_id LIMIT ?",
		at, limit).Scan(&found).Error
}
