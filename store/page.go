package store

import (
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/tenantry/tenantry/models"
)

// order is a keyset order: by a time and then by id, both in the same direction, so that a bound is one row comparison
// and a page one range of an index on (organization_id, time, id).
type order struct {
	at         string
	id         string
	descending bool
}

// page reads one page of a list in the given order. It asks for one row more than wanted to know whether there is a
// next one; whether there is a previous one follows from the bound, as the Relay specification allows.
func page[T any](tx scoped, chain gorm.ChainInterface[T], by order, want models.Page) (models.Slice[T], error) {
	forward, backward := ">", "<"
	if by.descending {
		forward, backward = backward, forward
	}
	for _, bound := range []struct {
		at       *models.Position
		operator string
	}{{want.After, forward}, {want.Before, backward}} {
		if bound.at != nil {
			chain = chain.Where(fmt.Sprintf("(%s, %s) %s (?, ?)", by.at, by.id, bound.operator), bound.at.At, bound.at.ID)
		}
	}
	direction := "ASC"
	if by.descending != want.Backwards {
		direction = "DESC"
	}
	rows, err := chain.Order(fmt.Sprintf("%s %s, %s %s", by.at, direction, by.id, direction)).Limit(want.Limit + 1).Find(tx.ctx)
	if err != nil {
		return models.Slice[T]{}, err
	}
	more := len(rows) > want.Limit
	if more {
		rows = rows[:want.Limit]
	}
	if want.Backwards {
		slices.Reverse(rows)
		return models.Slice[T]{Items: rows, HasPrevious: more, HasNext: want.Before != nil}, nil
	}
	return models.Slice[T]{Items: rows, HasNext: more, HasPrevious: want.After != nil}, nil
}
