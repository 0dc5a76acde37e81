package mirror

import (
	"context"
	"errors"
	"time"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// Claim is what a verified token says of a user in an organization.
type Claim struct {
	OrganizationID string
	// Slug is the organization's; "" where the token has none.
	Slug   string
	UserID string
	Role   string
}

// claimChange gives requests rows to point to where the copy has not heard of a pair yet: bare ones of organization and
// user, older than anything that will be heard, and a provisional member. It grants nothing, and leaves alone whatever is
// known better.
type claimChange struct {
	Claim
	at time.Time
}

// errEnded says that organization or user is deleted, so that nothing is to be made for the claim.
var errEnded = errors.New("mirror: the token's organization or user is deleted")

func (c claimChange) person() string { return c.UserID }

func (c claimChange) apply(tx ledger) error {
	if err := errors.Join(checkID("the organization's id", c.OrganizationID), checkID("the user's id", c.UserID)); err != nil {
		return err
	}
	organization, found, err := tx.Organization(c.OrganizationID)
	if err == nil && !found {
		organization, err = c.introduce(tx)
	}
	if err != nil {
		return err
	}
	user, err := tx.LockUser(c.UserID)
	if err != nil {
		return err
	}
	if dead(organization.MirrorRow) || dead(user.MirrorRow) {
		return errEnded
	}
	known, err := tx.Incarnations(c.OrganizationID, c.UserID)
	if err != nil || len(known) > 0 {
		return err
	}
	return tx.PutProvisional(c.OrganizationID, models.Member{
		OrganizationID: c.OrganizationID, UserID: c.UserID, ID: memberID(c.OrganizationID, c.UserID),
		Role: c.Role, JoinedAt: c.at, Provisional: true,
	})
}

// introduce makes a bare row of an organization that was unknown a moment ago. Until more is known requests see the
// token's slug in place of the name.
func (c claimChange) introduce(tx ledger) (store.MirrorOrganization, error) {
	row, err := tx.LockOrganization(c.OrganizationID)
	if err != nil || row.MirrorRow != (store.MirrorRow{}) {
		return row, err
	}
	shown := projectOrganization(row)
	if c.Slug != "" {
		shown.Name, shown.Slug = c.Slug, &c.Slug
	}
	return row, tx.PutOrganization(row.ID, shown)
}

// retraction takes back what a claim made of a member, as far as nothing better has replaced it.
type retraction struct{ couple }

func (r retraction) person() string { return r.userID }

func (r retraction) apply(tx ledger) error {
	if _, err := tx.LockUser(r.userID); err != nil {
		return err
	}
	return tx.RemoveProvisional(r.organizationID, r.userID)
}

// note makes the rows of a claim.
func (m *Mirror) note(ctx context.Context, c Claim) error {
	err := m.applyOne(ctx, claimChange{c, m.config.Now()})
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// retractBefore takes back the provisional members that are older than a time: a comparison that began then has merged
// every membership there is.
func (m *Mirror) retractBefore(ctx context.Context, at time.Time) error {
	for {
		var found []models.Member
		err := m.store.Mirror(ctx, func(tx *store.MirrorTx) (err error) {
			found, err = tx.ProvisionalBefore(at, pageSize)
			return err
		})
		if err != nil || len(found) == 0 {
			return err
		}
		for _, p := range found {
			if err := m.applyOne(ctx, retraction{couple{p.OrganizationID, p.UserID}}); err != nil {
				return err
			}
		}
	}
}
