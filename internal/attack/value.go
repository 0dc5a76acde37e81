package attack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// variant is a choice among the optional fields of a field's inputs.
type variant struct {
	// name stands behind the field's name in the answer.
	name string
	// without are the fields that are left out.
	without []*ast.FieldDefinition
}

// variants are all optional fields of a field's inputs together, none of them, and each alone: an input may be refused
// because of one of them, or because of two together.
func (p Plan) variants(field *ast.FieldDefinition) []variant {
	var optional []*ast.FieldDefinition
	for _, argument := range field.Arguments {
		for _, within := range p.Schema.Types[argument.Type.Name()].Fields {
			if !within.Type.NonNull {
				optional = append(optional, within)
			}
		}
	}
	variants := []variant{{}}
	if len(optional) > 0 {
		variants = append(variants, variant{"_bare", optional})
	}
	if len(optional) > 1 {
		for i, alone := range optional {
			variants = append(variants, variant{"_only_" + alone.Name, slices.Delete(slices.Clone(optional), i, i+1)})
		}
	}
	return variants
}

// arguments writes a field's arguments. Optional ones are left out, unless they are inside of an input.
func (p Plan) arguments(field *ast.FieldDefinition, inputs variant, targets []Target) string {
	var written []string
	for _, argument := range field.Arguments {
		if argument.Type.NonNull {
			written = append(written, argument.Name+": "+p.value(argument.Name, argument.Type, inputs, targets))
		}
	}
	if written == nil {
		return ""
	}
	return "(" + strings.Join(written, ", ") + ")"
}

// value makes one up for an argument or a field of an input.
func (p Plan) value(name string, t *ast.Type, inputs variant, targets []Target) string {
	if t.Elem != nil {
		if t.Name() != "ID" {
			return "[" + p.value(name, t.Elem, inputs, targets) + "]"
		}
		var ids []string
		for _, target := range targets {
			ids = append(ids, strconv.Quote(target.ID))
		}
		return "[" + strings.Join(ids, ", ") + "]"
	}
	definition := p.Schema.Types[t.Name()]
	switch definition.Kind {
	case ast.InputObject:
		var fields []string
		for _, field := range definition.Fields {
			if !slices.Contains(inputs.without, field) {
				fields = append(fields, field.Name+": "+p.value(field.Name, field.Type, inputs, targets))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case ast.Enum:
		return definition.EnumValues[0].Name
	}
	return p.scalar(name, t.Name(), targets)
}

func (p Plan) scalar(name, typeName string, targets []Target) string {
	text := strconv.Quote(fmt.Sprintf("%s %s", Canary, name))
	switch typeName {
	case "ID":
		return strconv.Quote(targets[0].ID)
	case "Int", "Float":
		return "1"
	case "Boolean":
		return "true"
	case "Permission":
		return strconv.Quote(p.rightOr("permission", "org:canary:read"))
	case "Role":
		return strconv.Quote(p.rightOr("role", "org:canary"))
	case "DateTime":
		return `"2026-11-22T08:30:00Z"`
	case "JSONObject":
		return "{canary: " + text + "}"
	}
	if fitting, found := p.Texts[name]; found {
		return strconv.Quote(fitting)
	}
	return text
}

// rightOr is the name of the plan's right where it is of a kind, and otherwise another one that is well formed.
func (p Plan) rightOr(kind, other string) string {
	if p.Right.Kind == kind {
		return p.Right.Name
	}
	return other
}
