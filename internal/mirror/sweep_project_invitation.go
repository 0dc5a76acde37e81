package mirror

import (
	"context"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// projectInvitations does for an organization's invitations what project does for members.
func (s *sweep) projectInvitations(ctx context.Context, organizationID string) error {
	for behind := ""; ; {
		var rows []store.MirrorInvitation
		var shown map[string]models.Invitation
		err := s.store.Mirror(ctx, func(tx *store.MirrorTx) error {
			if err := tx.Still(); err != nil {
				return err
			}
			return tx.InOrganization(organizationID, func() (err error) {
				if rows, err = tx.InvitationsOf(organizationID, behind, pageSize); err != nil {
					return err
				}
				shown, err = tx.ShownInvitations(organizationID, rows)
				return err
			})
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			found, there := shown[row.ID]
			if err := s.projectInvitation(ctx, row, found, there); err != nil {
				return err
			}
		}
		behind = rows[len(rows)-1].ID
	}
}

func (s *sweep) projectInvitation(ctx context.Context, row store.MirrorInvitation, shown models.Invitation, there bool) error {
	report := s.of(string(store.MirrorInvitations))
	gone := dead(row.MirrorRow)
	switch {
	case gone && there:
		report.Extra++
	case !gone && !there:
		report.Missing++
	case !gone && !equalInvitations(shown, projectInvitation(row)):
		report.Differing++
	default:
		return nil
	}
	if !s.changes {
		return nil
	}
	err := s.store.Mirror(ctx, func(tx *store.MirrorTx) error {
		row, err := tx.LockInvitation(row.ID)
		if err != nil {
			return err
		}
		return refreshInvitation(tx, row)
	})
	if err == nil {
		report.Changed++
	}
	return err
}

func equalInvitations(a, b models.Invitation) bool {
	return a.OrganizationID == b.OrganizationID && equal(a.Email, b.Email) && a.Role == b.Role && a.Status == b.Status &&
		a.CreatedAt.Equal(b.CreatedAt) && equalTimes(a.ExpiresAt, b.ExpiresAt)
}
