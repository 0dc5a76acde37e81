package store

import (
	"context"

	"github.com/tenantry/tenantry/models"
)

// Organization returns the organization itself, or ErrNotFound where the copy of Clerk has not seen it yet.
func (o Org) Organization(ctx context.Context) (*models.Organization, error) {
	var organization models.Organization
	err := o.read(ctx, func(tx scoped) (err error) {
		organization, err = owned[models.Organization](tx).Take(tx.ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &organization, nil
}
