package store

// MirrorDomain is a domain of an organization. OrganizationID is empty where only the deletion was seen, which does not
// name it.
type MirrorDomain struct {
	ID string
	MirrorRow
	OrganizationID string
	Name           string
	EnrollmentMode string
	Verified       bool
}

const domainColumns = "organization_id, name, enrollment_mode, verified, " + mirrorRowColumns

// LockDomain locks a row and returns it; a bare one is made where there is none.
func (tx *MirrorTx) LockDomain(id string) (MirrorDomain, error) {
	d := MirrorDomain{ID: id}
	err := tx.lock("domains", domainColumns, id,
		append([]any{&d.OrganizationID, &d.Name, &d.EnrollmentMode, &d.Verified}, d.MirrorRow.targets()...)...)
	return d, err
}

// WriteDomain writes a row that LockDomain returned.
func (tx *MirrorTx) WriteDomain(d MirrorDomain) error {
	values := append([]any{d.OrganizationID, d.Name, d.EnrollmentMode, d.Verified}, d.MirrorRow.values()...)
	return tx.exec("UPDATE clerk.domains SET organization_id = ?, name = ?, enrollment_mode = ?, verified = ?, "+
		setMirrorRow+" WHERE id = ?", append(values, d.ID)...)
}
