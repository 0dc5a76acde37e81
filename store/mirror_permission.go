package store

// MirrorPermission is a permission of the Clerk instance. What roles hold, their own rows say.
type MirrorPermission struct {
	ID string
	MirrorRow
	// Key carries Clerk's prefix "org:".
	Key         string
	Name        string
	Description *string
	// Type is Clerk's word for whose it is: system, and user or custom.
	Type string
}

const permissionColumns = "key, name, description, type, " + mirrorRowColumns

// LockPermission locks a row and returns it; a bare one is made where there is none.
func (tx *MirrorTx) LockPermission(id string) (MirrorPermission, error) {
	p := MirrorPermission{ID: id}
	err := tx.lock("permissions", permissionColumns, id,
		append([]any{&p.Key, &p.Name, &p.Description, &p.Type}, p.MirrorRow.targets()...)...)
	return p, err
}

// WritePermission writes a row that LockPermission returned.
func (tx *MirrorTx) WritePermission(p MirrorPermission) error {
	values := append([]any{p.Key, p.Name, p.Description, p.Type}, p.MirrorRow.values()...)
	return tx.exec("UPDATE clerk.permissions SET key = ?, name = ?, description = ?, type = ?, "+setMirrorRow+" WHERE id = ?",
		append(values, p.ID)...)
}
