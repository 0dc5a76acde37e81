package mirror

import "github.com/tenantry/tenantry/store"

// permissionData is a permission in its own events.
type permissionData struct {
	ID          text   `json:"id"`
	Key         text   `json:"key"`
	Name        text   `json:"name"`
	Description text   `json:"description"`
	Type        text   `json:"type"`
	CreatedAt   millis `json:"created_at"`
	UpdatedAt   millis `json:"updated_at"`
}

// permissionChange is a permission's life or death. Which roles hold it is in their own rows.
type permissionChange struct {
	statement
	key, name   string
	description *string
	class       string // Clerk's type
}

func decodePermission(e envelope, v verb) (change, error) {
	var data permissionData
	if err := e.unmarshal(&data); err != nil {
		return nil, err
	}
	if err := checkID("the permission's id", string(data.ID)); err != nil {
		return nil, err
	}
	if v == verbDeleted {
		return permissionChange{statement: deleted(string(data.ID), e.Timestamp.end())}, nil
	}
	c := permissionChange{
		key: orgKey(data.Key), name: string(data.Name), description: data.Description.orNil(), class: string(data.Type),
	}
	if c.key == "" {
		return nil, permanent("the permission's key is missing")
	}
	of := digest(c.key, c.name, c.description, c.class)
	c.statement = live(string(data.ID), data.CreatedAt.ms, data.UpdatedAt.ms, e.Timestamp.ms, v.rank(), of)
	return c, nil
}

func (c permissionChange) person() string { return "" }

func (c permissionChange) apply(tx ledger) error {
	row, err := tx.LockPermission(c.id)
	if err != nil {
		return err
	}
	next, take := decide(row.MirrorRow, c.statement, true)
	if next == row.MirrorRow {
		return nil
	}
	if take {
		row = store.MirrorPermission{ID: row.ID, Key: c.key, Name: c.name, Description: c.description, Type: c.class}
	}
	row.MirrorRow = next
	return tx.WritePermission(row)
}
