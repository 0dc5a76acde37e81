package store

// MirrorUser is Clerk's user as the mirror holds it. A deleted user's fields are nil.
type MirrorUser struct {
	ID string
	MirrorRow
	FirstName, LastName, Username *string
	ImageURL                      *string
	// Email is the primary address.
	Email *string
	// Banned, Deprovisioned and Locked are what the newest version says.
	Banned, Deprovisioned, Locked bool
	// BarredAt is when Clerk last said, of the newest updated_at, that the user is banned or deprovisioned, in milliseconds; 0
	// for never.
	BarredAt int64
}

const userColumns = "first_name, last_name, username, image_url, email, banned, deprovisioned, locked, barred_at, " + mirrorRowColumns

func (u *MirrorUser) targets() []any {
	return append([]any{
		&u.FirstName, &u.LastName, &u.Username, &u.ImageURL, &u.Email, &u.Banned, &u.Deprovisioned, &u.Locked, &u.BarredAt,
	}, u.MirrorRow.targets()...)
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
	tx.touch(Change{UserID: u.ID})
	values := append([]any{
		u.FirstName, u.LastName, u.Username, u.ImageURL, u.Email, u.Banned, u.Deprovisioned, u.Locked, u.BarredAt,
	}, u.MirrorRow.values()...)
	return tx.exec("UPDATE clerk.users SET first_name = ?, last_name = ?, username = ?, image_url = ?, email = ?, "+
		"banned = ?, deprovisioned = ?, locked = ?, barred_at = ?, "+
		setMirrorRow+" WHERE id = ?", append(values, u.ID)...)
}
