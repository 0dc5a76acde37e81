package store

import (
	"database/sql"
	"errors"
)

// MirrorOrganization is Clerk's organization as the mirror holds it.
type MirrorOrganization struct {
	ID string
	MirrorRow
	Name     string
	Slug     *string
	ImageURL *string
}

const organizationColumns = "name, slug, image_url, " + mirrorRowColumns

func (o *MirrorOrganization) targets() []any {
	return append([]any{&o.Name, &o.Slug, &o.ImageURL}, o.MirrorRow.targets()...)
}

// Organization reads a row without locking it; found is false where there is none.
func (tx *MirrorTx) Organization(id string) (o MirrorOrganization, found bool, err error) {
	o.ID = id
	err = tx.row("SELECT "+organizationColumns+" FROM clerk.organizations WHERE id = ?", id).Scan(o.targets()...)
	if errors.Is(err, sql.ErrNoRows) {
		return o, false, nil
	}
	return o, err == nil, err
}

// LockOrganization locks a row and returns it; a bare one is made where there is none.
func (tx *MirrorTx) LockOrganization(id string) (MirrorOrganization, error) {
	o := MirrorOrganization{ID: id}
	err := tx.lock("organizations", organizationColumns, id, o.targets()...)
	return o, err
}

// WriteOrganization writes a row that LockOrganization returned.
func (tx *MirrorTx) WriteOrganization(o MirrorOrganization) error {
	if o.TombAt > 0 {
		tx.touch(Change{OrganizationID: o.ID})
	}
	values := append([]any{o.Name, o.Slug, o.ImageURL}, o.MirrorRow.values()...)
	return tx.exec("UPDATE clerk.organizations SET name = ?, slug = ?, image_url = ?, "+setMirrorRow+" WHERE id = ?",
		append(values, o.ID)...)
}
