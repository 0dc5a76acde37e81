package probe

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// store is what somebody's answers held.
type store struct {
	// ids are of objects, by type, in the order in which they came.
	ids map[string][]string
	// cursors are of any list, texts all other strings.
	cursors, texts []string
	seen           map[string]bool
}

func newStore() store { return store{ids: map[string][]string{}, seen: map[string]bool{}} }

func (s *store) types() []string { return slices.Sorted(maps.Keys(s.ids)) }

func (s *store) note(list []string, text string) []string {
	if s.seen[text] {
		return list
	}
	s.seen[text] = true
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
func (s *store) harvest(branches []*branch, object map[string]any) {
	for _, b := range branches {
		s.take(b, object[b.key], object)
	}
}

func (s *store) take(b *branch, value any, within map[string]any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			s.take(b, item, within)
		}
	case map[string]any:
		s.harvest(b.children, value)
	case string:
		switch name := b.field.Name; {
		case name == "id":
			typeName, _ := within["__typename"].(string)
			if typeName == "" {
				typeName = b.on.Name
			}
			if !slices.Contains(s.ids[typeName], value) {
				s.ids[typeName] = append(s.ids[typeName], value)
			}
			s.seen[value] = true
		case name == "cursor" || strings.HasSuffix(name, "Cursor"):
			s.cursors = s.note(s.cursors, value)
		default:
			s.texts = s.note(s.texts, value)
		}
	}
}

// forget drops the texts that are not one's own.
func (s *store) forget(alien func(text string) bool) {
	for typeName := range s.ids {
		s.ids[typeName] = slices.DeleteFunc(s.ids[typeName], alien)
	}
	s.cursors, s.texts = slices.DeleteFunc(s.cursors, alien), slices.DeleteFunc(s.texts, alien)
	maps.DeleteFunc(s.seen, func(text string, _ bool) bool { return alien(text) })
}

var (
	// common are texts that organizations share by their nature: moments, roles, permissions, actions, enums.
	common = regexp.MustCompile(`^(\d{4}-\d\d-\d\dT.*|org:[a-z0-9_:]+|[a-z_]+\.[a-z_]+|[A-Z_]+|\d+)$`)
	// fewest characters make a text that does not stand in others by chance.
	fewest = 8
)

// without returns what one has and the other does not, not even within a text of its own.
func (s *store) without(other *store) store {
	var all strings.Builder
	for text := range other.seen {
		all.WriteString(strings.ToLower(text) + "\n")
	}
	mine := all.String()
	kept := newStore()
	keep := func(list []string) (rest []string) {
		for _, text := range list {
			if utf8.RuneCountInString(text) >= fewest && !common.MatchString(text) && !strings.Contains(mine, strings.ToLower(text)) {
				rest = append(rest, text)
				kept.seen[text] = true
			}
		}
		return rest
	}
	for typeName, ids := range s.ids {
		if rest := keep(ids); rest != nil {
			kept.ids[typeName] = rest
		}
	}
	kept.cursors, kept.texts = keep(s.cursors), keep(s.texts)
	return kept
}
