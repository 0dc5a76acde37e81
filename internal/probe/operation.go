package probe

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// operation is a template: its slots are filled when it is written, so that two can differ in one value alone.
type operation struct {
	mutation bool
	roots    []*branch
	// slots are the positions whose values are chosen.
	slots []*position
	// variables says that the arguments with slots are given as variables.
	variables bool
}

// branch is one field that is asked for.
type branch struct {
	field *ast.FieldDefinition
	// on is the type that has the field, key its name in the answer.
	on  *ast.Definition
	key string
	// fragment says that it stands in a fragment on its type, named or inline.
	fragment, named bool
	arguments       []argument
	children        []*branch
}

// argument is a field's argument; its value is made of maps, lists, strings, numbers, booleans, words and slots.
type argument struct {
	name  string
	typed *ast.Type
	value any
}

type (
	// slot stands for the value of the operation's slot of that number.
	slot int
	// word is an enum's value, which is written without quotes.
	word string
)

// writer writes an operation with its values.
type writer struct {
	strings.Builder
	schema    *ast.Schema
	values    []any
	variables map[string]any
	declared  []string
	fragments []string
	asked     bool
}

// write returns the operation's text and its variables, with one value for each slot.
func (o *operation) write(schema *ast.Schema, values []any) (string, map[string]any) {
	w := &writer{schema: schema, values: values, variables: map[string]any{}, asked: o.variables}
	w.set(o.roots, "")
	kind := "query"
	if o.mutation {
		kind = "mutation"
	}
	declared := ""
	if len(w.declared) > 0 {
		declared = "(" + strings.Join(w.declared, ", ") + ")"
	}
	return kind + " Probe" + declared + " " + w.String() + strings.Join(w.fragments, ""), w.variables
}

// set writes a selection set; typename asks for the type, where only that tells what came.
func (w *writer) set(branches []*branch, typename string) {
	w.WriteString("{ " + typename)
	for _, b := range branches {
		w.field(b)
	}
	w.WriteString("} ")
}

func (w *writer) field(b *branch) {
	switch {
	case b.named:
		name := fmt.Sprintf("F%d", len(w.fragments))
		w.fragments = append(w.fragments, "") // its number is taken
		at := len(w.fragments) - 1
		inner := &writer{schema: w.schema, values: w.values, variables: w.variables, declared: w.declared, fragments: w.fragments, asked: w.asked}
		inner.plain(b)
		w.declared, w.fragments = inner.declared, inner.fragments
		w.fragments[at] = "fragment " + name + " on " + b.on.Name + " { " + inner.String() + "} "
		w.WriteString("..." + name + " ")
	case b.fragment:
		w.WriteString("... on " + b.on.Name + " { ")
		w.plain(b)
		w.WriteString("} ")
	default:
		w.plain(b)
	}
}

func (w *writer) plain(b *branch) {
	if b.key != b.field.Name {
		w.WriteString(b.key + ": ")
	}
	w.WriteString(b.field.Name)
	for i, a := range b.arguments {
		w.WriteString([]string{"(", ", "}[min(i, 1)] + a.name + ": " + w.argument(a))
	}
	if len(b.arguments) > 0 {
		w.WriteString(")")
	}
	w.WriteString(" ")
	if definition := w.schema.Types[b.field.Type.Name()]; definition.IsCompositeType() {
		w.set(b.children, "__typename ")
	}
}

func (w *writer) argument(a argument) string {
	if !w.asked || !holdsSlot(a.value) {
		return w.literal(a.value)
	}
	name := fmt.Sprintf("v%d", len(w.declared))
	w.declared = append(w.declared, "$"+name+": "+a.typed.String())
	w.variables[name] = w.filled(a.value)
	return "$" + name
}

func holdsSlot(value any) bool {
	switch value := value.(type) {
	case slot:
		return true
	case map[string]any:
		for _, inner := range value {
			if holdsSlot(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, holdsSlot)
	}
	return false
}

// filled is a value as JSON has it.
func (w *writer) filled(value any) any {
	switch value := value.(type) {
	case slot:
		return w.values[value]
	case word:
		return string(value)
	case map[string]any:
		object := make(map[string]any, len(value))
		for name, inner := range value {
			object[name] = w.filled(inner)
		}
		return object
	case []any:
		list := make([]any, len(value))
		for i, inner := range value {
			list[i] = w.filled(inner)
		}
		return list
	}
	return value
}

// literal is a value as GraphQL has it.
func (w *writer) literal(value any) string {
	switch value := value.(type) {
	case slot:
		return w.literal(w.values[value])
	case word:
		return string(value)
	case string:
		return quoted(value)
	case map[string]any:
		var fields []string
		for name, inner := range value {
			fields = append(fields, name+": "+w.literal(inner))
		}
		slices.Sort(fields)
		return "{" + strings.Join(fields, ", ") + "}"
	case []any:
		items := make([]string, len(value))
		for i, inner := range value {
			items[i] = w.literal(inner)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case int:
		return strconv.Itoa(value)
	}
	return fmt.Sprint(value)
}

// quoted is a string of GraphQL, which knows JSON's escapes and no others.
func quoted(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(raw)
}
