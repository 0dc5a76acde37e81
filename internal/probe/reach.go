package probe

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// which says whose a value is.
type which int

const (
	own which = iota
	foreign
	absent
	deleted
	malformed
	whiches
)

// reach is how much of a schema was reached: each field of each type that leads on from a root, and each position with each
// kind of value.
type reach struct {
	schema    *ast.Schema
	fields    map[string]bool
	positions map[string]*[whiches]bool
	kinds     map[string]kind
	mutations map[string]bool
	// denied are fields that the viewer once lacked something for, with the code.
	denied map[string]string
}

func newReach(schema *ast.Schema, positions []*position) *reach {
	r := &reach{
		schema: schema, fields: map[string]bool{}, positions: map[string]*[whiches]bool{}, kinds: map[string]kind{}, mutations: map[string]bool{},
		denied: map[string]string{},
	}
	seen := map[*ast.Definition]bool{}
	var walk func(on *ast.Definition, mutation bool)
	walk = func(on *ast.Definition, mutation bool) {
		if on == nil || seen[on] || !on.IsCompositeType() {
			return
		}
		seen[on] = true
		for _, field := range on.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			name := fieldName(on, field)
			r.fields[name], r.mutations[name] = false, mutation
			walk(schema.Types[field.Type.Name()], mutation)
		}
		if on.IsAbstractType() {
			for _, possible := range schema.GetPossibleTypes(on) {
				walk(possible, mutation)
			}
		}
	}
	walk(schema.Query, false)
	walk(schema.Mutation, true)
	walk(schema.Subscription, false)
	for _, p := range positions {
		r.positions[p.name], r.kinds[p.name], r.mutations[p.name] = &[whiches]bool{}, p.kind, p.mutation
	}
	return r
}

// answered notes which fields an answer has, and returns how many, each item of a list counted. denied are the paths at
// which the viewer lacked something.
func (r *reach) answered(branches []*branch, object map[string]any, path string, denied map[string]string) (count int) {
	for _, b := range branches {
		value, there := object[b.key]
		if !there {
			continue
		}
		count++
		here := path + "/" + b.key
		if code := denied[here]; code != "" {
			r.denied[fieldName(b.on, b.field)] = code
			continue
		}
		r.fields[fieldName(b.on, b.field)] = true
		count += r.within(b, value, here, denied)
	}
	return count
}

func (r *reach) within(b *branch, value any, path string, denied map[string]string) (count int) {
	switch value := value.(type) {
	case map[string]any:
		return r.answered(b.children, value, path, denied)
	case []any:
		for i, item := range value {
			count += r.within(b, item, pathOf([]any{path, float64(i)})[1:], denied)
		}
	}
	return count
}

// attacked notes that a position's field was asked for with a value of a kind: that its parent was there.
func (r *reach) attacked(p *position, branches []*branch, data map[string]any, w which) {
	objects := []map[string]any{data}
	for i, s := range p.steps {
		var next []map[string]any
		for _, object := range objects {
			for _, b := range branchesOf(branches, s, i == 0) {
				value, there := object[b.key]
				if there && i == len(p.steps)-1 {
					r.positions[p.name][w] = true
					return
				}
				next = append(next, objectsOf(value)...)
			}
		}
		var below []*branch
		for _, b := range branchesOf(branches, s, i == 0) {
			below = append(below, b.children...)
		}
		objects, branches = next, below
	}
}

func branchesOf(branches []*branch, s step, root bool) (found []*branch) {
	for _, b := range branches {
		if b.field == s.field && (s.on == nil || b.on == s.on) || root && b.field == s.field {
			found = append(found, b)
		}
	}
	return found
}

func objectsOf(value any) (objects []map[string]any) {
	switch value := value.(type) {
	case map[string]any:
		return []map[string]any{value}
	case []any:
		for _, item := range value {
			objects = append(objects, objectsOf(item)...)
		}
	}
	return objects
}

// wanted are the kinds of values that a position must have been given.
func wanted(k kind) []which {
	switch k {
	case id, ids:
		return []which{own, foreign, absent, deleted, malformed}
	case cursor, text:
		return []which{own, foreign, absent, malformed}
	}
	return nil
}

// coverage is what was reached; without writing, what only mutations reach does not count.
func (r *reach) coverage(excused map[string]string, writing bool) (fields, positions Coverage) {
	fields.Excused, positions.Excused = map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(r.fields)) {
		if r.mutations[name] && !writing {
			continue
		}
		fields.Of++
		fields.count(name, r.fields[name], excused)
	}
	for _, name := range slices.Sorted(maps.Keys(r.positions)) {
		if r.mutations[name] && !writing {
			continue
		}
		positions.Of++
		missing := ""
		for _, w := range wanted(r.kinds[name]) {
			if !r.positions[name][w] && (w != deleted || writing) {
				missing += " " + names[w]
			}
		}
		if missing != "" && excused[name] == "" {
			positions.Missed = append(positions.Missed, name+":"+missing)
			continue
		}
		positions.count(name, missing == "", excused)
	}
	return fields, positions
}

// unreached are those of some fields that the viewer lacked something for.
func (r *reach) unreached(missed []string) map[string]string {
	denied := map[string]string{}
	for _, name := range missed {
		if code := r.denied[name]; code != "" {
			denied[name] = code
		}
	}
	return denied
}

// fieldsOf are the fields that can be reached without some of the mutations.
func fieldsOf(schema *ast.Schema, without map[string]string) map[string]bool {
	reached, seen := map[string]bool{}, map[*ast.Definition]bool{}
	var walk func(on *ast.Definition)
	walk = func(on *ast.Definition) {
		if on == nil || seen[on] || !on.IsCompositeType() {
			return
		}
		seen[on] = true
		for _, field := range on.Fields {
			if on == schema.Mutation && without[field.Name] != "" {
				continue
			}
			reached[fieldName(on, field)] = true
			walk(schema.Types[field.Type.Name()])
		}
		if on.IsAbstractType() {
			for _, possible := range schema.GetPossibleTypes(on) {
				walk(possible)
			}
		}
	}
	walk(schema.Query)
	walk(schema.Mutation)
	walk(schema.Subscription)
	return reached
}

var names = [whiches]string{"own", "foreign", "absent", "deleted", "malformed"}

func (c *Coverage) count(name string, reached bool, excused map[string]string) {
	switch {
	case reached:
		c.Reached++
	case excused[name] != "":
		c.Excused[name] = excused[name]
	default:
		c.Missed = append(c.Missed, name)
	}
}
