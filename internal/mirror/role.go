package mirror

import (
	"slices"

	"github.com/tenantry/tenantry/store"
)

type roleData struct {
	ID          text             `json:"id"`
	Key         text             `json:"key"`
	Name        text             `json:"name"`
	Permissions []rolePermission `json:"permissions"`
	CreatedAt   millis           `json:"created_at"`
	UpdatedAt   millis           `json:"updated_at"`
}

// rolePermission is a permission as a role shows it.
type rolePermission struct {
	Key text `json:"key"`
}

// roleChange is a role's life or death. The permissions of a role come from here and never from a membership's snapshot,
// which does not change when the role does.
type roleChange struct {
	statement
	key, name   string
	permissions []string
}

func decodeRole(e envelope, v verb) (change, error) {
	var data roleData
	if err := e.unmarshal(&data); err != nil {
		return nil, err
	}
	if err := checkID("the role's id", string(data.ID)); err != nil {
		return nil, err
	}
	if v == verbDeleted {
		return roleChange{statement: deleted(string(data.ID), e.Timestamp.end())}, nil
	}
	c := roleChange{key: orgKey(data.Key), name: string(data.Name), permissions: []string{}}
	if c.key == "" {
		return nil, permanent("the role's key is missing")
	}
	for _, p := range data.Permissions {
		if key := orgKey(p.Key); key != "" {
			c.permissions = append(c.permissions, key)
		}
	}
	slices.Sort(c.permissions)
	c.permissions = slices.Compact(c.permissions)
	of := digest(c.key, c.name, c.permissions)
	c.statement = live(string(data.ID), data.CreatedAt.ms, data.UpdatedAt.ms, e.Timestamp.ms, v.rank(), of)
	return c, nil
}

func (c roleChange) person() string { return "" }

func (c roleChange) apply(tx ledger) error {
	row, err := tx.LockRole(c.id)
	if err != nil {
		return err
	}
	next, take := decide(row.MirrorRow, c.statement, false)
	if next == row.MirrorRow {
		return nil
	}
	if take {
		row = store.MirrorRole{ID: row.ID, Key: c.key, Name: c.name, Permissions: c.permissions}
	}
	row.MirrorRow = next
	return tx.WriteRole(row)
}
