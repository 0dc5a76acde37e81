package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Maker makes objects of an organization with the schema's own mutations, whatever types there are. A mutation makes
// objects of a type that implements Node if its answer leads to that type and it takes no id of one.
type Maker struct {
	schema *ast.Schema
	voice  Voice
	// texts are what inputs of some names are given; every other text has the mark.
	texts map[string]string
	mark  string
	// other makes what no mutation does; "" where it cannot either.
	other func(ctx context.Context, typeName string) (string, error)
	ways  map[string][]*ast.FieldDefinition
	known map[string]bool
	made  int
}

// NewMaker returns a Maker that asks as voice and puts mark into every text, but for the texts that are given by the names
// of their inputs. In those, * stands for what makes them unlike each other. other makes objects of the types that no
// mutation makes, and may answer "".
func NewMaker(schema *Schema, voice Voice, mark string, texts map[string]string, other func(ctx context.Context, typeName string) (string, error)) *Maker {
	m := &Maker{schema: schema, voice: voice, texts: texts, mark: mark, other: other, known: map[string]bool{}}
	m.ways = waysOf(schema)
	return m
}

// Types are the types that there is a mutation for, sorted.
func (m *Maker) Types() []string {
	var types []string
	for typeName := range m.ways {
		types = append(types, typeName)
	}
	slices.Sort(types)
	return types
}

// Mark is in every text that is made.
func (m *Maker) Mark() string { return m.mark }

// ErrNotMade says that the server refused to make an object.
var ErrNotMade = errors.New("could not be made")

// Make makes one more object of a type and returns its id, or "" if there is no way to. Returns ErrNotMade with what the
// server said, or the error of a voice that had no answer.
func (m *Maker) Make(ctx context.Context, typeName string) (string, error) {
	if len(m.ways[typeName]) == 0 {
		return m.other(ctx, typeName)
	}
	var refusals []string
	for _, field := range m.ways[typeName] {
		for _, given := range []optional{every, none} {
			id, refusal, err := m.with(ctx, field, typeName, given)
			if id != "" || err != nil {
				return id, err
			}
			if !slices.Contains(refusals, refusal) {
				refusals = append(refusals, refusal)
			}
		}
	}
	return "", fmt.Errorf("a %s %w: %s", typeName, ErrNotMade, strings.Join(refusals, "; "))
}

func (m *Maker) with(ctx context.Context, field *ast.FieldDefinition, typeName string, given optional) (id, refusal string, err error) {
	m.made++
	var failed error
	known := newHoldings()
	d := &drawer{schema: m.schema, own: &known, texts: m.named(), fresh: func(wanted string) string {
		if wanted == typeName {
			return ""
		}
		id, err := m.Make(ctx, wanted)
		if err != nil {
			failed = err
		}
		return id
	}}
	b := &branch{field: field, on: m.schema.Mutation, key: field.Name}
	for _, a := range field.Arguments {
		b.arguments = append(b.arguments, argumentOf(a, d.value(a.Name, a.Type, given, "")))
	}
	if failed != nil {
		return "", "", failed
	}
	budget := tourBudget
	b.children = d.selection(m.schema.Types[field.Type.Name()], makingDepth, &budget)
	o := &operation{mutation: true, roots: []*branch{b}}
	text, variables := o.write(m.schema, nil)
	answer, err := m.voice(ctx, text, variables)
	if err != nil {
		return "", "", fmt.Errorf("no answer to %s: %w", text, err)
	}
	got, err := read(answer.Body)
	if err != nil {
		return "", fmt.Sprintf("%s: status %d: %s", field.Name, answer.Status, short(answer.Body)), nil
	}
	known.harvest(o.roots, got.Data)
	for _, id := range known.ids[typeName] {
		if !m.known[id] {
			m.known[id] = true
			return id, "", nil
		}
	}
	return "", field.Name + ": " + got.refusal(), nil
}

