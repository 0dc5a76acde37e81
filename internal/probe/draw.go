package probe

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"
)

// form is how an operation leads to what it asks for.
type form struct {
	variables, fragment, named, alias bool
}

// forms are those that each position is attacked in.
var forms = []form{{}, {variables: true, alias: true}, {fragment: true}, {variables: true, named: true}}

// optional says which optional fields of inputs, and which optional arguments, are given.
type optional func(name string) bool

func none(string) bool  { return false }
func every(string) bool { return true }

func only(name string) optional { return func(other string) bool { return other == name } }

// drawer makes operations. Its choices come from one source of chance, or, without one, are always the first.
type drawer struct {
	schema *ast.Schema
	own    *holdings
	texts  map[string]string
	rng    *rand.Rand
	// fresh is an own object of a type for a mutation; nil takes any.
	fresh func(typeName string) string
}

// below bounds what is selected below a position: fields in all, and nested.
const below, belowDepth = 60, 3

// to adds the way to a position to an operation, with the position's value as a new slot. Optional inputs are those that
// given says.
func (d *drawer) to(o *operation, p *position, f form, given optional) {
	o.mutation, o.variables = p.mutation, f.variables
	o.slots = append(o.slots, p)
	number := slot(len(o.slots) - 1)
	branches := &o.roots
	on := d.root(p.mutation)
	for i, s := range p.steps {
		last := i == len(p.steps)-1
		if s.on != nil {
			on = s.on
		}
		b := &branch{field: s.field, on: on, key: s.field.Name, fragment: s.on != nil}
		if i == 0 {
			b.key = "p" + string(rune('a'+len(o.roots))) + "_" + s.field.Name
		}
		if last {
			b.named, b.fragment = f.named, b.fragment || f.fragment
		}
		wanted := d.leadsTo(s.field, p.steps, i)
		for _, argument := range s.field.Arguments {
			switch {
			case last && argument == p.argument:
				b.arguments = append(b.arguments, argumentOf(argument, d.holding(p, argument.Name, argument.Type, number, given, s.field)))
			case required(argument.Type, argument.DefaultValue) || given("("+argument.Name) && !last:
				b.arguments = append(b.arguments, argumentOf(argument, d.value(argument.Name, argument.Type, given, wanted)))
			}
		}
		*branches = append(*branches, b)
		on = d.schema.Types[s.field.Type.Name()]
		if last && on.IsCompositeType() {
			budget := below
			b.children = d.selection(on, belowDepth, &budget)
		}
		branches = &b.children
	}
	if f.alias && !p.mutation {
		twin := *o.roots[len(o.roots)-1]
		if kept, ok := d.withoutSlots(&twin, p, number); ok {
			kept.key = "o_" + kept.key
			o.roots = append(o.roots, kept)
		}
	}
}

// required says whether an argument or an input's field must be given.
func required(t *ast.Type, otherwise *ast.Value) bool { return t.NonNull && otherwise == nil }

func argumentOf(a *ast.ArgumentDefinition, value any) argument {
	return argument{name: a.Name, typed: a.Type, value: value}
}

// withoutSlots is a branch with something of one's own in place of its slot, to stand beside it.
func (d *drawer) withoutSlots(b *branch, p *position, number slot) (*branch, bool) {
	if p.kind != id && p.kind != ids {
		return nil, false
	}
	var replace func(value any) any
	replace = func(value any) any {
		switch value := value.(type) {
		case slot:
			own := d.ownID(d.typeFor(p.argument.Name, p.steps[len(p.steps)-1].field))
			if value == number && p.kind == ids {
				return []any{own}
			}
			return own
		case map[string]any:
			object := map[string]any{}
			for name, inner := range value {
				object[name] = replace(inner)
			}
			return object
		}
		return value
	}
	var copied func(b *branch) *branch
	copied = func(b *branch) *branch {
		c := *b
		c.named = false
		c.arguments = slices.Clone(b.arguments)
		for i := range c.arguments {
			c.arguments[i].value = replace(c.arguments[i].value)
		}
		c.children = make([]*branch, len(b.children))
		for i, child := range b.children {
			c.children[i] = copied(child)
		}
		return &c
	}
	return copied(b), true
}

func (d *drawer) root(mutation bool) *ast.Definition {
	if mutation {
		return d.schema.Mutation
	}
	return d.schema.Query
}

// leadsTo is the type of the object that a step must find for the way to go on; "" where it does not matter.
func (d *drawer) leadsTo(field *ast.FieldDefinition, steps []step, i int) string {
	if i+1 < len(steps) && steps[i+1].on != nil {
		return steps[i+1].on.Name
	}
	return field.Type.Name()
}

// holding is an argument's value with the slot at the position's place in it.
func (d *drawer) holding(p *position, name string, t *ast.Type, number slot, given optional, field *ast.FieldDefinition) any {
	if p.name[strings.LastIndexByte(p.name, '(')+1:len(p.name)-1] == name {
		return number
	}
	definition := d.schema.Types[t.Name()]
	object := map[string]any{}
	for _, inner := range definition.Fields {
		path := name + "." + inner.Name
		switch target := p.name[strings.LastIndexByte(p.name, '(')+1 : len(p.name)-1]; {
		case target == path || strings.HasPrefix(target, path+"."):
			object[inner.Name] = d.holding(p, path, inner.Type, number, given, field)
		case required(inner.Type, inner.DefaultValue) || given(inner.Name):
			object[inner.Name] = d.value(inner.Name, inner.Type, given, d.typeFor(inner.Name, field))
		}
	}
	if t.Elem != nil {
		return []any{object}
	}
	return object
}

