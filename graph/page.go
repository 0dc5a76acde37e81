package graph

import (
	"github.com/tenantry/tenantry/models"
)

const defaultPage, maxPage = 25, 100

// page turns the arguments of a connection into a page of the list, or an InvalidError that names each bad one.
func (l list) page(first *int32, after *string, last *int32, before *string) (models.Page, error) {
	page := models.Page{Limit: defaultPage}
	var bad []models.FieldError
	refuse := func(path, message string) { bad = append(bad, models.FieldError{Path: path, Message: message}) }
	size := func(path string, wanted *int32) {
		if wanted == nil {
			return
		}
		page.Limit = int(*wanted)
		if page.Limit < 1 || page.Limit > maxPage {
			refuse(path, "must be 1 to 100")
		}
	}
	bound := func(path string, cursor *string) *models.Position {
		if cursor == nil {
			return nil
		}
		at, ok := l.position(*cursor)
		if !ok {
			refuse(path, "must be a cursor of this list")
		}
		return &at
	}
	size("first", first)
	size("last", last)
	if first != nil && last != nil {
		refuse("last", "must not be given together with first")
	}
	page.After, page.Before = bound("after", after), bound("before", before)
	page.Backwards = last != nil
	if bad != nil {
		return models.Page{}, &models.InvalidError{Fields: bad}
	}
	return page, nil
}

// placed is a model that has a place in its lists.
type placed[T any] interface {
	*T
	Position() models.Position
}

// pageInfo says how to go on from a slice of the list.
func pageInfo[T any, P placed[T]](l list, slice models.Slice[T]) *PageInfo {
	info := &PageInfo{HasNextPage: slice.HasNext, HasPreviousPage: slice.HasPrevious}
	if n := len(slice.Items); n > 0 {
		start, end := l.cursor(P(&slice.Items[0]).Position()), l.cursor(P(&slice.Items[n-1]).Position())
		info.StartCursor, info.EndCursor = &start, &end
	}
	return info
}
