package clerk

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a list, see the parameters of Clerk's specification.
const (
	defaultLimit = 10
	maxLimit     = 500
	maxFilter    = 100 // values of one filter
)

// query reads the parameters of a request to the Backend API. Each method notes
// that its parameter is known; what is wrong is kept for err.
type query struct {
	values url.Values
	known  []string
	wrong  *apiError // the first
}

func newQuery(values url.Values) *query { return &query{values: values} }

// err returns a *apiError for the first value that is wrong, or for a parameter
// that was not read.
func (q *query) err() error {
	if q.wrong != nil {
		return q.wrong
	}
	for _, name := range sortedKeys(q.values) {
		if !slices.Contains(q.known, name) {
			return &apiError{
				status: http.StatusUnprocessableEntity, code: "form_param_unknown", message: "is unknown",
				long: "The local Clerk does not know the parameter " + quoted(name) + " here.", param: name,
			}
		}
	}
	return nil
}

func sortedKeys(values url.Values) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (q *query) refuse(code, param, long string) {
	if q.wrong == nil {
		q.wrong = &apiError{
			status: http.StatusUnprocessableEntity, code: code,
			message: "is invalid", long: long, param: param,
		}
	}
}

// text is a parameter's first value, as Clerk takes it.
func (q *query) text(name string) string {
	q.known = append(q.known, name)
	return q.values.Get(name)
}

// ignore knows parameters without reading them.
func (q *query) ignore(names ...string) { q.known = append(q.known, names...) }

func (q *query) given(name string) bool { return len(q.values[name]) > 0 }

func (q *query) flag(name string) bool {
	text := q.text(name)
	if !q.given(name) {
		return false
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		q.refuse("form_param_format_invalid", name, name+" must be true or false.")
	}
	return value
}

// oneOf refuses what is none of the words.
func (q *query) oneOf(name string, words ...string) {
	text := q.text(name)
	if q.given(name) && !slices.Contains(words, text) {
		q.refuse("form_param_value_invalid", name, name+" must be one of "+strings.Join(words, ", ")+".")
	}
}

// words are values each of which must be one of the known ones.
func (q *query) words(name string, known ...string) []string {
	values := q.list(name)
	for _, value := range values {
		if !slices.Contains(known, value) {
			q.refuse("form_param_value_invalid", name, name+" must be one of "+strings.Join(known, ", ")+".")
		}
	}
	return values
}

// number is within min and max, or the fallback where the parameter is not
// given.
func (q *query) number(name string, fallback, least, most int) int {
	text := q.text(name)
	if !q.given(name) {
		return fallback
	}
	value, err := strconv.Atoi(text)
	switch {
	case err != nil:
		q.refuse("form_param_format_invalid", name, name+" must be a whole number.")
	case value < least || value > most:
		bounds := "at least " + strconv.Itoa(least)
		if most <= maxLimit {
			bounds = "between " + strconv.Itoa(least) + " and " + strconv.Itoa(most)
		}
		q.refuse("form_param_value_invalid", name, name+" must be "+bounds+".")
	}
	return value
}

// list is every value of a filter.
func (q *query) list(name string) []string {
	q.known = append(q.known, name)
	values := q.values[name]
	if len(values) > maxFilter {
		q.refuse("form_param_value_invalid", name, name+" takes up to "+strconv.Itoa(maxFilter)+" values.")
	}
	return values
}

// choices is a filter by id: some are wanted (none: all are), others are not.
type choices struct {
	wanted, unwanted []string
}

// choices reads a filter whose values may begin with + or -. A + that was not
// escaped has become a space on its way.
func (q *query) choices(name string) choices {
	var c choices
	for _, value := range q.list(name) {
		if id, found := strings.CutPrefix(value, "-"); found {
			c.unwanted = append(c.unwanted, id)
		} else {
			c.wanted = append(c.wanted, strings.TrimLeft(value, "+ "))
		}
	}
	return c
}

func (c choices) given() bool { return len(c.wanted)+len(c.unwanted) > 0 }

// pass tells whether what has these ids is wanted.
func (c choices) pass(ids ...string) bool {
	in := func(list []string) bool {
		return slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(list, id) })
	}
	return (len(c.wanted) == 0 || in(c.wanted)) && !in(c.unwanted)
}