// value makes one up that names nothing of anybody else's.
func (d *drawer) value(name string, t *ast.Type, given optional, wanted string) any {
	if t.Elem != nil {
		return []any{d.value(name, t.Elem, given, wanted)}
	}
	definition := d.schema.Types[t.Name()]
	switch definition.Kind {
	case ast.InputObject:
		object := map[string]any{}
		for _, inner := range definition.Fields {
			if required(inner.Type, inner.DefaultValue) || given(inner.Name) {
				object[inner.Name] = d.value(inner.Name, inner.Type, given, wanted)
			}
		}
		return object
	case ast.Enum:
		return word(definition.EnumValues[d.pick(len(definition.EnumValues))].Name)
	}
	return d.scalar(name, t.Name(), wanted)
}

func (d *drawer) scalar(name, typeName, wanted string) any {
	switch typeName {
	case "ID":
		if other := d.typeFor(name, nil); other != "" {
			wanted = other
		}
		return d.ownID(wanted)
	case "Int", "Float":
		return 1 + d.pick(3)*d.pick(2)
	case "Boolean":
		return d.pick(2) == 1
	case "Permission":
		return "org:sys_memberships:read"
	case "DateTime":
		return "2026-11-22T08:30:00Z"
	case "JSONObject":
		return map[string]any{"probe": "of the attack"}
	}
	if fitting, found := d.texts[name]; found {
		return fitting
	}
	if typeName == "Role" {
		return "org:member"
	}
	return "probe " + name
}

// ownID is an own object's id: of the wanted type, where there is one.
func (d *drawer) ownID(wanted string) string {
	if d.fresh != nil {
		if made := d.fresh(wanted); made != "" {
			return made
		}
	}
	if known := d.own.ids[wanted]; len(known) > 0 {
		return known[d.pick(len(known))]
	}
	for _, name := range d.own.types() {
		return d.own.ids[name][0]
	}
	return "none"
}

// typeFor guesses what type of object an id is of: from its own name, from what the field returns, or from the field's name.
func (d *drawer) typeFor(name string, field *ast.FieldDefinition) string {
	if stem, is := strings.CutSuffix(name, "Id"); is && stem != "" {
		if typeName := capitalized(stem); d.schema.Types[typeName] != nil {
			return typeName
		}
	}
	if field == nil {
		return ""
	}
	back := d.schema.Types[field.Type.Name()]
	if len(d.own.ids[back.Name]) > 0 {
		return back.Name
	}
	for _, inner := range back.Fields {
		if len(d.own.ids[inner.Type.Name()]) > 0 {
			return inner.Type.Name()
		}
	}
	for _, typeName := range d.own.types() {
		if strings.HasSuffix(field.Name, typeName) {
			return typeName
		}
	}
	return ""
}

func capitalized(name string) string {
	runes := []rune(name)
	runes[0] = unicode.ToUpper(runes[0])
	return string(runes)
}

func (d *drawer) pick(n int) int {
	if d.rng == nil || n < 2 {
		return 0
	}
	return d.rng.IntN(n)
}

// selection is what is asked for of a type: its fields, and theirs, as far as depth and the budget of fields go. Where
// budget is nil, each field of the type has a tourBudget of its own, so that no type is cut off by those before it.
func (d *drawer) selection(on *ast.Definition, depth int, budget *int) []*branch {
	var branches []*branch
	add := func(on *ast.Definition, fragment bool) {
		fields := slices.Clone(on.Fields)
		if d.rng != nil {
			d.rng.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
		}
		slices.SortStableFunc(fields, func(a, b *ast.FieldDefinition) int { return d.weight(a) - d.weight(b) })
		for _, field := range fields {
			definition := d.schema.Types[field.Type.Name()]
			budget := budget
			if budget == nil {
				own := tourBudget
				budget = &own
			}
			if strings.HasPrefix(field.Name, "__") || *budget <= 0 || definition.IsCompositeType() && depth <= 1 {
				continue
			}
			*budget--
			b := &branch{field: field, on: on, key: field.Name, fragment: fragment}
			if fragment {
				b.key = on.Name + "_" + field.Name
			}
			for _, argument := range field.Arguments {
				if required(argument.Type, argument.DefaultValue) {
					b.arguments = append(b.arguments, argumentOf(argument, d.value(argument.Name, argument.Type, none, field.Type.Name())))
				}
			}
			if definition.IsCompositeType() {
				b.children = d.selection(definition, depth-1, budget)
			}
			branches = append(branches, b)
		}
	}
	add(on, false)
	if on.IsAbstractType() {
		for _, possible := range d.schema.GetPossibleTypes(on) {
			add(possible, true)
		}
	}
	return branches
}

// weight puts fields without fields first, so that a small budget goes a long way.
func (d *drawer) weight(field *ast.FieldDefinition) int {
	if d.schema.Types[field.Type.Name()].IsCompositeType() {
		return 1
	}
	return 0
}
