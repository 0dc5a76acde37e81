package models

import (
	"time"

	"github.com/google/uuid"
)

// Position is a place in a list that is ordered by a time and, where times are equal, by id.
type Position struct {
	At time.Time
	ID uuid.UUID
}

// Page says which part of a list is wanted.
type Page struct {
	// Limit is the number of items, 1 to 100.
	Limit int
	// Backwards takes the last items before Before, still in the order of the list.
	Backwards bool
	// After and Before bound the list; nil means unbounded. The items at the bounds are not included.
	After, Before *Position
}

// Slice is one page of a list, in the order of the list.
type Slice[T any] struct {
	Items       []T
	HasNext     bool
	HasPrevious bool
}
