package mirror

import (
	"github.com/tenantry/tenantry/models"
	"github.com/tenantry/tenantry/store"
)

// organizationData is an organization in its own event and inside a membership. Only fields that both forms carry and
// whose change raises updated_at: not the counts of members and invitations.
type organizationData struct {
	ID        text   `json:"id"`
	Name      text   `json:"name"`
	Slug      text   `json:"slug"` // null or empty where the instance has slugs switched off
	ImageURL  text   `json:"image_url"`
	CreatedAt millis `json:"created_at"`
	UpdatedAt millis `json:"updated_at"`
}

// organizationChange is an organization's life or death.
type organizationChange struct {
	statement
	name     string
	slug     *string
	imageURL *string
}

func decodeOrganization(e envelope, v verb) (change, error) {
	var data organizationData
	if err := e.unmarshal(&data); err != nil {
		return nil, err
	}
	if err := checkID("the organization's id", string(data.ID)); err != nil {
		return nil, err
	}
	if v == verbDeleted {
		return organizationChange{statement: deleted(string(data.ID), e.Timestamp.end())}, nil
	}
	return data.change(e.Timestamp.ms, v.rank()), nil
}

func (d organizationData) change(envTS int64, rank int16) organizationChange {
	c := organizationChange{name: string(d.Name), slug: d.Slug.orNil(), imageURL: d.ImageURL.orNil()}
	c.statement = live(string(d.ID), d.CreatedAt.ms, d.UpdatedAt.ms, envTS, rank, digest(c.name, c.slug, c.imageURL))
	return c
}

func (c organizationChange) person() string { return "" }

func (c organizationChange) apply(tx ledger) error {
	// Rows only ever gain, so what changes nothing in an older state of the row changes nothing in a newer one: most
	// events of an organization's members need not wait for each other at its row.
	row, found, err := tx.Organization(c.id)
	if err != nil {
		return err
	}
	if next, _ := c.decide(row); found && next == row.MirrorRow {
		return nil
	}
	if row, err = tx.LockOrganization(c.id); err != nil {
		return err
	}
	next, take := c.decide(row)
	seen := present(row)
	row.MirrorRow = next
	if take {
		row.Name, row.Slug, row.ImageURL = c.name, c.slug, c.imageURL
	}
	if err := tx.WriteOrganization(row); err != nil {
		return err
	}
	shown := projectOrganization(row)
	if err := tx.PutOrganization(row.ID, shown); err != nil || seen || !present(row) {
		return err
	}
	return tx.Welcome(shown)
}

// present says that an organization is there, and more is known of it than a token tells.
func present(row store.MirrorOrganization) bool { return row.Name != "" && !dead(row.MirrorRow) }

func (c organizationChange) decide(row store.MirrorOrganization) (store.MirrorRow, bool) {
	return decide(row.MirrorRow, c.statement, true)
}

// projectOrganization is what requests read of an organization. Where its name is not known its id stands in.
func projectOrganization(row store.MirrorOrganization) models.Organization {
	o := models.Organization{
		OrganizationID: row.ID, Name: row.Name, Slug: row.Slug, ImageURL: row.ImageURL, CreatedAt: moment(row.CreatedAt),
	}
	if o.Name == "" {
		o.Name = row.ID
	}
	if dead(row.MirrorRow) {
		at := moment(row.TombAt)
		o.DeletedAt = &at
	}
	return o
}
