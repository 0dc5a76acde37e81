package models

import (
	"time"

	"github.com/google/uuid"
)

// Position is a place in a list. The list's order says which of these it compares, always in this order.
type Position struct {
	// Part counts the parts of a list that consists of several, one after the other.
	Part int
	At   time.Time
	// Key is a text: a folded name, or an id that is no uuid.
	Key string
	ID  uuid.UUID
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

// MaxCount is up to where a list is counted. Counting all of a large one would take long, and
// nobody needs the figure.
const MaxCount = 10_000
