package clerk

import (
	"math"
	"slices"
	"strings"
)

// list is the envelope of every list but that of users.
type list[T any] struct {
	Data       []T `json:"data"`
	TotalCount int `json:"total_count"` // of what matches, on all pages
}

// window is the part of a list that was asked for.
type window struct{ limit, offset int }

func (q *query) window() window {
	return window{
		limit:  q.number("limit", defaultLimit, 1, maxLimit),
		offset: q.number("offset", 0, 0, math.MaxInt),
	}
}

// cut gives the part of all in the window, each as its body.
func cut[T, B any](w window, all []T, body func(T) B) []B {
	from := min(max(w.offset, 0), len(all))
	part := all[from : from+min(max(w.limit, 0), len(all)-from)]
	bodies := make([]B, len(part)) // no null where there is nothing
	for i, item := range part {
		bodies[i] = body(item)
	}
	return bodies
}

func page[T, B any](w window, all []T, body func(T) B) list[B] {
	return list[B]{Data: cut(w, all, body), TotalCount: len(all)}
}

// orders are the comparisons that order_by may name. nil stands for a field
// that is empty in every object here.
type orders[T any] map[string]func(a, b T) int

// ordered sorts by order_by, ascending unless it begins with -. What is equal
// in that stays newest first, as all is.
func ordered[T any](q *query, all []T, by orders[T]) []T {
	const name = "order_by"
	text := q.text(name)
	if !q.given(name) {
		return all
	}
	// A + that was not escaped has become a space on its way.
	field, descending := strings.CutPrefix(strings.TrimLeft(text, "+ "), "-")
	compare, known := by[field]
	if !known {
		fields := make([]string, 0, len(by))
		for field := range by {
			fields = append(fields, field)
		}
		slices.Sort(fields)
		q.refuse("form_param_value_invalid", name, "order_by must be one of "+strings.Join(fields, ", ")+", with + or - before it.")
		return all
	}
	if compare == nil {
		return all
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b T) int {
		if descending {
			a, b = b, a
		}
		return compare(a, b)
	})
	return sorted
}

// filtered keeps what passes, in its order.
func filtered[T any](all []T, pass func(T) bool) []T {
	var kept []T
	for _, item := range all {
		if pass(item) {
			kept = append(kept, item)
		}
	}
	return kept
}

// contains tells whether a text holds another, whatever their case.
func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
