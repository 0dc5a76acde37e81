package store

import "encoding/json"

// MirrorRole is a role of the Clerk instance.
type MirrorRole struct {
	ID string
	MirrorRow
	// Key and Permissions carry Clerk's prefix "org:".
	Key         string
	Name        string
	Permissions []string
}

// LockRole locks a row and returns it; a bare one is made where there is none.
func (tx *MirrorTx) LockRole(id string) (MirrorRole, error) {
	r := MirrorRole{ID: id}
	permissions := []byte("[]")
	err := tx.lock("roles", "key, name, to_json(permissions), "+mirrorRowColumns, id,
		append([]any{&r.Key, &r.Name, &permissions}, r.MirrorRow.targets()...)...)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(permissions, &r.Permissions)
}

// WriteRole writes a row that LockRole returned.
func (tx *MirrorTx) WriteRole(r MirrorRole) error {
	tx.touch(Change{Role: true})
	permissions, err := json.Marshal(r.Permissions)
	if err != nil {
		return err
	}
	values := append([]any{r.Key, r.Name, string(permissions)}, r.MirrorRow.values()...)
	return tx.exec("UPDATE clerk.roles SET key = ?, name = ?, "+
		"permissions = ARRAY(SELECT p FROM json_array_elements_text(?::json) WITH ORDINALITY AS e(p, n) ORDER BY n), "+
		setMirrorRow+" WHERE id = ?", append(values, r.ID)...)
}
