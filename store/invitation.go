package store

import (
	"cmp"
	"context"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tenantry/tenantry/models"
)

// Newest first.
var invitationOrder = order{columns: []string{"created_at", "id"}, of: timeAndKey, descending: true}

// InvitationsByID returns those of the invitations that the organization has, in no order.
func (o Org) InvitationsByID(ctx context.Context, ids []string) (invitations []models.Invitation, err error) {
	err = o.read(ctx, func(tx scoped) (err error) {
		invitations, err = owned[models.Invitation](tx).Where("id IN ?", ids).Find(tx.ctx)
		return err
	})
	return invitations, err
}

// Invitations returns a page of the organization's invitations that have a status now, the newest first; "" for all.
func (o Org) Invitations(ctx context.Context, status string, want models.Page) (models.Slice[models.Invitation], error) {
	var rows []models.Invitation
	err := o.read(ctx, func(tx scoped) error {
		rows = nil
		for _, part := range o.invitations(tx, status) {
			found, err := readPage(tx, part, invitationOrder, want)
			if err != nil {
				return err
			}
			rows = append(rows, found...)
		}
		return nil
	})
	// Of two parts, the nearer to where the page begins.
	slices.SortFunc(rows, func(a, b models.Invitation) int {
		order := cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
		if want.Backwards {
			return -order
		}
		return order
	})
	return cut(rows[:min(len(rows), want.Limit+1)], want), err
}

// CountInvitations returns how many invitations have a status now, "" for all; models.MaxCount + 1 for more than
// models.MaxCount.
func (o Org) CountInvitations(ctx context.Context, status string) (count int64, err error) {
	err = o.read(ctx, func(tx scoped) (err error) {
		var parts []clause.Expression
		for _, part := range o.invitations(tx, status) {
			parts = append(parts, rowsOf(part, invitationOrder))
		}
		count, err = countRows(tx, parts...)
		return err
	})
	return count, err
}

// invitations are the parts, each one range of an index, of the invitations that have a status now: those that expired are
// called so by Clerk, or called pending still.
func (o Org) invitations(tx scoped, status string) []gorm.ChainInterface[models.Invitation] {
	now := o.store.now()
	of := func(stored string) gorm.ChainInterface[models.Invitation] {
		return owned[models.Invitation](tx).Where("status = ?", stored)
	}
	switch status {
	case "":
		return []gorm.ChainInterface[models.Invitation]{owned[models.Invitation](tx)}
	case models.InvitationPending:
		return []gorm.ChainInterface[models.Invitation]{of(status).Where("(expires_at IS NULL OR expires_at > ?)", now)}
	case models.InvitationExpired:
		return []gorm.ChainInterface[models.Invitation]{of(status), of(models.InvitationPending).Where("expires_at <= ?", now)}
	}
	return []gorm.ChainInterface[models.Invitation]{of(status)}
}

// InvitationStatus is an invitation's status now.
func (s *Store) InvitationStatus(i *models.Invitation) string { return i.StatusAt(s.now()) }
