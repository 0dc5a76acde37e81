package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tenantry/tenantry/models"
)

// MemberFilter says which members are wanted, and in what order. The zero value is the present members in the order of
// joining.
type MemberFilter struct {
	// Search is what the name, its last word or the e-mail address begins with, without case; "" for any. A search has an
	// order of its own: first those found by their names, then by last words, then by addresses, each in that order.
	Search string
	// Role is the key of the one role wanted; "" for any.
	Role string
	// Former wants those who have left, too.
	Former bool
	// ByName orders by name, else by joining. Descending turns the order round. Neither has a say in a search.
	ByName, Descending bool
}

// ListedMember is a member with the place in the list that it was read from.
type ListedMember struct {
	models.Member
	Place models.Position
}

// Position is where the member stands in that list.
func (m *ListedMember) Position() models.Position { return m.Place }

// memberPart is a part of a list of members that one range of an index has, in its order.
type memberPart struct {
	condition string
	values    []any
	by        order
	// key is the text that the order compares first; nil where that is the time of joining.
	key func(*models.Member) string
}

// Members returns a page of the members that the filter wants.
func (o Org) Members(ctx context.Context, filter MemberFilter, want models.Page) (models.Slice[ListedMember], error) {
	var rows []ListedMember
	err := o.read(ctx, func(tx scoped) (err error) {
		rows, err = readParts(tx, filter, want)
		return err
	})
	return cut(rows, want), err
}

// CountMembers returns how many members the filter wants, models.MaxCount + 1 for more than models.MaxCount.
func (o Org) CountMembers(ctx context.Context, filter MemberFilter) (count int64, err error) {
	err = o.read(ctx, func(tx scoped) (err error) {
		var parts []clause.Expression
		for _, part := range filter.parts() {
			parts = append(parts, rowsOf(filter.chain(tx, part), part.by))
		}
		count, err = countRows(tx, parts...)
		return err
	})
	return count, err
}

// chain is what of a part of the list the filter wants.
func (f MemberFilter) chain(tx scoped, part memberPart) gorm.ChainInterface[models.Member] {
	chain := owned[models.Member](tx).Where("NOT provisional")
	if !f.Former {
		chain = chain.Where("left_at IS NULL")
	}
	if f.Role != "" {
		chain = chain.Where("role = ?", f.Role)
	}
	if part.condition != "" {
		chain = chain.Where("("+part.condition+")", part.values...)
	}
	return chain
}

// parts are those of the list, in its order. A member is in one of them: the search's conditions exclude each other.
func (f MemberFilter) parts() []memberPart {
	nameKey := func(m *models.Member) string { return m.NameKey }
	byName := order{columns: []string{"name_key", "id"}, of: keyAndID, descending: f.Descending}
	switch {
	case f.Search != "":
		byName.descending = false
		name, last, email := begins("name_key", f.Search), begins("last_name_key", f.Search), begins("email_key", f.Search)
		return []memberPart{
			{condition: name.condition, values: name.values, by: byName, key: nameKey},
			{
				condition: last.condition + " AND (" + name.condition + ") IS NOT TRUE", values: append(last.values, name.values...),
				by: order{columns: []string{"last_name_key", "id"}, of: keyAndID}, key: func(m *models.Member) string { return *m.LastNameKey },
			},
			{
				condition: email.condition + " AND (" + name.condition + ") IS NOT TRUE AND (" + last.condition + ") IS NOT TRUE",
				values:    append(append(email.values, name.values...), last.values...),
				by:        order{columns: []string{"email_key", "id"}, of: keyAndID}, key: func(m *models.Member) string { return *m.EmailKey },
			},
		}
	case f.ByName:
		return []memberPart{{by: byName, key: nameKey}}
	}
	return []memberPart{{by: order{columns: []string{"joined_at", "id"}, of: timeAndID, descending: f.Descending}}}
}

// begins is the condition that a folded column begins with a text: a range, which row level security leaves to an index,
// as LIKE it does not.
func begins(column, text string) memberPart {
	const last = "\U0010FFFF"
	return memberPart{
		condition: column + ` >= tenantry.fold(?) COLLATE "C" AND ` + column + ` < (tenantry.fold(?) || '` + last + `') COLLATE "C"`,
		values:    []any{text, text},
	}
}

// readParts reads the parts one after the other until there is one row more than wanted, so that a search asks for the
// later ones only where the earlier ones have too few. Backwards it begins at the end.
func readParts(tx scoped, filter MemberFilter, want models.Page) (rows []ListedMember, err error) {
	parts := filter.parts()
	for step := range parts {
		n := step
		if want.Backwards {
			n = len(parts) - 1 - step
		}
		part, left := parts[n], models.Page{Limit: want.Limit - len(rows), Backwards: want.Backwards}
		if want.After != nil && want.After.Part > n || want.Before != nil && want.Before.Part < n {
			continue
		}
		if want.After != nil && want.After.Part == n {
			left.After = want.After
		}
		if want.Before != nil && want.Before.Part == n {
			left.Before = want.Before
		}
		found, err := readPage(tx, filter.chain(tx, part), part.by, left)
		if err != nil {
			return nil, err
		}
		for i := range found {
			place := models.Position{Part: n, At: found[i].JoinedAt, ID: found[i].ID}
			if part.key != nil {
				place = models.Position{Part: n, Key: part.key(&found[i]), ID: found[i].ID}
			}
			rows = append(rows, ListedMember{Member: found[i], Place: place})
		}
		if len(rows) > want.Limit {
			break
		}
	}
	return rows, nil
}