// refusal is why something was not done, in the server's words.
func (r response) refusal() string {
	if len(r.Errors) == 0 {
		return "its answer has nothing new"
	}
	said := r.Errors[0].Message
	fields, _ := r.Errors[0].Extensions["fields"].([]any)
	for _, field := range fields {
		if about, is := field.(map[string]any); is {
			said += fmt.Sprintf(" (input %v %v)", about["path"], about["message"])
		}
	}
	return said
}

// makingDepth is how far below a mutation's answer the new object may stand.
const makingDepth = 4

// named are the texts for the inputs of this time.
func (m *Maker) named() map[string]string {
	unlike := fmt.Sprintf("%s-%d", m.mark, m.made)
	texts := map[string]string{}
	for _, definition := range m.schema.Types {
		if definition.Kind != ast.InputObject {
			continue
		}
		for _, input := range definition.Fields {
			if input.Type.Name() == "String" {
				texts[input.Name] = unlike + " " + input.Name
			}
		}
	}
	for name, text := range m.texts {
		texts[name] = strings.ReplaceAll(text, "*", unlike)
	}
	return texts
}

// waysOf are the mutations that make objects of each type, the ones whose answers lead there in fewest steps first.
func waysOf(schema *ast.Schema) map[string][]*ast.FieldDefinition {
	ways := map[string][]*ast.FieldDefinition{}
	node := schema.Types["Node"]
	if node == nil || schema.Mutation == nil {
		return ways
	}
	for _, made := range schema.GetPossibleTypes(node) {
		if single(schema, made) {
			continue
		}
		steps := map[*ast.FieldDefinition]int{}
		for _, field := range schema.Mutation.Fields {
			n := stepsTo(schema, schema.Types[field.Type.Name()], made, makingDepth-1)
			if n > 0 && !takes(schema, field, made) {
				steps[field] = n
				ways[made.Name] = append(ways[made.Name], field)
			}
		}
		slices.SortStableFunc(ways[made.Name], func(a, b *ast.FieldDefinition) int { return steps[a] - steps[b] })
	}
	return ways
}

// single says whether an organization has exactly one object of a type: then a field of Query leads to it without an id.
func single(schema *ast.Schema, t *ast.Definition) bool {
	return slices.ContainsFunc(schema.Query.Fields, func(f *ast.FieldDefinition) bool {
		return f.Type.Elem == nil && f.Type.Name() == t.Name && len(f.Arguments) == 0
	})
}

// stepsTo is how many fields lead to a type; 0 if not so many do.
func stepsTo(schema *ast.Schema, from, to *ast.Definition, most int) int {
	if most == 0 || from == nil {
		return 0
	}
	best := 0
	for _, field := range from.Fields {
		n := 0
		switch below := schema.Types[field.Type.Name()]; {
		case below == to:
			n = 1
		case below.Kind == ast.Object && !single(schema, below) && !isNode(schema, below):
			if deeper := stepsTo(schema, below, to, most-1); deeper > 0 {
				n = deeper + 1
			}
		}
		if n > 0 && (best == 0 || n < best) {
			best = n
		}
	}
	return best
}

func isNode(schema *ast.Schema, t *ast.Definition) bool {
	return slices.ContainsFunc(schema.GetImplements(t), func(i *ast.Definition) bool { return i.Name == "Node" })
}

// takes says whether a mutation takes an id of an object of a type: then it does something to one that is there.
func takes(schema *ast.Schema, field *ast.FieldDefinition, t *ast.Definition) bool {
	for _, a := range field.Arguments {
		for _, p := range placesOf(schema, a.Name, a.Type, 0) {
			last := p.name[strings.LastIndexByte(p.name, '.')+1:]
			if (p.kind == id || p.kind == ids) && (last == "id" || last == "ids" || strings.EqualFold(strings.TrimSuffix(last, "Id"), t.Name)) {
				return true
			}
		}
	}
	return false
}
