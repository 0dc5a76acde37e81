package store

import "github.com/tenantry/tenantry/models"

// MirrorPair is what the mirror knows of a user in an organization, and what requests read of it.
type MirrorPair struct {
	User         MirrorUser
	Incarnations []MirrorMembership
	// Member is nil where requests read nothing.
	Member *models.Member
}

// Still makes the rest of the transaction see one moment only. It comes before anything is read.
func (tx *MirrorTx) Still() error { return tx.exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ") }

// OrganizationIDs returns ids, in their order and from behind one of them, of organizations that have members or
// invitations, or had.
func (tx *MirrorTx) OrganizationIDs(behind string, limit int) ([]string, error) {
	return tx.strings(`(SELECT DISTINCT organization_id FROM clerk.memberships WHERE organization_id > ? ORDER BY 1 LIMIT ?)
		UNION (SELECT DISTINCT organization_id FROM clerk.invitations WHERE organization_id > ? ORDER BY 1 LIMIT ?) ORDER BY 1 LIMIT ?`,
		behind, limit, behind, limit, limit)
}

// Pairs returns, in the order of their ids and from behind one of them, the users who are or were in an organization, and
// those whom requests see there. It runs inside InOrganization. Provisional members are left out.
func (tx *MirrorTx) Pairs(organizationID, behind string, limit int) (pairs []*MirrorPair, err error) {
	ids, err := tx.strings(`SELECT user_id FROM (
			SELECT user_id FROM clerk.memberships WHERE organization_id = ?
			UNION SELECT user_id FROM public.members WHERE organization_id = ? AND NOT provisional) AS u
		WHERE user_id > ? ORDER BY user_id LIMIT ?`, organizationID, organizationID, behind, limit)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	byUser := map[string]*MirrorPair{}
	for _, id := range ids {
		pair := &MirrorPair{User: MirrorUser{ID: id}}
		pairs, byUser[id] = append(pairs, pair), pair
	}
	memberships, err := tx.memberships("organization_id = ? AND user_id "+chosen, organizationID, list(ids))
	if err != nil {
		return nil, err
	}
	for _, m := range memberships {
		byUser[m.UserID].Incarnations = append(byUser[m.UserID].Incarnations, m)
	}
	rows, err := tx.tx.db.Raw("SELECT id, "+userColumns+" FROM clerk.users WHERE id "+chosen, list(ids)).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var u MirrorUser
		if err := rows.Scan(append([]any{&u.ID}, u.targets()...)...); err != nil {
			return nil, err
		}
		byUser[u.ID].User = u
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var members []models.Member
	err = tx.tx.db.Raw("SELECT * FROM public.members WHERE organization_id = ? AND user_id "+chosen+" AND NOT provisional",
		organizationID, list(ids)).Scan(&members).Error
	for i := range members {
		byUser[members[i].UserID].Member = &members[i]
	}
	return pairs, err
}

func (tx *MirrorTx) strings(query string, values ...any) (found []string, err error) {
	return found, tx.tx.db.Raw(query, values...).Scan(&found).Error
}
