package probe

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// holdings are what somebody's answers held.
type holdings struct {
	// ids are of objects, by type, in the order in which they came.
	ids map[string][]string
	// cursors are of any list, texts all other strings.
	cursors, texts []string
	seen           map[string]bool
}

func newHoldings() holdings { return holdings{ids: map[string][]string{}, seen: map[string]bool{}} }

func (h *holdings) types() []string { return slices.Sorted(maps.Keys(h.ids)) }

func (h *holdings) note(list []string, text string) []string {
	if h.seen[text] {
		return list
	}
	h.seen[text] = true
	return append(list, text)
}

// response is an answer, read.
type response struct {
	Data   map[string]any `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

func read(body []byte) (response, error) {
	var r response
	err := json.Unmarshal(body, &r)
	return r, err
}

// harvest notes what an answer holds.
func (h *holdings) harvest(branches []*branch, object map[string]any) {
	for _, b := range branches {
		h.take(b, object[b.key], object)
	}
}

func (h *holdings) take(b *branch, value any, within map[string]any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			h.take(b, item, within)
		}
	case map[string]any:
		h.harvest(b.children, value)
	case string:
		switch name := b.field.Name; {
		case name == "id":
			typeName, _ := within["__typename"].(string)
			if typeName == "" {
				typeName = b.on.Name
			}
			if !slices.Contains(h.ids[typeName], value) {
				h.ids[typeName] = append(h.ids[typeName], value)
			}
			h.seen[value] = true
		case name == "cursor" || strings.HasSuffix(name, "Cursor"):
			h.cursors = h.note(h.cursors, value)
		default:
			h.texts = h.note(h.texts, value)
		}
	}
}

// forget drops the texts that are not one's own.
func (h *holdings) forget(alien func(text string) bool) {
	for typeName := range h.ids {
		h.ids[typeName] = slices.DeleteFunc(h.ids[typeName], alien)
	}
	h.cursors, h.texts = slices.DeleteFunc(h.cursors, alien), slices.DeleteFunc(h.texts, alien)
	maps.DeleteFunc(h.seen, func(text string, _ bool) bool { return alien(text) })
}

var (
	// common are texts that organizations share by their nature: moments, roles, permissions, actions, enums.
	common = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT.*|org:[a-z0-9_:]+|[a-z_]+\.[a-z_]+|[A-Z_]+|\d+)$`)
	// fewest characters make a text that does not stand in others by chance.
	fewest = 8
)

// without returns what one has and the other does not, not even within a text of its own.
func (h *holdings) without(other *holdings) holdings {
	var all strings.Builder
	for text := range other.seen {
		all.WriteString(strings.ToLower(text) + "\n")
	}
	mine := all.String()
	kept := newHoldings()
	keep := func(list []string) (rest []string) {
		for _, text := range list {
			if utf8.RuneCountInString(text) >= fewest && !common.MatchString(text) && !strings.Contains(mine, strings.ToLower(text)) {
				rest = append(rest, text)
				kept.seen[text] = true
			}
		}
		return rest
	}
	for typeName, ids := range h.ids {
		if rest := keep(ids); rest != nil {
			kept.ids[typeName] = rest
		}
	}
	kept.cursors, kept.texts = keep(h.cursors), keep(h.texts)
	return kept
}
