package probe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// kind is what a value stands for, where an attacker can choose it.
type kind int

const (
	// plain is what names nothing of anybody's: a number, an enum.
	plain kind = iota
	id
	ids
	cursor
	text
)

// step is one field on the way to a position; on is the type of the fragment that it stands in, nil outside of one.
type step struct {
	field *ast.FieldDefinition
	on    *ast.Definition
}

// position is a place for a value that an attacker can choose, at the end of a way from Query or Mutation.
type position struct {
	name     string
	kind     kind
	steps    []step
	argument *ast.ArgumentDefinition
	mutation bool
	// beyond says that it is in a subscription, which is not attacked, and so counts as not reached.
	beyond bool
}

// positionsOf are all positions to a depth: from Query in arguments, from Mutation also inside of inputs.
func positionsOf(schema *ast.Schema, depth int) []*position {
	var all []*position
	var walk func(on *ast.Definition, fragment *ast.Definition, way []step, name string, mutation bool)
	walk = func(on, fragment *ast.Definition, way []step, name string, mutation bool) {
		for _, field := range on.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			here := append(slices.Clip(way), step{field, fragment})
			called := name + "." + field.Name
			for _, argument := range field.Arguments {
				for _, place := range placesOf(schema, argument.Name, argument.Type, 0) {
					all = append(all, &position{
						name: called + "(" + place.name + ")", kind: place.kind, steps: here, argument: argument, mutation: mutation,
						beyond: strings.HasPrefix(name, "Subscription"),
					})
				}
			}
			below := schema.Types[field.Type.Name()]
			if len(here) == depth || !below.IsCompositeType() {
				continue
			}
			walk(below, nil, here, called, mutation)
			if below.IsAbstractType() {
				for _, possible := range schema.GetPossibleTypes(below) {
					walk(possible, possible, here, called+"["+possible.Name+"]", mutation)
				}
			}
		}
	}
	walk(schema.Query, nil, nil, "Query", false)
	if schema.Mutation != nil {
		walk(schema.Mutation, nil, nil, "Mutation", true)
	}
	if schema.Subscription != nil {
		walk(schema.Subscription, nil, nil, "Subscription", false)
	}
	return all
}

// place is a value inside of an argument.
type place struct {
	name string
	kind kind
}

// placesOf are the values of an argument that an attacker can choose, inputs within inputs included.
func placesOf(schema *ast.Schema, name string, t *ast.Type, depth int) []place {
	definition := schema.Types[t.Name()]
	if definition.Kind == ast.InputObject {
		var all []place
		for _, field := range definition.Fields {
			if depth < 3 { // inputs can hold themselves
				all = append(all, placesOf(schema, name+"."+field.Name, field.Type, depth+1)...)
			}
		}
		return all
	}
	if k := kindOf(name, t); k != plain {
		return []place{{name, k}}
	}
	return nil
}

func kindOf(name string, t *ast.Type) kind {
	last := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case t.Name() == "ID" && t.Elem != nil:
		return ids
	case t.Name() == "ID":
		return id
	case t.Name() == "String" && (last == "after" || last == "before"):
		return cursor
	case t.Name() == "String":
		return text
	}
	return plain
}

// fieldName names a field of a type.
func fieldName(on *ast.Definition, field *ast.FieldDefinition) string {
	return fmt.Sprintf("%s.%s", on.Name, field.Name)
}
