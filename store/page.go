package store

import (
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/tenantry/tenantry/models"
)

// order is a keyset order: by some columns, all in the same direction, so that a bound is one row comparison and a page
// one range of an index on organization_id and these columns.
type order struct {
	columns []string
	// of are the columns' values at a position.
	of         func(models.Position) []any
	descending bool
}

func timeAndID(at models.Position) []any  { return []any{at.At, at.ID} }
func timeAndKey(at models.Position) []any { return []any{at.At, at.Key} }
func keyAndID(at models.Position) []any   { return []any{at.Key, at.ID} }

// bound is the condition for what comes after a position, or before it.
func (o order) bound(operator string) string {
	return fmt.Sprintf("(%s) %s (%s)", strings.Join(o.columns, ", "), operator, strings.Repeat(", ?", len(o.columns))[2:])
}

// by is the ORDER BY of the order, or of its reverse.
func (o order) by(backwards bool) string {
	direction := " ASC"
	if o.descending != backwards {
		direction = " DESC"
	}
	return strings.Join(o.columns, direction+", ") + direction
}

// page reads one page of a list in the given order. Whether there is a previous one follows from the bound, as the Relay
// specification allows.
func page[T any](tx scoped, chain gorm.ChainInterface[T], by order, want models.Page) (models.Slice[T], error) {
	rows, err := readPage(tx, chain, by, want)
	return cut(rows, want), err
}

// readPage reads a page's rows in its direction, and one row more than wanted, to know whether there is a next page.
func readPage[T any](tx scoped, chain gorm.ChainInterface[T], by order, want models.Page) ([]T, error) {
	forward, backward := ">", "<"
	if by.descending {
		forward, backward = backward, forward
	}
	for _, bound := range []struct {
		at       *models.Position
		operator string
	}{{want.After, forward}, {want.Before, backward}} {
		if bound.at != nil {
			chain = chain.Where(by.bound(bound.operator), by.of(*bound.at)...)
		}
	}
	return chain.Order(by.by(want.Backwards)).Limit(want.Limit + 1).Find(tx.ctx)
}

// cut makes a page of rows that were read in its direction, one more than wanted where there are more.
func cut[T any](rows []T, want models.Page) models.Slice[T] {
	more := len(rows) > want.Limit
	if more {
		rows = rows[:want.Limit]
	}
	if want.Backwards {
		slices.Reverse(rows)
		return models.Slice[T]{Items: rows, HasPrevious: more, HasNext: want.Before != nil}
	}
	return models.Slice[T]{Items: rows, HasNext: more, HasPrevious: want.After != nil}
}
