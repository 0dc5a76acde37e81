package store

// MirrorUser is Clerk's user as the mirror holds it. A deleted user's fields are nil.
type MirrorUser struct {
	ID string
	MirrorRow
	FirstName, LastName, Username *string
	ImageURL                      *string
	// Email is the primary address.
	Email *string
}

const userColumns = "first_name, last_name, username, image_url, email, " + mirrorRowColumns

func (u *MirrorUser) targets() []any {
	return append([]any{&u.FirstName, &u.LastName, &u.Username, &u.ImageURL, &u.Email}, u.MirrorRow.targets()...)
}

// LockUser locks a row and returns it; a bare one is made where there is none. Whoever changes anything of a membership
// holds its user first: that is what puts the two in one order.
func (tx *MirrorTx) LockUser(id string) (MirrorUser, error) {
	u := MirrorUser{ID: id}
	err := tx.lock("users", userColumns, id, u.targets()...)
	return u, err
}

// WriteUser writes a row that LockUser returned.
func (tx *MirrorTx) WriteUser(u MirrorUser) error {
	if u.TombAt > 0 {
		tx.touch(Change{UserID: u.ID})
	}
	values := append([]any{u.FirstName, u.LastName, u.Username, u.ImageURL, u.Email}, u.MirrorRow.values()...)
	return tx.exec("UPDATE clerk.users SET first_name = ?, last_name = ?, username = ?, image_url = ?, email = ?, "+
		setMirrorRow+" WHERE id = ?", append(values, u.ID)...)
}
