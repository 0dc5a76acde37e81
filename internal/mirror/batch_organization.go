package mirror

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// organizationBatch is the ledger of many organizations at once: it locks them in the order of their ids. What requests
// read of an organization is written in a statement for each, since one names one organization.
type organizationBatch struct {
	*store.MirrorTx
	organizations map[string]store.MirrorOrganization
	projections   map[string]models.Organization // of those that were written
	appeared      []models.Organization
}

func newOrganizationBatch(tx *store.MirrorTx, readings []reading) (ledgerBatch, error) {
	organizations, err := tx.LockOrganizations(statedIDs(readings))
	return &organizationBatch{MirrorTx: tx, organizations: organizations, projections: map[string]models.Organization{}}, err
}

func (b *organizationBatch) flush() error {
	ids := slices.Sorted(maps.Keys(b.projections))
	rows := make([]store.MirrorOrganization, len(ids))
	for i, id := range ids {
		rows[i] = b.organizations[id]
	}
	if err := b.WriteOrganizations(rows); err != nil {
		return err
	}
	for _, id := range ids {
		if err := b.MirrorTx.PutOrganization(id, b.projections[id]); err != nil {
			return err
		}
	}
	slices.SortFunc(b.appeared, func(x, y models.Organization) int { return cmp.Compare(x.OrganizationID, y.OrganizationID) })
	return b.MirrorTx.Welcome(b.appeared...)
}

func (b *organizationBatch) Organization(id string) (store.MirrorOrganization, bool, error) {
	o, found := b.organizations[id]
	return o, found, nil
}

func (b *organizationBatch) LockOrganization(id string) (store.MirrorOrganization, error) {
	o, found := b.organizations[id]
	if !found {
		return o, errNotInBatch
	}
	return o, nil
}

func (b *organizationBatch) WriteOrganization(o store.MirrorOrganization) error {
	b.organizations[o.ID] = o
	return nil
}

// PutOrganization is left to flush, and comes with every WriteOrganization.
func (b *organizationBatch) PutOrganization(_ string, o models.Organization) error {
	b.projections[o.OrganizationID] = o
	return nil
}

// Welcome is left to flush.
func (b *organizationBatch) Welcome(organizations ...models.Organization) error {
	b.appeared = append(b.appeared, organizations...)
	return nil
}
